package lib.report_test

import data.lib.report

_ref(name) := {"at": ["things", name], "field": ["x"], "handles": []}

_document := {
	"handles": {"NAME": {"value": "n", "line": 3}},
	"things": {
		"t": {"status": "present", "value": {"x": 1, "log": "long"}, "receipts": ["r/t", "r/u"]},
		"denied": {"status": "unreadable", "error": {"code": "AccessDenied"}, "receipts": []},
	},
	"receipts": {"r/t": {"kind": "file"}},
}

test_a_reading_is_the_observation_with_its_calls if {
	found := report.readings([_ref("t"), _ref("denied"), _ref("hole")]) with input as _document
	found == {
		"t": {
			"status": "present",
			"value": {"x": 1},
			"fact": "/things/t/value",
			"receipts": {"r/t": {"kind": "file"}, "r/u": null},
		},
		"denied": {
			"status": "unreadable",
			"error": {"code": "AccessDenied"},
			"fact": "/things/denied",
			"receipts": {},
		},
		"hole": {"status": "missing", "fact": "/things/hole", "receipts": {}},
	}
}

test_a_place_without_a_name_has_no_pointer if report.reading(_ref(null)).fact == null with input as _document

test_checks_are_sorted_and_summed_up if {
	found := report.checks({
		{"subject": "b", "claim": "x", "ok": true},
		{"subject": "a", "claim": "z", "ok": true},
		{"subject": "a", "claim": "y", "ok": false},
	})
	found.conforms == false
	[[check.subject, check.claim] | some check in found.checks] == [["a", "y"], ["a", "z"], ["b", "x"]]
}

test_no_checks_conform_to_nothing if report.checks(set()).conforms == false

test_without_the_evaluators_verdict_nothing_passes if {
	summary := report.execution_summary("M2.A") with input as _document
	[summary.overall_pass, summary.blockers, summary.tool] == [false, [], null]
}

test_a_waived_blocker_is_registered_and_blocks_nothing if {
	waived := {"code": "M2A-B5", "waived": {"owner": "o", "reason": "r", "expires_at": "2026-12-31T00:00:00Z"}}
	verdict := {"lanes": {"M2.A": {"blockers": [{"code": "M2A-B2"}, waived, {"code": "M2A-B2"}]}}}
	register := report.blocker_register("M2.A") with input as _document with data.factgate as {"verdict": verdict}
	summary := report.execution_summary("M2.A") with input as _document with data.factgate as {"verdict": verdict}
	[register.blocker_count, count(register.blockers)] == [1, 3]
	[summary.blocker_count, summary.blockers, summary.failed_check_count] == [1, ["M2A-B2"], 3]
}

test_handles_are_reported_with_their_lines if {
	report.handles(["NAME", "OTHER"]) == {"NAME": {"value": "n", "line": 3}, "OTHER": null} with input as _document
}
