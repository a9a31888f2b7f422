# METADATA
# title: State backend and lock
# description: |
#   The remote state of every stack is safe to use: bucket and lock table are there in their pinned posture, each stack
#   has its own key in them, and Terraform can initialise against them.
# custom:
#   lane: M2.A
#   next: M2.B
#   upstream: []
#   stacks: []
#   definition_of_done:
#     - item: state bucket conformance checks pass.
#       codes: [M2A-B1, M2A-B2]
#     - item: lock table conformance checks pass.
#       codes: [M2A-B1, M2A-B2]
#     - item: per-stack state key contract is validated.
#       codes: [M2A-B3, M2A-B4]
#     - item: M2.A evidence snapshot committed.
#       codes: [M2A-B5]
#   artifacts:
#     - m2a_backend_conformance_snapshot.json
#     - m2a_stack_backend_matrix.json
#     - m2a_blocker_register.json
#     - m2a_execution_summary.json
package m2.a

import data.lib.aws
import data.lib.bucket
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.stack

# METADATA
# title: State bucket or lock table missing
# description: |
#   `TF_STATE_BUCKET` or `TF_LOCK_TABLE` does not exist or cannot be reached. Their posture cannot be shown then either,
#   so M2A-B2 blocks beside this code.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/language/backend/s3
# custom:
#   code: M2A-B1
#   severity: S1
#   taxonomy: M2-B1
#   remediation: >-
#     Create the bucket or table from the bootstrap stack, or correct the handle; if the read was denied, grant the
#     named action to the collector.
b1 contains check.exists(_bucket, "the state bucket can be reached", aws.bucket(_bucket, "head", []))

b1 contains check.exists(_lock_table, "the lock table can be reached", aws.table(_lock_table, "table", ["Table"]))

# METADATA
# title: State bucket or lock table has drifted from its pinned posture
# description: |
#   The state bucket is not encrypted, versioned and closed to the public, or lives in another region than
#   `TF_STATE_BUCKET_REGION`; the lock table is not active, or its hash key is not `LockID` of type S. The registry must
#   pin each switch of the posture to true: pinning one to false does not open the gate.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
#   - ref: https://developer.hashicorp.com/terraform/language/backend/s3#dynamodb-state-locking
# custom:
#   code: M2A-B2
#   severity: S1
#   taxonomy: M2-B1
#   remediation: Restore the pinned setting in the bootstrap stack and run again.
b2 contains check.pinned_as(switch, "it is pinned to true", true) if {
	some switch in data.contract.m2.backend.switches
}

b2 contains claim if some claim in bucket.posture(_bucket)

b2 contains check.equals_handle(
	_bucket,
	"the bucket is in the pinned region",
	aws.bucket(_bucket, "location", ["LocationConstraint"]),
	data.contract.m2.backend.region,
)

b2 contains check.equals(
	_lock_table,
	"the lock table is active",
	aws.table(_lock_table, "table", ["Table", "TableStatus"]),
	"ACTIVE",
)

b2 contains check.of({
	"subject": _lock_table,
	"claim": "the lock table's only key is the one that Terraform locks by",
	"refs": [aws.table(_lock_table, "table", ["Table", "KeySchema"])],
	"handles": [],
	"holds": _lock_keys == [_expected_lock_key],
	"expected": [_expected_lock_key],
	"actual": _lock_keys,
})

# METADATA
# title: Stack folder, backend block or init missing
# description: |
#   One of the five `TF_STACK_*_DIR` is missing, declares no `backend "s3"`, or `terraform init` against the pinned
#   backend fails there.
# custom:
#   code: M2A-B3
#   severity: S1
#   taxonomy: M2-B1
#   remediation: >-
#     Restore the stack's folder and its backend block, or correct the handle; if init failed, its log is in the fact
#     document.
b3 contains check.exists(
	pinned.directory,
	"the stack's folder is there",
	stack.step(name, "directory", []),
) if {
	some name, pinned in data.contract.m2.stacks
}

b3 contains check.equals(
	pinned.directory,
	"the stack declares an s3 backend",
	stack.step(name, "backend", ["type"]),
	data.contract.m2.backend.type,
) if {
	some name, pinned in data.contract.m2.stacks
}

b3 contains check.equals(
	pinned.directory,
	"terraform init against the pinned backend succeeds",
	stack.step(name, "init", ["exit_code"]),
	0,
) if {
	some name, pinned in data.contract.m2.stacks
}

