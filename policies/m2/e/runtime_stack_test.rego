package m2.e_test

import data.lib.fixture_test as fixture

# The lanes that read what the tables damage by contract; the whole gate has tables of its own.
_lanes := {"M2A", "M2B", "M2C", "M2E"}

_ready := data.lib.fixture_test.ready

_flink := ["aws", "iam", "roles", "arn:aws:iam::123456789012:role/flink"]

_base := ["aws", "iam", "roles", "arn:aws:iam::123456789012:role/base"]

_trust := array.concat(_flink, ["role", "value", "AssumeRolePolicyDocument", "Statement"])

_policies := array.concat(_flink, ["inline_policies", "value", "Policies"])

_cluster := ["aws", "eks", "clusters", "platform", "cluster"]

_runtime(path) := array.concat(["terraform", "stacks", "runtime"], path)

_with(name, value) := fixture.pinned(_ready, name, value)

_allow(actions, resources) := {"Effect": "Allow", "Action": actions, "Resource": resources}

_holding(statements) := fixture.put(_ready, array.concat(_policies, [0, "Document", "Statement"]), statements)

_trusting(principal) := fixture.put(_ready, _trust, [{
	"Effect": "Allow",
	"Action": "sts:AssumeRole",
	"Principal": principal,
}])

_trusts_others := {["M2E-B3", "ROLE_FLINK_EXECUTION", "it trusts its own service and nobody else", "violated"]}

_boundless := {["M2E-B3", "ROLE_FLINK_EXECUTION", "no statement allows everything on everything", "violated"]}

_no_cluster(cause) := {["M2E-B6", "EKS_CLUSTER_NAME", "the cluster is active, where it is used", cause]}

_not_allowed(name) := {["M2E-B5", name, "it is pinned as the contract allows", "violated"]}

_evidence := "PHASE_RUNTIME_PATH_EVIDENCE_PATH_PATTERN"

_wrong_pattern := {["M2E-B5", _evidence, "it gives every execution a file of its own", "violated"]}

