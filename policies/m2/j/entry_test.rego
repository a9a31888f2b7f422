package m2.j_test

import data.lib.fixture_test as fixture

_row_of(lane, factgate) := found if {
	found := data.m2.j._matrix_row(lane) with input as _packed with data.factgate as factgate
}

test_a_lane_without_a_verdict_is_blocked_in_the_matrix if {
	row := _row_of("M2.B", {})
	[row.title, row.status, row.blocked_by, row.next_gate, row.dod] == [null, "BLOCKED", [], "BLOCKED", []]
}

test_a_row_of_the_matrix_shows_verdict_and_pack if {
	verdict := {"title": "t", "status": "PASS", "blocked_by": ["M2.A"], "next_gate": "M2.C_READY", "definition_of_done": ["i"]}
	row := _row_of("M2.B", {"verdict": {"lanes": {"M2.B": verdict}}})
	[row.title, row.status, row.blocked_by, row.next_gate, row.dod] == ["t", "PASS", ["M2.A"], "M2.C_READY", ["i"]]
	[row.evidence.path, row.evidence.manifest_digest] == ["runs/dev_substrate/dev_full/m2/m2b_20260222T104011Z", "sha256:88"]
}

_two_open := {"verdict": {"lanes": {"M2.C": {"blockers": [
	{"code": "M2C-B4", "severity": "S1"},
	{"code": "M2C-B5", "severity": "S2"},
	{"code": "M2C-B7", "severity": "S2", "waived": {"owner": "o"}},
]}}}}

test_open_and_waived_blockers_are_told_apart if {
	found := data.m2.j._adjudication with input as _ready with data.factgate as _two_open
	[found.open_count, found.waived_count, found.open_by_severity] == [2, 1, {"S1": 1, "S2": 1}]
	[blocker.code | some blocker in found.open] == ["M2C-B4", "M2C-B5"]
	[blocker.code | some blocker in found.waived] == ["M2C-B7"]
}

_entry(approvals, factgate) := [is_ready, gate] if {
	is_ready := data.m2.j._is_entry_ready with input as _ready
		with data.factgate as factgate
		with data.contract.m2.rollup.approvals as approvals
	gate := data.m2.j._entry_gate with input as _ready
		with data.factgate as factgate
		with data.contract.m2.rollup.approvals as approvals
}

test_entry_needs_an_approval_of_every_kind_and_one_at_least if {
	_entry(["m3_handoff"], _passing) == [true, "M2_DONE_M3_READY"]
	_entry([], _passing) == [false, "BLOCKED"]
	_entry(["m3_handoff", "another"], _passing) == [false, "BLOCKED"]
	nameless := {"verdict": {"lanes": {"M2.J": {"status": "PASS"}}}}
	_entry(["m3_handoff"], nameless) == [true, "BLOCKED"]
}

_fault(document) := found if {
	found := data.m2.j._approval_fault("m2_go_ahead") with input as document
}

test_a_file_behind_a_strange_receipt_is_not_on_record if {
	_fault(_ready) == null
	_fault(fixture.put(_ready, ["receipts", "file.approval/m2_go_ahead", "kind"], "hearsay")) == "its file is not on record"
}

test_a_lane_without_evidence_has_none_that_came_before_an_approval if {
	_fault(fixture.absent(_ready, ["evidence", "M2.B"])) == null
}

test_a_code_without_checks_is_a_fault_of_the_evidence if {
	checks := data.m2.j.b8 with input as _ready with data.m2.j._rules as {"M2.B": {"M2B-B1": set()}}
	found := {[check.cause, check.actual] | some check in checks; check.claim == "every code of the lane has its checks"}
	found == {["evidence", ["M2B-B1"]]}
}
