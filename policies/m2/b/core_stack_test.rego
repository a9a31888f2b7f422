package m2.b_test

import data.lib.fixture_test as fixture

# The lanes that read what the tables damage by contract; the whole gate has tables of its own.
_lanes := {"M2A", "M2B", "M2C", "M2E"}

_ready := data.lib.fixture_test.ready

_core := ["terraform", "stacks", "core"]

_key := ["aws", "kms", "aliases", "alias/platform", "key", "value", "KeyMetadata"]

_nodes := ["aws", "iam", "roles", "arn:aws:iam::123456789012:role/nodes"]

_base := ["aws", "iam", "roles", "arn:aws:iam::123456789012:role/base"]

_evidence_bucket := ["aws", "s3", "buckets", "evidence"]

_inventory := ["aws", "tagging", "inventories", "fraud-platform", "resources"]

_digest := _ready.terraform.stacks.core.plan.value.digest

_at(path) := array.concat(_core, path)

_with_exit_code(document, step, command, code) := fixture.put(
	fixture.put(document, _at([step, "value", "exit_code"]), code),
	["receipts", sprintf("terraform.%v/core", [command]), "exit_code"],
	code,
)

# A plan with changes: what a read-only run leaves at that.
_dirty := fixture.put(
	_with_exit_code(_ready, "plan", "plan", 2),
	_at(["apply"]),
	{"status": "not_collected", "reason": "terraform may only plan in this run"},
)

# The same plan, applied, and the plan after it.
_applied(exit_code, digest, post_exit_code) := object.union(_dirty, {
	"terraform": {"stacks": {"core": {
		"apply": {
			"status": "present",
			"value": {"exit_code": exit_code, "plan_digest": digest, "log": ""},
			"receipts": ["terraform.apply/core"],
		},
		"post_apply_plan": {
			"status": "present",
			"value": {"exit_code": post_exit_code, "digest": "sha256:post", "resource_changes": [], "output_changes": {}},
			"receipts": ["terraform.post_apply_plan/core"],
		},
	}}},
	"receipts": {
		"terraform.apply/core": {"kind": "terraform", "exit_code": exit_code},
		"terraform.post_apply_plan/core": {"kind": "terraform", "exit_code": post_exit_code},
	},
})

_unsettled := ["M2B-B4", "core", "the last plan shows no changes", "violated"]

_unapplied := ["M2B-B2", "core", "every planned change is applied", "violated"]

