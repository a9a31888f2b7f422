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

_check(facts, actual) := {"subject": "s", "claim": "c", "ok": true, "facts": facts, "actual": actual}

test_a_row_shows_what_was_found_where_that_lasts if {
	lasting := [
		["/handles/NAME/value"],
		["/aws/s3/buckets/b/location", "/handles/NAME/value"],
		["/terraform/stacks/core/outputs/value/x/value"],
	]
	every facts in lasting {
		report.row_of("M2A-B1", _check(facts, {"x": 1})) == ["M2A-B1", "s", "c", true, {"x": 1}]
	}
	passing := [[], ["/aws/x", "/run/collected_at"], ["/terraform/stacks/core/state/value/serial"], ["/receipts/x"]]
	every facts in passing {
		report.row_of("M2A-B1", _check(facts, 1)) == ["M2A-B1", "s", "c", true, null]
	}
	every actual in ["redacted:hmac-sha256:00", ["x", {"y": "redacted:hmac-sha256:00"}]] {
		report.row_of("M2A-B1", _check(["/aws/x"], actual)) == ["M2A-B1", "s", "c", true, null]
	}
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

test_what_the_evaluator_says_is_passed_on if {
	verdict := {"status": "PASS", "next_gate": "M2.B_READY", "blocked_by": ["M2.X"], "reasons": ["r"], "blockers": []}
	evaluator := {
		"verdict": {"lanes": {"M2.A": verdict}, "reasons": ["run"]},
		"contract_overrides": ["o"],
		"waived": [{"code": "M2A-B5", "subject": "s"}],
	}
	summary := report.execution_summary("M2.A") with input as _document with data.factgate as evaluator
	[summary.overall_pass, summary.next_gate, summary.blocked_by, summary.reasons, summary.contract_overrides] == [
		true, "M2.B_READY", ["M2.X"], ["r"], ["o"],
	]
	register := report.blocker_register("M2.A") with input as _document with data.factgate as evaluator
	register.blocked_by == ["M2.X"]
	report.waived == {["M2A-B5", "s"]} with data.factgate as evaluator
	report.reasons == ["run"] with data.factgate as evaluator
}

test_a_lane_that_nobody_judged_opens_no_gate if {
	summary := report.execution_summary("M2.A") with input as _document
	[summary.next_gate, summary.blocked_by, summary.reasons] == ["BLOCKED", [], []]
}

test_blockers_are_classed if {
	verdict := {"lanes": {"M2.A": {"blockers": [
		{"code": "M2A-B2", "taxonomy": "M2-B1"},
		{"code": "M2A-B4", "taxonomy": "M2-B2"},
		{"code": "M2A-B1", "taxonomy": "M2-B1"},
	]}}}
	classes := report.taxonomy(["M2.A"]) with input as _document with data.factgate as {"verdict": verdict}
	open := {class: codes | some class, codes in classes; codes != []}
	open == {"M2-B1": ["M2A-B1", "M2A-B2"], "M2-B2": ["M2A-B4"]}
}

test_outputs_of_a_rehearsal_do_not_last if {
	report.row_of("M2I-B4", _check(["/rehearsal/post_recovery/ops/outputs/x"], 1)) == ["M2I-B4", "s", "c", true, null]
}