# What a damage must turn red, and nothing else.
_damaged := {
	"a skeleton": {
		"document": fixture.put(_ready, _runtime(["state", "value", "managed_resources"]), []),
		"expected": {["M2E-B1", "runtime", "the state holds managed resources", "violated"]},
	},
	"a plan left dirty": {
		"document": fixture.put(
			fixture.put(_ready, _runtime(["plan", "value", "exit_code"]), 2),
			["receipts", "terraform.plan/runtime", "exit_code"],
			2,
		),
		"expected": {["M2E-B2", "runtime", "every planned change is applied", "violated"]},
	},
	"outputs that the state does not know": {
		"document": fixture.put(_ready, _runtime(["state", "value", "outputs"]), ["apigw_ig_api_id"]),
		"expected": {["M2E-B7", "runtime", "terraform output and the state name the same outputs", "evidence"]},
	},
	"no role": {
		"document": fixture.absent(_ready, array.concat(_flink, ["role"])),
		"expected": {
			["M2E-B3", "ROLE_FLINK_EXECUTION", "AWS knows the role", "absent"],
			["M2E-B3", "ROLE_FLINK_EXECUTION", "it trusts its own service and nobody else", "absent"],
		},
	},
	"an answer about another role": {
		"document": fixture.put(_ready, array.concat(_flink, ["role", "value", "Arn"]), "arn:other"),
		"expected": {["M2E-B3", "ROLE_FLINK_EXECUTION", "AWS knows the role", "violated"]},
	},
	"a role that trusts another service": {
		"document": _trusting({"Service": "lambda.amazonaws.com"}),
		"expected": _trusts_others,
	},
	"a role that trusts another service, too": {
		"document": _trusting({"Service": ["kinesisanalytics.amazonaws.com", "lambda.amazonaws.com"]}),
		"expected": _trusts_others,
	},
	"a role that trusts an account, too": {
		"document": _trusting({"Service": "kinesisanalytics.amazonaws.com", "AWS": "123456789012"}),
		"expected": _trusts_others,
	},
	"a role that trusts anyone": {"document": _trusting("*"), "expected": _trusts_others},
	"a role that trusts nobody": {"document": fixture.put(_ready, _trust, []), "expected": _trusts_others},
	"a trust policy that cannot be understood": {
		"document": fixture.put(_ready, array.concat(_flink, ["role", "value", "AssumeRolePolicyDocument"]), "x"),
		"expected": _trusts_others,
	},
	"a role without a trust policy": {
		"document": fixture.without(_ready, array.concat(_flink, ["role", "value", "AssumeRolePolicyDocument"])),
		"expected": _trusts_others,
	},
	"a role that may do everything": {
		"document": _holding([_allow("logs:*", "*"), _allow("*", "*")]),
		"expected": _boundless,
	},
	"an attached policy that allows everything": {
		"document": fixture.put(_ready, array.concat(_flink, ["attached_policies", "value", "AttachedPolicies"]), [{
			"PolicyName": "AdministratorAccess",
			"Document": {"Statement": _allow("*", "*")},
		}]),
		"expected": _boundless,
	},
	"a policy without a document": {
		"document": fixture.put(_ready, _policies, [{"PolicyName": "x"}]),
		"expected": _boundless,
	},
	"a policy that is malformed": {"document": fixture.put(_ready, _policies, ["x"]), "expected": _boundless},
	"a role without policies": {"document": fixture.put(_ready, _policies, []), "expected": set()},
	"a service's every action on everything": {"document": _holding([_allow("logs:*", "*")]), "expected": set()},
	"an EKS role that AWS reports under another ARN": {
		"document": _with("ROLE_EKS_EXTRA", "arn:aws:iam::123456789012:role/flink-2"),
		"expected": {["M2E-B6", "ROLE_EKS_EXTRA", "AWS knows the role", "unreadable"]} | {
			["M2E-B7", "ROLE_EKS_EXTRA", sprintf("the receipts of %v are there and agree with it", [aspect]), "evidence"] |
			some aspect in ["role", "attached policies", "inline policies"]
		},
	},
	"an EKS role that is still open": {
		"document": _with("ROLE_EKS_EXTRA", "TO_PIN"),
		"expected": {["M2E-B6", "ROLE_EKS_EXTRA", "AWS knows the role", "unpinned"]} | {
			["M2E-B7", "ROLE_EKS_EXTRA", sprintf("the receipts of %v are there and agree with it", [aspect]), "unpinned"] |
			some aspect in ["role", "attached policies", "inline policies"]
		},
	},
	"a name that the registry only mentions": {
		"document": fixture.put(_ready, ["handles", "ROLE_EKS_IRSA_IG"], {"line": 1}),
		"expected": set(),
	},
	"a cluster being made": {
		"document": fixture.put(_ready, array.concat(_cluster, ["value", "cluster", "status"]), "CREATING"),
		"expected": _no_cluster("violated"),
	},
	"a cluster of another ARN": {
		"document": fixture.put(_ready, array.concat(_cluster, ["value", "cluster", "arn"]), "arn:other"),
		"expected": {["M2E-B6", "EKS_CLUSTER_ARN", "the cluster has the ARN, where it is used", "violated"]},
	},
	"no cluster": {
		"document": fixture.absent(_ready, _cluster),
		"expected": _no_cluster("absent") | {
			["M2E-B6", "EKS_CLUSTER_ARN", "the cluster has the ARN, where it is used", "absent"],
		},
	},
	"no cluster, and none used": {
		"document": fixture.pinned(
			fixture.pinned(fixture.absent(_ready, _cluster), "RUNTIME_EKS_USE_POLICY", "none"),
			"EKS_CLUSTER_ARN",
			"TO_PIN",
		),
		"expected": set(),
	},
	"no cluster, and nobody knows whether one is used": {
		"document": fixture.pinned(fixture.absent(_ready, _cluster), "RUNTIME_EKS_USE_POLICY", "sometimes"),
		"expected": _not_allowed("RUNTIME_EKS_USE_POLICY") | _no_cluster("absent") | {
			["M2E-B6", "EKS_CLUSTER_ARN", "the cluster has the ARN, where it is used", "absent"],
		},
	},
	"two paths in a phase": {
		"document": _with("PHASE_RUNTIME_PATH_MODE", "any"),
		"expected": _not_allowed("PHASE_RUNTIME_PATH_MODE"),
	},
	"a path that need not be pinned": {
		"document": _with("PHASE_RUNTIME_PATH_PIN_REQUIRED", false),
		"expected": _not_allowed("PHASE_RUNTIME_PATH_PIN_REQUIRED"),
	},
	"a switch as text": {
		"document": _with("PHASE_RUNTIME_PATH_PIN_REQUIRED", "true"),
		"expected": _not_allowed("PHASE_RUNTIME_PATH_PIN_REQUIRED"),
	},
	"a switch within a phase": {
		"document": _with("RUNTIME_PATH_SWITCH_IN_PHASE_ALLOWED", true),
		"expected": _not_allowed("RUNTIME_PATH_SWITCH_IN_PHASE_ALLOWED"),
	},
	"a fallback within an execution": {
		"document": _with("RUNTIME_FALLBACK_REQUIRES_NEW_PHASE_EXECUTION_ID", false),
		"expected": _not_allowed("RUNTIME_FALLBACK_REQUIRES_NEW_PHASE_EXECUTION_ID"),
	},
	"another edge by default than the edge's own": {
		"document": _with("RUNTIME_DEFAULT_INGRESS_EDGE", "eks"),
		"expected": _not_allowed("RUNTIME_DEFAULT_INGRESS_EDGE") | {
			["M2E-B5", "RUNTIME_DEFAULT_INGRESS_EDGE", "it agrees with IG_EDGE_MODE", "violated"],
		},
	},
	"evidence that every execution overwrites": {
		"document": _with(_evidence, "evidence/selection.json"),
		"expected": _wrong_pattern,
	},
	"evidence above its root": {
		"document": _with(_evidence, "../{phase_execution_id}/selection.json"),
		"expected": _wrong_pattern,
	},
}