# What a damage must turn red, and nothing else.
_damaged := {
	"a skeleton": {
		"document": fixture.put(_ready, _at(["state", "value", "managed_resources"]), []),
		"expected": {["M2B-B1", "core", "the state holds managed resources", "violated"]},
	},
	"a sensitive output": {
		"document": fixture.put(
			_ready,
			_at(["outputs", "value", "values", "kms_key_alias_platform", "sensitive"]),
			true,
		),
		"expected": {["M2B-B3", "KMS_KEY_ALIAS_PLATFORM", "the output kms_key_alias_platform is as pinned", "violated"]},
	},
	"a clean plan that was applied, and failed": {
		"document": fixture.put(_ready, _at(["apply"]), {
			"status": "present",
			"value": {"exit_code": 1, "plan_digest": "sha256:plan"},
			"receipts": [],
		}),
		"expected": {
			_unapplied,
			["M2B-B4", "core", "the last plan shows no changes", "unreadable"],
			["M2B-B5", "core", "an apply names the plan of this run", "evidence"],
			["M2B-B5", "core", "the receipts of apply are there and agree with it", "evidence"],
		},
	},
	"a stack without outputs": {
		"document": fixture.put(
			fixture.put(_ready, _at(["state", "value", "outputs"]), []),
			_at(["outputs", "value", "values"]),
			{},
		),
		"expected": {["M2B-B1", "core", "the state holds outputs", "violated"]} | {
			["M2B-B3", name, sprintf("the output %v is as pinned", [output]), "violated"] |
			some name, output in data.contract.m2.core.outputs
		},
	},
	"the configuration is invalid": {
		"document": fixture.put(
			_with_exit_code(_ready, "validate", "validate", 1),
			_at(["validate", "value", "valid"]),
			false,
		),
		"expected": {
			["M2B-B2", "core", "terraform validate succeeds", "violated"],
			["M2B-B2", "core", "the configuration is valid", "unreadable"],
		},
	},
	"init fails": {
		"document": _with_exit_code(_ready, "init", "init", 1),
		"expected": {
			["M2A-B3", "TF_STACK_CORE_DIR", "terraform init against the pinned backend succeeds", "violated"],
			["M2B-B2", "core", "terraform init succeeds", "violated"],
		},
	},
	"the plan fails": {
		"document": _with_exit_code(_ready, "plan", "plan", 1),
		"expected": {
			["M2B-B2", "core", "terraform plan succeeds", "violated"],
			["M2B-B2", "core", "every planned change is applied", "unreadable"],
			["M2B-B4", "core", "the last plan shows no changes", "unreadable"],
		},
	},
	"terraform output fails": {
		"document": _with_exit_code(_ready, "outputs", "output", 1),
		"expected": {
			["M2B-B2", "core", "terraform output succeeds", "violated"],
			["M2B-B5", "core", "terraform output and the state name the same outputs", "unreadable"],
		} | {
			["M2B-B3", name, sprintf("the output %v is as pinned", [output]), "unreadable"] |
			some name, output in data.contract.m2.core.outputs
		},
	},
	"a plan left dirty": {"document": _dirty, "expected": {_unapplied, _unsettled}},
	"a plan applied, and the next one clean": {"document": _applied(0, _digest, 0), "expected": set()},
	"a plan applied, and the next one dirty": {"document": _applied(0, _digest, 2), "expected": {_unsettled}},
	"an apply that failed": {
		"document": fixture.put(
			_applied(1, _digest, 0),
			_at(["post_apply_plan"]),
			{"status": "not_collected", "reason": "terraform apply did not succeed"},
		),
		"expected": {_unapplied, ["M2B-B4", "core", "the last plan shows no changes", "unreadable"]},
	},
	"another plan applied": {
		"document": _applied(0, "sha256:other", 0),
		"expected": {_unapplied, ["M2B-B5", "core", "an apply names the plan of this run", "evidence"]},
	},
	"an apply that could not be run": {
		"document": fixture.put(_applied(0, _digest, 0), _at(["apply"]), {
			"status": "unreadable",
			"error": {"code": "PlanFileChanged", "kind": "tool"},
			"receipts": [],
		}),
		"expected": {
			["M2B-B2", "core", "every planned change is applied", "unreadable"],
			["M2B-B5", "core", "an apply names the plan of this run", "unreadable"],
		},
	},
	"an output removed": {
		"document": fixture.put(
			fixture.without(_ready, _at(["outputs", "value", "values", "msk_security_group_id"])),
			_at(["state", "value", "outputs"]),
			[name | some name in _ready.terraform.stacks.core.state.value.outputs; name != "msk_security_group_id"],
		),
		"expected": {["M2B-B3", "MSK_SECURITY_GROUP_ID", "the output msk_security_group_id is as pinned", "violated"]},
	},
	"an output that differs": {
		"document": fixture.put(_ready, _at(["outputs", "value", "values", "msk_client_subnet_ids", "value"]), ["subnet-1"]),
		"expected": {["M2B-B3", "MSK_CLIENT_SUBNET_IDS", "the output msk_client_subnet_ids is as pinned", "violated"]},
	},
	"a null output, and an unpinned handle": {
		"document": fixture.pinned(
			fixture.put(_ready, _at(["outputs", "value", "values", "msk_security_group_id", "value"]), null),
			"MSK_SECURITY_GROUP_ID",
			null,
		),
		"expected": {
			["M2B-B3", "MSK_SECURITY_GROUP_ID", "the output msk_security_group_id is as pinned", "unpinned"],
			["M2B-B4", "MSK_SECURITY_GROUP_ID", "it carries the pinned tags", "unpinned"],
		},
	},
	"a core bucket deleted": {
		"document": fixture.absent(_ready, array.concat(_evidence_bucket, ["head"])),
		"expected": {["M2B-B4", "S3_EVIDENCE_BUCKET", "the bucket can be reached", "absent"]},
	},
	"a core bucket without encryption": {
		"document": fixture.absent(_ready, array.concat(_evidence_bucket, ["encryption"])),
		"expected": {["M2B-B4", "S3_EVIDENCE_BUCKET", "the bucket encrypts by default", "absent"]},
	},
	"a core bucket open to the public": {
		"document": fixture.absent(_ready, array.concat(_evidence_bucket, ["public_access_block"])),
		"expected": {["M2B-B4", "S3_EVIDENCE_BUCKET", sprintf("%v is on", [flag]), "absent"] |
			some flag in data.contract.m2.bucket_posture.public_access_block
		},
	},
	"a switch pinned to false": {
		"document": fixture.pinned(_ready, "S3_BUCKET_VERSIONING_ENABLED", false),
		"expected": {["M2B-B4", "S3_BUCKET_VERSIONING_ENABLED", "it is pinned to true", "violated"]},
	},
	"the key disabled": {
		"document": fixture.put(
			fixture.put(_ready, array.concat(_key, ["Enabled"]), false),
			array.concat(_key, ["KeyState"]),
			"Disabled",
		),
		"expected": {
			["M2B-B4", "KMS_KEY_ALIAS_PLATFORM", "the alias leads to an enabled key", "violated"],
			["M2B-B4", "KMS_KEY_ALIAS_PLATFORM", "the key is ready for use", "violated"],
		},
	},
	"a baseline policy detached": {
		"document": fixture.without(_ready, array.concat(_nodes, ["attached_policies", "value", "AttachedPolicies", 1])),
		"expected": {_without_baseline("ROLE_EKS_NODEGROUP_DEV_FULL")},
	},
	"a customer policy with the name of an AWS one": {
		"document": fixture.put(
			_ready,
			array.concat(_nodes, ["attached_policies", "value", "AttachedPolicies", 0, "PolicyArn"]),
			"arn:aws:iam::123456789012:policy/AmazonEKSWorkerNodePolicy",
		),
		"expected": {_without_baseline("ROLE_EKS_NODEGROUP_DEV_FULL")},
	},
	"the platform's base policy inline instead of attached": {
		"document": fixture.put(
			fixture.put(_ready, array.concat(_base, ["attached_policies", "value", "AttachedPolicies"]), []),
			array.concat(_base, ["inline_policies", "value", "Policies", 0, "PolicyName"]),
			"fraud-platform-dev-full-platform-base",
		),
		"expected": set(),
	},
	"no base policy": {
		"document": fixture.put(_ready, array.concat(_base, ["attached_policies", "value", "AttachedPolicies"]), []),
		"expected": {_without_baseline("ROLE_EKS_RUNTIME_PLATFORM_BASE")},
	},
	"a bucket's tag changed": {
		"document": fixture.put(_ready, array.concat(_evidence_bucket, ["tagging", "value", "Tags", "env"]), "prod"),
		"expected": {_untagged("S3_EVIDENCE_BUCKET")},
	},
	"a key without tags": {
		"document": fixture.put(_ready, ["aws", "kms", "aliases", "alias/platform", "tags", "value", "Tags"], []),
		"expected": {_untagged("KMS_KEY_ALIAS_PLATFORM")},
	},
	"a role's tag removed": {
		"document": fixture.without(_ready, array.concat(_nodes, ["role", "value", "Tags", 0])),
		"expected": {_untagged("ROLE_EKS_NODEGROUP_DEV_FULL")},
	},
	"one of the subnets not in the inventory": {
		"document": fixture.without(_ready, array.concat(_inventory, ["value", "ResourceTagMappingList", 1])),
		"expected": {_untagged("MSK_CLIENT_SUBNET_IDS")},
	},
	"a security group with a wrong owner": {
		"document": fixture.put(
			_ready,
			array.concat(_inventory, ["value", "ResourceTagMappingList", 2, "Tags"]),
			[{"Key": "project", "Value": "fraud-platform"}, {"Key": "owner", "Value": "someone"}],
		),
		"expected": {_untagged("MSK_SECURITY_GROUP_ID")},
	},
	"an empty inventory": {
		"document": fixture.put(_ready, array.concat(_inventory, ["value", "ResourceTagMappingList"]), []),
		"expected": {_untagged("MSK_CLIENT_SUBNET_IDS"), _untagged("MSK_SECURITY_GROUP_ID")},
	},
}

