package m2.d_test

import data.lib.fixture_test as fixture

# The lanes that read what the tables damage by contract; the whole gate has tables of its own.
_lanes := {"M2C", "M2D"}

_ready := data.lib.fixture_test.ready

_arn := "arn:aws:kafka:eu-west-2:123456789012:cluster/stream/5f3c"

_topics := ["aws", "kafka", "clusters", _arn, "topics"]

_state_machine := ["aws", "sfn", "state_machines", "run-orchestrator", "state_machine"]

_receipts := "SR_READY_COMMIT_RECEIPT_PATH_PATTERN"

_with(name, value) := fixture.pinned(_ready, name, value)

_misnamed := {["M2D-B1", "FP_BUS_RTDL_V1", "the topic's name is one of the bus", "violated"]}

_wrong_pattern := {["M2D-B5", _receipts, "it gives every run a receipt of its own", "violated"]}

_no_probe(cause) := {[
	"M2D-B6",
	"TOPIC_PROBE_POLICY_M2D",
	"no probe is required, or one finds every required topic",
	cause,
]}

_names := [_ready.handles[name].value | some name in data.contract.m2.topics.required]

# A run whose policy asks for the topics, and what the cluster answered.
_probed(names) := fixture.put(
	fixture.put(_with("TOPIC_PROBE_POLICY_M2D", "REQUIRED"), _topics, {
		"status": "present",
		"value": {"topics": [{"topicName": name} | some name in names]},
		"receipts": [sprintf("kafka.ListTopics/%v", [_arn])],
	}),
	["receipts", sprintf("kafka.ListTopics/%v", [_arn])],
	{"kind": "aws", "service": "kafka", "operation": "ListTopics", "parameters": {}, "http_status": 200},
)

# What a damage must turn red, and nothing else.
_damaged := {
	"a topic without a version": {"document": _with("FP_BUS_RTDL_V1", "fp.bus.rtdl"), "expected": _misnamed},
	"a topic of another bus": {"document": _with("FP_BUS_RTDL_V1", "xfp.bus.rtdl.v1"), "expected": _misnamed},
	"a topic with an empty part": {"document": _with("FP_BUS_RTDL_V1", "fp.bus..v1"), "expected": _misnamed},
	"a topic in capitals": {"document": _with("FP_BUS_RTDL_V1", "fp.bus.RTDL.v1"), "expected": _misnamed},
	"a topic with a wildcard": {"document": _with("FP_BUS_RTDL_V1", "fp.bus.*.v1"), "expected": _misnamed},
	"a topic that is no text": {"document": _with("FP_BUS_RTDL_V1", 1), "expected": _misnamed},
	"two required topics of one name": {
		"document": _with("FP_BUS_RTDL_V1", "fp.bus.audit.v1"),
		"expected": {
			["M2D-B1", "FP_BUS_RTDL_V1", "no other topic has the name", "violated"],
			["M2D-B1", "FP_BUS_AUDIT_V1", "no other topic has the name", "violated"],
		},
	},
	"a topic that the contract does not know, of a required name": {
		"document": _with("FP_BUS_EXTRA_V1", "fp.bus.audit.v1"),
		"expected": {["M2D-B1", "FP_BUS_AUDIT_V1", "no other topic has the name", "violated"]},
	},
	"another commit authority": {
		"document": _with("SR_READY_COMMIT_AUTHORITY", "flink"),
		"expected": {["M2D-B5", "SR_READY_COMMIT_AUTHORITY", "it is pinned to the contract's value", "violated"]},
	},
	"a receipt that need not name its execution": {
		"document": _with("SR_READY_RECEIPT_REQUIRES_SFN_EXECUTION_REF", false),
		"expected": {[
			"M2D-B5",
			"SR_READY_RECEIPT_REQUIRES_SFN_EXECUTION_REF",
			"it is pinned to the contract's value",
			"violated",
		]},
	},
	"no state machine": {
		"document": fixture.absent(_ready, _state_machine),
		"expected": {
			["M2D-B5", "SR_READY_COMMIT_STATE_MACHINE", "it leads to a state machine", "absent"],
			["M2D-B5", "SR_READY_COMMIT_STATE_MACHINE", "the state machine is active", "absent"],
		},
	},
	"a state machine being deleted": {
		"document": fixture.put(_ready, array.concat(_state_machine, ["value", "status"]), "DELETING"),
		"expected": {["M2D-B5", "SR_READY_COMMIT_STATE_MACHINE", "the state machine is active", "violated"]},
	},
	"an answer about another state machine": {
		"document": fixture.put(_ready, array.concat(_state_machine, ["value", "name"]), "other"),
		"expected": {["M2D-B5", "SR_READY_COMMIT_STATE_MACHINE", "it leads to a state machine", "violated"]},
	},
	"a receipt for all runs": {"document": _with(_receipts, "evidence/receipt.json"), "expected": _wrong_pattern},
	"a receipt of two placeholders": {
		"document": _with(_receipts, "evidence/{platform_run_id}/{phase_id}.json"),
		"expected": _wrong_pattern,
	},
	"a receipt that is a folder": {"document": _with(_receipts, "runs/{platform_run_id}/"), "expected": _wrong_pattern},
	"a receipt that is no text": {"document": _with(_receipts, true), "expected": _wrong_pattern},
	"an unknown probe policy": {
		"document": _with("TOPIC_PROBE_POLICY_M2D", "OPTIONAL"),
		"expected": _no_probe("violated"),
	},
	"a probe that was not made": {
		"document": _with("TOPIC_PROBE_POLICY_M2D", "REQUIRED"),
		"expected": _no_probe("unreadable"),
	},
	"a probe that may not list topics": {
		"document": fixture.unreadable(_with("TOPIC_PROBE_POLICY_M2D", "REQUIRED"), _topics),
		"expected": _no_probe("unreadable"),
	},
	"a probe that finds all topics": {"document": _probed(_names), "expected": set()},
	"a probe that finds all but one": {
		"document": _probed(array.slice(_names, 1, count(_names))),
		"expected": _no_probe("violated"),
	},
	"a probe that finds nothing": {"document": _probed([]), "expected": _no_probe("violated")},
	"a probe that answers with something else": {
		"document": fixture.put(_probed([]), array.concat(_topics, ["value", "topics"]), ["malformed", {}]),
		"expected": _no_probe("violated"),
	},
	"a registry that does not mention the probe policy": {
		"document": fixture.without(_ready, ["handles", "TOPIC_PROBE_POLICY_M2D"]),
		"expected": set(),
	},
	"a document that says nothing of topics": {
		"document": fixture.without(_ready, _topics),
		"expected": _no_probe("unreadable") | {[
			"M2D-B7",
			"MSK_CLUSTER_ARN",
			"the receipts of topics are there and agree with it",
			"evidence",
		]},
	},
}