# METADATA
# title: State keys overlap, or a stack's backend is not the pinned one
# description: |
#   The `TF_STATE_KEY_*` are duplicate, empty, one a prefix of another, or not named after their stack; or the backend that a
#   stack is configured with has another key, bucket, region or lock table than the handles say. Configured is what the
#   backend block declares and, unless init failed (M2A-B3), what Terraform recorded at init; both must agree with the
#   handles. What a block leaves open, the handles supply.
# custom:
#   code: M2A-B4
#   severity: S1
#   taxonomy: M2-B1
#   remediation: >-
#     Give every stack its own key, named after the stack, and let backend block and handles agree; move existing state
#     with `terraform init -migrate-state`.
b4 contains check.of({
	"subject": key,
	"claim": "a segment of the key is the stack's name",
	"refs": [],
	"handles": [key],
	"holds": name in _segments(handle.value(key)),
	"expected": sprintf("a path with the segment %v", [name]),
	"actual": handle.value(key),
}) if {
	some name, pinned in data.contract.m2.stacks
	key := pinned.state_key
}

b4 contains check.of({
	"subject": pinned.state_key,
	"claim": "no other state key is the same or a prefix",
	"refs": [],
	"handles": [pinned.state_key],
	"holds": count(_overlapping(pinned.state_key)) == 0,
	"expected": [],
	"actual": _overlapping(pinned.state_key),
}) if {
	some pinned in data.contract.m2.stacks
}

b4 contains _configured_as(name, attribute, pinned_by) if {
	some name, pinned in data.contract.m2.stacks
	some attribute, pinned_by in {
		"key": pinned.state_key,
		"bucket": data.contract.m2.backend.bucket,
		"region": data.contract.m2.backend.region,
		"dynamodb_table": data.contract.m2.backend.lock_table,
	}
}

_bucket := data.contract.m2.backend.bucket

_lock_table := data.contract.m2.backend.lock_table

_expected_lock_key := {
	"name": data.contract.m2.backend.hash_key.name,
	"key_type": "HASH",
	"type": data.contract.m2.backend.hash_key.type,
}

_lock_keys := [key |
	some element in fact.list(aws.table(_lock_table, "table", ["Table", "KeySchema"]))
	key := _lock_key(element)
]

_lock_key(element) := {
	"name": object.get(element, "AttributeName", null),
	"key_type": object.get(element, "KeyType", null),
	"type": _attribute_type(object.get(element, "AttributeName", null)),
} if {
	is_object(element)
} else := element

_attribute_type(name) := types[0] if {
	types := [object.get(definition, "AttributeType", null) |
		some definition in fact.list(aws.table(_lock_table, "table", ["Table", "AttributeDefinitions"]))
		is_object(definition)
		object.get(definition, "AttributeName", null) == name
	]
	count(types) == 1
} else := null

_segments(key) := split(key, "/") if {
	is_string(key)
} else := []

# Object keys are compared as text: S3 lists by prefix, whatever stands behind it.
_overlapping(name) := sort([other |
	some pinned in data.contract.m2.stacks
	other := pinned.state_key
	other != name
	_overlaps(handle.value(name), handle.value(other))
])

_overlaps(left, right) if {
	is_string(left)
	is_string(right)
	startswith(left, right)
}

_overlaps(left, right) if {
	is_string(left)
	is_string(right)
	startswith(right, left)
}

_configured_as(name, attribute, pinned_by) := check.of({
	"subject": name,
	"claim": sprintf("the backend's %v is the pinned one", [replace(attribute, "_", " ")]),
	"refs": [stack.step(name, "backend", [_decisive(name, attribute, pinned_by), attribute])],
	"handles": [pinned_by],
	"holds": check.same(_configured(name, attribute, pinned_by), handle.value(pinned_by)),
	"expected": handle.value(pinned_by),
	"actual": _configured(name, attribute, pinned_by),
})

_is_initialised(name) if fact.value(stack.step(name, "init", ["exit_code"])) == 0

_recorded(name) := "effective" if {
	_is_initialised(name)
} else := "declared"

# Init is run with the handles, which override the block: what it recorded says nothing about a block that declares otherwise,
# and that block is what everybody else who runs Terraform here works against.
_decisive(name, attribute, pinned_by) := "declared" if {
	declared := fact.value(stack.step(name, "backend", ["declared", attribute]))
	declared != null
	not check.same(declared, handle.value(pinned_by)) == true
} else := _recorded(name)

_configured(name, attribute, pinned_by) := found if {
	found := fact.value(stack.step(name, "backend", [_decisive(name, attribute, pinned_by), attribute]))
	found != null
} else := null if {
	_is_initialised(name)
} else := handle.value(pinned_by)
