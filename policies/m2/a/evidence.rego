package m2.a

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.receipt
import data.lib.report
import data.lib.stack

# METADATA
# title: Evidence of the state backend is missing or inconsistent
# description: |
#   A receipt of this lane is missing, unreadable or contradicts another: an observation without the calls that it came
#   from, a call that ended otherwise than the observation says or was about something else, a read that only the
#   evidence needs and that could not be made, or a run that does not say who made it. A read that a posture rule needs
#   blocks there. A read behind a handle that is not pinned has no receipt, so such a handle blocks here, too.
# custom:
#   code: M2A-B5
#   severity: S1
#   taxonomy: M2-B8
#   remediation: Collect again with the permissions named by the unreadable facts; never edit a fact document by hand.
b5 contains receipt.identifies("run")

b5 contains check.of({
	"subject": "run",
	"claim": "the caller is identified",
	"refs": [_caller],
	"handles": [],
	"holds": is_string(fact.value(_caller)),
	"expected": "an ARN",
	"actual": fact.value(_caller),
	"violation": "evidence",
})

b5 contains receipt.backs(ref) if some ref in _observed

b5 contains check.known(ref.subject, sprintf("%v can be read", [aspect]), ref) if {
	some aspect, ref in _evidence_only
}

_caller := aws.caller_identity(["Arn"])

_observed := array.concat(
	array.concat([aws.caller_identity([])], array.concat(_bucket_refs, _table_refs)),
	[ref | some name, _ in data.contract.m2.stacks; some ref in _stack_refs(name)],
)

_bucket_refs := [aws.bucket(_bucket, aspect, []) |
	some aspect in ["head", "location", "encryption", "versioning", "public_access_block", "tagging"]
]

_table_refs := [aws.table(_lock_table, aspect, []) |
	some aspect in ["table", "time_to_live", "continuous_backups", "tags"]
]

_stack_refs(name) := [stack.step(name, step, []) | some step in ["directory", "backend", "init"]]

# No posture is pinned for these; an auditor wants to see them all the same.
_evidence_only := {
	"the bucket's tagging": aws.bucket(_bucket, "tagging", []),
	"the table's time to live": aws.table(_lock_table, "time_to_live", []),
	"the table's continuous backups": aws.table(_lock_table, "continuous_backups", []),
	"the table's tags": aws.table(_lock_table, "tags", []),
}

observations contains {
	"subject": "run",
	"message": sprintf("the facts were read through the endpoint override %v, not from AWS itself", [endpoint]),
	"facts": ["/run/endpoint_url"],
} if {
	endpoint := object.get(input, ["run", "endpoint_url"], null)
	endpoint != null
}

observations contains {
	"subject": name,
	"message": sprintf("pinned to the same value again (registry lines: %v)", [concat(", ", lines)]),
	"facts": [sprintf("/handles/%v/repeated_on", [name])],
} if {
	some name in handle.mentioned("")
	lines := [sprintf("%v", [line]) | some line in object.get(input, ["handles", name, "repeated_on"], [])]
	count(lines) > 0
}

observations contains {
	"subject": name,
	"message": "Terraform also locks the state by a lock file in the bucket (`use_lockfile`)",
	"facts": [fact.pointer(ref)],
} if {
	some name, _ in data.contract.m2.stacks
	ref := stack.step(name, "backend", [_recorded(name), "use_lockfile"])
	fact.value(ref) == true
}

observations contains {
	"subject": name,
	"message": "the backend does not ask for encryption of the state object; the bucket's default applies",
	"facts": [fact.pointer(ref)],
} if {
	some name, _ in data.contract.m2.stacks
	fact.status(stack.step(name, "backend", [])) == "present"
	ref := stack.step(name, "backend", [_recorded(name), "encrypt"])
	not fact.value(ref) in {true, "true"}
}

observations contains {
	"subject": _lock_table,
	"message": "point-in-time recovery of the lock table is off",
	"facts": [fact.pointer(ref)],
} if {
	ref := aws.table(_lock_table, "continuous_backups", [
		"ContinuousBackupsDescription",
		"PointInTimeRecoveryDescription",
		"PointInTimeRecoveryStatus",
	])
	fact.status(ref) == "present"
	fact.value(ref) != "ENABLED"
}

observations contains {
	"subject": _lock_table,
	"message": "items of the lock table expire by time to live: a lock may vanish while it is held",
	"facts": [fact.pointer(ref)],
} if {
	ref := aws.table(_lock_table, "time_to_live", ["TimeToLiveDescription", "TimeToLiveStatus"])
	fact.value(ref) in {"ENABLED", "ENABLING"}
}

artifacts := {
	"m2a_backend_conformance_snapshot.json": report.artifact("M2.A", _conformance_snapshot),
	"m2a_stack_backend_matrix.json": report.artifact("M2.A", _backend_matrix),
	"m2a_blocker_register.json": report.blocker_register("M2.A"),
	"m2a_execution_summary.json": report.execution_summary("M2.A"),
}

_conformance_snapshot := {
	"handles": report.handles(array.concat(
		[_bucket, data.contract.m2.backend.region, _lock_table],
		data.contract.m2.backend.switches,
	)),
	"bucket": report.readings(_bucket_refs),
	"lock_table": report.readings(_table_refs),
	"caller_identity": report.reading(aws.caller_identity([])),
	"existence": report.checks(b1),
	"posture": report.checks(b2),
}

_backend_matrix := {
	"backend": report.handles([_bucket, data.contract.m2.backend.region, _lock_table]),
	"stacks": {name: _matrix_row(name, pinned) | some name, pinned in data.contract.m2.stacks},
}

_matrix_row(name, pinned) := {
	"directory_handle": pinned.directory,
	"directory": handle.value(pinned.directory),
	"state_key_handle": pinned.state_key,
	"state_key": handle.value(pinned.state_key),
	"facts": report.readings(_stack_refs(name)),
	"readiness": report.checks({c | some c in b3; c.subject == pinned.directory}),
	"namespace": report.checks({c | some c in b4; c.subject in {pinned.state_key, name}}),
}