test_each_damage_blocks_exactly_as_its_table_says if {
	found := {name: fixture.difference(damage.document, _lanes, damage.expected) | some name, damage in _damaged}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _damaged}
}

# A handle may pin the state machine's ARN, under which it then stands.
test_a_state_machine_may_be_pinned_by_its_arn if {
	arn := _ready.aws.sfn.state_machines["run-orchestrator"].state_machine.value.stateMachineArn
	document := json.patch(_with("SR_READY_COMMIT_STATE_MACHINE", arn), [
		{"op": "move", "from": ["aws", "sfn", "state_machines", "run-orchestrator"], "path": [
			"aws",
			"sfn",
			"state_machines",
			arn,
		]},
		{"op": "add", "path": ["receipts", sprintf("sfn.DescribeStateMachine/%v", [arn])], "value": object.union(
			_ready.receipts["sfn.DescribeStateMachine/run-orchestrator"],
			{"parameters": {"stateMachineArn": arn}},
		)},
		{"op": "add", "path": ["aws", "sfn", "state_machines", arn, "state_machine", "receipts"], "value": [sprintf(
			"sfn.DescribeStateMachine/%v",
			[arn],
		)]},
	])
	fixture.blockers_of(document, _lanes) == set()
}

# The codes of this lane that an observation decides, when it cannot be read. The first five are M2.C's, too.
_decides := {
	["aws", "kafka", "clusters", _arn, "cluster"]: {"M2C-B3", "M2C-B4", "M2D-B2"},
	["aws", "kafka", "clusters", _arn, "bootstrap_brokers"]: {"M2C-B3", "M2C-B4", "M2D-B2"},
	["aws", "ssm", "parameters", "/fraud-platform/dev_full/msk/bootstrap_brokers", "metadata"]: {"M2C-B4", "M2D-B2"},
	["aws", "ssm", "parameters", "/fraud-platform/dev_full/msk/bootstrap_brokers", "value"]: {"M2C-B4", "M2D-B2"},
	["aws", "glue", "registries", "schemas", "registry"]: {"M2C-B5", "M2D-B3"},
	_state_machine: {"M2D-B5"},
}

test_each_unreadable_fact_turns_exactly_its_readers_red if {
	unread := fixture.unread(_decides, _lanes)
	{at: fixture.codes_of(blocking) | some at, blocking in unread} == _decides
	unread == {at: fixture.readers(at, _lanes, "unreadable") | some at, _ in _decides}
}

test_each_unpinned_handle_blocks if {
	codes := {name: {code | some code in fixture.codes(_with(name, "TO_PIN"), _lanes); startswith(code, "M2D")} |
		some name in [
			"FP_BUS_AUDIT_V1", "MSK_CLUSTER_ARN", "MSK_BOOTSTRAP_BROKERS_SASL_IAM", "SSM_MSK_BOOTSTRAP_BROKERS_PATH",
			"GLUE_SCHEMA_REGISTRY_NAME", "TOPIC_PROBE_POLICY_M2D", "SR_READY_COMMIT_AUTHORITY",
			"SR_READY_COMMIT_STATE_MACHINE", "SR_READY_COMMIT_RECEIPT_PATH_PATTERN",
			"SR_READY_RECEIPT_REQUIRES_SFN_EXECUTION_REF",
		]
	}
	codes == {
		"FP_BUS_AUDIT_V1": {"M2D-B1", "M2D-B4"},
		"MSK_CLUSTER_ARN": {"M2D-B2", "M2D-B6", "M2D-B7"},
		"MSK_BOOTSTRAP_BROKERS_SASL_IAM": {"M2D-B2"},
		"SSM_MSK_BOOTSTRAP_BROKERS_PATH": {"M2D-B2", "M2D-B7"},
		"GLUE_SCHEMA_REGISTRY_NAME": {"M2D-B3", "M2D-B7"},
		"TOPIC_PROBE_POLICY_M2D": {"M2D-B6"},
		"SR_READY_COMMIT_AUTHORITY": {"M2D-B5"},
		"SR_READY_COMMIT_STATE_MACHINE": {"M2D-B5", "M2D-B7"},
		"SR_READY_COMMIT_RECEIPT_PATH_PATTERN": {"M2D-B5"},
		"SR_READY_RECEIPT_REQUIRES_SFN_EXECUTION_REF": {"M2D-B5"},
	}
}