_without_baseline(name) := ["M2B-B4", name, "the baseline policies are attached", "violated"]

_untagged(name) := ["M2B-B4", name, "it carries the pinned tags", "violated"]

test_each_damage_blocks_exactly_as_its_table_says if {
	found := {name: fixture.difference(damage.document, _lanes, damage.expected) | some name, damage in _damaged}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _damaged}
}

# The codes that an observation decides, when it cannot be read. The base role's also decide who reaches the cluster.
_decides := {
	["terraform", "stacks", "core", "init"]: {"M2A-B3", "M2B-B2"},
	["terraform", "stacks", "core", "validate"]: {"M2B-B2"},
	["terraform", "stacks", "core", "plan"]: {"M2B-B2", "M2B-B4"},
	["terraform", "stacks", "core", "outputs"]: {"M2B-B2", "M2B-B3", "M2B-B5"},
	["terraform", "stacks", "core", "state"]: {"M2B-B1", "M2B-B5"},
	["aws", "s3", "buckets", "objects", "head"]: {"M2B-B4"},
	["aws", "s3", "buckets", "objects", "location"]: {"M2B-B5"},
	["aws", "s3", "buckets", "objects", "encryption"]: {"M2B-B4"},
	["aws", "s3", "buckets", "objects", "versioning"]: {"M2B-B4"},
	["aws", "s3", "buckets", "objects", "public_access_block"]: {"M2B-B4"},
	["aws", "s3", "buckets", "objects", "tagging"]: {"M2B-B4"},
	["aws", "kms", "aliases", "alias/platform", "key"]: {"M2B-B4"},
	["aws", "kms", "aliases", "alias/platform", "rotation"]: {"M2B-B5"},
	["aws", "kms", "aliases", "alias/platform", "tags"]: {"M2B-B4"},
	["aws", "iam", "roles", "arn:aws:iam::123456789012:role/nodes", "role"]: {"M2B-B4", "M2E-B6"},
	["aws", "iam", "roles", "arn:aws:iam::123456789012:role/nodes", "attached_policies"]: {"M2B-B4"},
	["aws", "iam", "roles", "arn:aws:iam::123456789012:role/nodes", "inline_policies"]: {"M2B-B4"},
	["aws", "iam", "roles", "arn:aws:iam::123456789012:role/base", "role"]: {"M2B-B4", "M2C-B4", "M2E-B6"},
	["aws", "iam", "roles", "arn:aws:iam::123456789012:role/base", "attached_policies"]: {"M2B-B4", "M2C-B4"},
	["aws", "iam", "roles", "arn:aws:iam::123456789012:role/base", "inline_policies"]: {"M2B-B4", "M2C-B4"},
	["aws", "tagging", "inventories", "fraud-platform", "resources"]: {"M2B-B4"},
}