test_each_damage_blocks_exactly_as_its_table_says if {
	found := {name: fixture.difference(damage.document, _lanes, damage.expected) | some name, damage in _damaged}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _damaged}
}

# The codes that an observation decides, when it cannot be read. The base role's also decide other lanes' codes.
_decides := {
	_runtime(["init"]): {"M2A-B3", "M2E-B2"},
	_runtime(["validate"]): {"M2E-B2"},
	_runtime(["plan"]): {"M2E-B2"},
	_runtime(["outputs"]): {"M2E-B2", "M2E-B7"},
	_runtime(["state"]): {"M2E-B1", "M2E-B7"},
	array.concat(_flink, ["role"]): {"M2E-B3"},
	array.concat(_flink, ["attached_policies"]): {"M2E-B3"},
	array.concat(_flink, ["inline_policies"]): {"M2E-B3"},
	array.concat(_base, ["role"]): {"M2B-B4", "M2C-B4", "M2E-B6"},
	_cluster: {"M2E-B6"},
	["aws", "apigatewayv2", "apis", "a1b2c3", "api"]: {"M2E-B4"},
	["aws", "apigatewayv2", "apis", "a1b2c3", "stages"]: {"M2E-B4"},
	["aws", "apigatewayv2", "apis", "a1b2c3", "routes"]: {"M2E-B4"},
	["aws", "apigatewayv2", "apis", "a1b2c3", "integrations"]: {"M2E-B4"},
	["aws", "lambda", "functions", "ig-handler", "configuration"]: {"M2E-B4"},
	["aws", "lambda", "functions", "ig-handler", "policy"]: {"M2E-B7"},
	["aws", "lambda", "functions", "ig-handler", "event_invoke_config"]: {"M2E-B7"},
	["aws", "eks", "clusters", "platform", "nodegroups"]: {"M2E-B7"},
	["aws", "dynamodb", "tables", "ig-idempotency", "table"]: {"M2E-B4"},
	["aws", "dynamodb", "tables", "ig-idempotency", "time_to_live"]: {"M2E-B4"},
}

test_each_unreadable_fact_turns_exactly_its_readers_red if {
	unread := fixture.unread(_decides, _lanes)
	{at: fixture.codes_of(blocking) | some at, blocking in unread} == _decides
	unread == {at: fixture.readers(at, _lanes, "unreadable") | some at, _ in _decides}
}

test_each_unpinned_handle_blocks if {
	codes := {name: {code | some code in fixture.codes(_with(name, "TO_PIN"), _lanes); startswith(code, "M2E")} |
		some name in [
			"ROLE_FLINK_EXECUTION", "ROLE_EKS_NODEGROUP_DEV_FULL", "EKS_CLUSTER_NAME", "EKS_CLUSTER_ARN", "IG_EDGE_MODE",
			"APIGW_IG_API_ID", "APIGW_IG_STAGE", "IG_INGEST_PATH", "LAMBDA_IG_HANDLER_NAME", "DDB_IG_IDEMPOTENCY_TABLE",
			"DDB_IG_IDEMPOTENCY_PARTITION_KEY", "DDB_IG_IDEMPOTENCY_TTL_FIELD", "PHASE_RUNTIME_PATH_MODE",
			"RUNTIME_EKS_USE_POLICY", "PHASE_RUNTIME_PATH_EVIDENCE_PATH_PATTERN", "TF_STACK_RUNTIME_DIR",
		]
	}
	codes == {
		"ROLE_FLINK_EXECUTION": {"M2E-B3", "M2E-B7"},
		"ROLE_EKS_NODEGROUP_DEV_FULL": {"M2E-B6", "M2E-B7"},
		"EKS_CLUSTER_NAME": {"M2E-B6", "M2E-B7"},
		"EKS_CLUSTER_ARN": {"M2E-B6"},
		"IG_EDGE_MODE": {"M2E-B4", "M2E-B5"},
		"APIGW_IG_API_ID": {"M2E-B4", "M2E-B7"},
		"APIGW_IG_STAGE": {"M2E-B4"},
		"IG_INGEST_PATH": {"M2E-B4"},
		"LAMBDA_IG_HANDLER_NAME": {"M2E-B4", "M2E-B7"},
		"DDB_IG_IDEMPOTENCY_TABLE": {"M2E-B4", "M2E-B7"},
		"DDB_IG_IDEMPOTENCY_PARTITION_KEY": {"M2E-B4"},
		"DDB_IG_IDEMPOTENCY_TTL_FIELD": {"M2E-B4"},
		"PHASE_RUNTIME_PATH_MODE": {"M2E-B5"},
		"RUNTIME_EKS_USE_POLICY": {"M2E-B5", "M2E-B6"},
		"PHASE_RUNTIME_PATH_EVIDENCE_PATH_PATTERN": {"M2E-B5"},
		"TF_STACK_RUNTIME_DIR": {"M2E-B1", "M2E-B2", "M2E-B7"},
	}
}
