package m2.d_test

import data.lib.fixture_test as fixture

_principals(row, part) := data.m2.d._principals(row, part)

test_nobody_stands_for_a_part_that_is_left_out if {
	row := {"owner": "ROLE_A", "producers": ["ROLE_B", "ROLE_C"], "consumers": []}
	_principals(row, "owner") == ["ROLE_A"]
	_principals(row, "producers") == ["ROLE_B", "ROLE_C"]
	_principals(row, "consumers") == [null]
	_principals({}, "owner") == [null]
	_principals({"owner": ["ROLE_A"]}, "owner") == [["ROLE_A"]]
	_principals({"producers": "ROLE_B"}, "producers") == [null]
	_principals({"producers": {"a": "ROLE_B"}}, "producers") == [null]
}

test_each_fault_of_a_principal_is_told if {
	found := {name: fault |
		some name, principal in {
			"nobody": null,
			"a number": 7,
			"anyone": " * ",
			"nothing": " ",
			"a stranger": "ROLE_NOBODY",
			"no role": "MSK_CLUSTER_ARN",
			"a role": "ROLE_FLINK_EXECUTION",
		}
		fault := data.m2.d._fault(principal) with input as _ready
	}
	found == {
		"nobody": "nobody",
		"a number": "no text",
		"anyone": "anonymous",
		"nothing": "anonymous",
		"a stranger": "no role handle of the registry",
		"no role": "no role handle of the registry",
		"a role": "none",
	}
}

_matrix(rows, name) := found if {
	rows_of := data.m2.d._rows_of(name) with input as _ready with data.contract.m2.topics.owners as rows
	astray := data.m2.d._astray with input as _ready with data.contract.m2.topics.owners as rows
	found := {"rows": count(rows_of), "astray": count(astray)}
}

test_a_row_belongs_to_a_topic_of_the_registry if {
	_matrix([_row, "strange", {"topic": 7}, {"topic": "MSK_CLUSTER_ARN"}, {}], "FP_BUS_AUDIT_V1") == {"rows": 1, "astray": 4}
	_matrix({"a": _row}, "FP_BUS_AUDIT_V1") == {"rows": 0, "astray": 0}
	_matrix("strange", "FP_BUS_AUDIT_V1") == {"rows": 0, "astray": 0}
}

_roles_of(row) := [routed, unrouted, strangers] if {
	document := fixture.pinned(_ready, "ROLE_LAMBDA_IG_EXECUTION", "TO_PIN")
	routed := data.m2.d._routed("FP_BUS_AUDIT_V1") with input as document with data.contract.m2.topics.owners as [row]
	unrouted := data.m2.d._unrouted("FP_BUS_AUDIT_V1") with input as document with data.contract.m2.topics.owners as [row]
	strangers := data.m2.d._strangers("FP_BUS_AUDIT_V1") with input as document with data.contract.m2.topics.owners as [row]
}

_closed := {
	"topic": "FP_BUS_AUDIT_V1",
	"owner": "ROLE_FLINK_EXECUTION",
	"producers": ["ROLE_FLINK_EXECUTION"],
	"consumers": ["ROLE_FLINK_EXECUTION"],
}

test_open_roles_of_every_part_are_routed_or_not if {
	open := "ROLE_LAMBDA_IG_EXECUTION"
	_roles_of(_closed) == [[], [], []]
	every change in [{"owner": open}, {"producers": [open]}, {"consumers": [open]}] {
		row := object.union(_closed, change)
		_roles_of(row) == [[], [open], []]
		_roles_of(object.union(row, {"routed_to": "M2.E"})) == [[open], [], []]
		_roles_of(object.union(row, {"routed_to": "M2.F"})) == [[], [open], []]
	}
	_roles_of(object.union(_closed, {"consumers": ["ROLE_NOBODY"]})) == [[], [], [{
		"as": "consumers",
		"principal": "ROLE_NOBODY",
		"fault": "no role handle of the registry",
	}]]
}

_told(document) := {observation.message | some observation in found} if {
	found := data.m2.d.observations with input as document
}

test_roles_and_topics_are_told_in_order if {
	document := fixture.pinned(fixture.pinned(_ready, "ROLE_STEP_FUNCTIONS_ORCHESTRATOR", "TO_PIN"), "ROLE_FLINK_EXECUTION", "TO_PIN")
	"roles that M2.E must still make: ROLE_FLINK_EXECUTION, ROLE_STEP_FUNCTIONS_ORCHESTRATOR" in _told(document)
	extra := fixture.put(
		_ready,
		["aws", "kafka", "clusters", _ready.handles.MSK_CLUSTER_ARN.value, "topics"],
		{"status": "present", "value": {"topics": [{"topicName": "fp.bus.y.v1"}, {"topicName": "fp.bus.x.v1"}]}, "receipts": []},
	)
	_told(extra) == {"topics of the bus that no handle names: fp.bus.x.v1, fp.bus.y.v1"}
}

test_a_probe_of_one_topic_is_a_probe if {
	refs := data.m2.d._probe_refs with input as _ready with data.m2.d._probed as ["FP_BUS_AUDIT_V1"]
	count(refs) == 1
	none := data.m2.d._probe_refs with input as _ready with data.m2.d._probed as []
	none == []
}