test_each_unreadable_fact_turns_exactly_its_readers_red if {
	unread := fixture.unread(_decides, _lanes)
	{at: fixture.codes_of(blocking) | some at, blocking in unread} == _decides
	unread == {at: fixture.readers(at, _lanes, "unreadable") | some at, _ in _decides}
}

# These are read only once something was applied.
test_an_unreadable_apply_blocks if {
	fixture.codes(fixture.unreadable(_applied(0, _digest, 0), _at(["apply"])), _lanes) == {"M2B-B2", "M2B-B5"}
}

test_an_unreadable_plan_after_the_apply_blocks if {
	fixture.blockers_of(fixture.unreadable(_applied(0, _digest, 0), _at(["post_apply_plan"])), _lanes) == {
		["M2B-B4", "core", "the last plan shows no changes", "unreadable"],
	}
}

test_a_tag_without_an_expected_value_is_not_pinned if {
	document := fixture.without(_ready, ["handles", "TAG_OWNER_KEY", "expected_tag_value"])
	found := {[blocker[0], blocker[3]] | some blocker in fixture.blockers_of(document, _lanes)}
	found == {["M2B-B4", "unpinned"]}
}

test_each_unpinned_handle_blocks if {
	codes := {name: fixture.codes(fixture.pinned(_ready, name, "TO_PIN"), _lanes) |
		some name in [
			"S3_EVIDENCE_BUCKET", "KMS_KEY_ALIAS_PLATFORM", "MSK_CLIENT_SUBNET_IDS", "PROJECT_SLUG",
			"ROLE_EKS_NODEGROUP_DEV_FULL", "S3_BUCKET_ENCRYPTION_ENABLED", "TF_STACK_CORE_DIR",
		]
	}
	codes == {
		"S3_EVIDENCE_BUCKET": {"M2B-B3", "M2B-B4", "M2B-B5"},
		"KMS_KEY_ALIAS_PLATFORM": {"M2B-B3", "M2B-B4", "M2B-B5"},
		"MSK_CLIENT_SUBNET_IDS": {"M2B-B3", "M2B-B4"},
		"PROJECT_SLUG": {"M2B-B4", "M2C-B6"},
		"ROLE_EKS_NODEGROUP_DEV_FULL": {"M2B-B3", "M2B-B4", "M2B-B5", "M2E-B6", "M2E-B7"},
		"S3_BUCKET_ENCRYPTION_ENABLED": {"M2B-B4"},
		"TF_STACK_CORE_DIR": {"M2A-B3", "M2A-B4", "M2A-B5", "M2B-B1", "M2B-B2", "M2B-B3", "M2B-B4", "M2B-B5"},
	}
}
