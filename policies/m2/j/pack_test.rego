package m2.j_test

import data.lib.fixture_test as fixture

_altered(error) := fixture.put(_ready, ["evidence", "M2.B"], error)

test_a_pack_is_altered_if_it_was_read_and_is_malformed if {
	malformed := {"code": "Malformed", "kind": "malformed"}
	found := {name: is_altered |
		some name, observation in {
			"malformed": {"status": "unreadable", "error": malformed},
			"denied": {"status": "unreadable", "error": {"code": "AccessDenied", "kind": "denied"}},
			"present": {"status": "present", "value": {"origin": "run"}, "error": malformed},
		}
		is_altered := data.m2.j._is_altered("M2.B") with input as _altered(observation)
	}
	found == {"malformed": true, "denied": false, "present": false}
}

_pack_faults(document) := found if {
	found := data.m2.j._faults("M2.B") with input as document
}

test_each_fault_of_a_pack_is_told if {
	_pack_faults(_packed) == []
	_pack_faults(_ready) == []
	every field in ["phase_execution_id", "generated_at_utc", "path"] {
		_pack_faults(fixture.put(_packed, _pack([field]), " ")) == [sprintf("it does not say its %v", [field])]
	}
	_pack_faults(fixture.without(_packed, _pack(["manifest_digest"]))) == [
		"it does not say its manifest_digest",
		"no receipt has the digest of its manifest",
	]
	_pack_faults(fixture.put(_packed, _pack(["manifest_digest"]), "sha256:00")) == ["no receipt has the digest of its manifest"]
	_pack_faults(fixture.put(_packed, ["receipts", "file.evidence/M2.B", "kind"], "hearsay")) == [
		"file.evidence/M2.B is of an unknown kind",
	]
}

_head_digests(receipt) := found if {
	document := fixture.put(_packed, ["receipts", "file.evidence/M2.B"], receipt)
	found := data.m2.j._recorded_digests(data.m2.j._evidence("M2.B", [])) with input as document
}

test_only_digests_are_on_record if {
	_head_digests({"kind": "file", "digest": "sha256:88"}) == {"sha256:88"}
	_head_digests({"kind": "file"}) == set()
	_head_digests({"kind": "file", "digest": null}) == set()
	_head_digests("sha256:88") == set()
}

# Packs that are not as they should be, and what is said of them.
_disagreeing := {
	"nothing": {"at": [], "value": _packed.evidence["M2.B"].value, "told": []},
	"another lane in the summary": {"at": ["summary", "lane"], "value": "M2.C", "told": [
		"the lane of summary and register differ",
		"the summary is of another lane",
	]},
	"another run in the register": {
		"at": ["register", "phase_execution_id"],
		"value": "m2b_x",
		"told": ["the phase execution id of summary and register differ"],
	},
	"another time in the summary": {"at": ["summary", "generated_at_utc"], "value": "2026-02-22T10:40:12Z", "told": [
		"the generated at utc of summary and register differ",
		"the summary's generated at utc is not the pack's",
	]},
	"another time of the pack": {
		"at": ["generated_at_utc"],
		"value": "2026-02-22T10:40:12Z",
		"told": ["the summary's generated at utc is not the pack's"],
	},
	"other facts": {
		"at": ["register", "facts_digest"],
		"value": "x",
		"told": ["the facts digest of summary and register differ"],
	},
	"other policies": {
		"at": ["register", "policies_digest"],
		"value": "x",
		"told": ["the policies digest of summary and register differ"],
	},
	"another count": {
		"at": ["register", "blocker_count"],
		"value": 1,
		"told": ["the blocker count of summary and register differ"],
	},
	"not passed": {"at": ["summary", "overall_pass"], "value": "true", "told": ["the lane did not pass"]},
	"no gate": {
		"at": ["summary", "next_gate"],
		"value": "BLOCKED",
		"told": ["the lane passed and opens no gate, or was blocked"],
	},
	"nothing done": {
		"at": ["summary", "dod", 0, "done"],
		"value": false,
		"told": ["the definition of done is not met"],
	},
	"an endpoint": {
		"at": ["summary", "endpoint_url"],
		"value": "http://127.0.0.1:1",
		"told": ["the pack was read through another endpoint"],
	},
	"another folder": {"at": ["phase_execution_id"], "value": "m2c_20260222T104011Z", "told": [
		"the pack's folder is of another lane",
		"the summary's phase execution id is not the pack's",
	]},
	"no folder": {"at": ["phase_execution_id"], "value": null, "told": [
		"the pack's folder is of another lane",
		"the summary's phase execution id is not the pack's",
	]},
	"other codes": {
		"at": ["register", "blockers"],
		"value": [{"code": "M2B-B1"}],
		"told": ["summary and register name other codes"],
	},
	"codes that were waived": {
		"at": ["register", "blockers"],
		"value": [{"code": "M2B-B1", "waived": {"owner": "o"}}],
		"told": [],
	},
	"blockers that are none": {"at": ["register", "blockers"], "value": ["M2B-B1"], "told": []},
	"no blockers": {
		"at": ["register", "blockers"],
		"value": null,
		"told": ["summary and register name other codes"],
	},
}

_disagreements(document) := found if {
	found := data.m2.j._disagreements("M2.B") with input as document
}

test_each_disagreement_within_a_pack_is_told if {
	found := {name: _disagreements(fixture.put(_packed, _pack(case.at), case.value)) | some name, case in _disagreeing}
	found == {name: case.told | some name, case in _disagreeing}
	_disagreements(_ready) == []
}

# The endpoint of the run is that of the pack.
test_a_pack_and_a_run_share_their_endpoint if {
	emulated := fixture.put(_packed, ["run", "endpoint_url"], "http://127.0.0.1:1")
	_disagreements(emulated) == ["the pack was read through another endpoint"]
	_disagreements(fixture.put(emulated, _pack(["summary", "endpoint_url"]), "http://127.0.0.1:1")) == []
}

test_the_codes_of_a_register_are_told_once_and_in_order if {
	blockers := [{"code": "M2B-B2"}, {"code": "M2B-B1"}, {"code": "M2B-B2"}, {"code": "M2B-B3", "waived": {}}, 7]
	found := data.m2.j._register_codes("M2.B") with input as fixture.put(_packed, _pack(["register", "blockers"]), blockers)
	found == ["M2B-B1", "M2B-B2"]
}

_opens_gate(changes) := found if {
	document := fixture.put(_packed, _pack(["summary"]), object.union(_packed.evidence["M2.B"].value.summary, changes))
	found := data.m2.j._opens_gate("M2.B") with input as document
}

test_a_pack_opens_a_gate_if_it_names_one_and_nothing_blocked_it if {
	_opens_gate({})
	_opens_gate({"next_gate": "M2.C_READY"})
	every changes in [
		{"next_gate": "BLOCKED"},
		{"next_gate": ""},
		{"next_gate": null},
		{"next_gate": 7},
		{"blocked_by": ["M2.A"]},
		{"blocked_by": null},
	] {
		_opens_gate(changes) == false
	}
}

test_a_definition_of_done_is_met_if_every_item_is if {
	items := {
		"all": [{"done": true}, {"done": true}],
		"not all": [{"done": true}, {"done": false}],
		"unknown": [{"done": true}, {}],
		"a text": [{"done": "true"}],
		"no item": [7],
		"no list": {"a": {"done": true}},
		"nothing": null,
	}
	{name | some name, item in items; data.m2.j._is_done(item)} == {"all"}
	{name | some name, item in items; data.m2.j._is_done(item) == false} == object.keys(items) - {"all"}
}

_is_steady(document, rows) := found if {
	found := data.m2.j._is_steady("M2.B") with input as document
		with data.m2.j._rows as {"M2.B": rows}
}

test_a_pack_is_steady_if_its_checks_came_out_as_today if {
	row := ["M2B-B1", "x", "c", true, null]
	one := fixture.put(_packed, _pack(["summary", "checks"]), [row])
	_is_steady(one, [row])
	_is_steady(_ready, [])
	every case in [
		{"document": one, "rows": []},
		{"document": one, "rows": [row, ["M2B-B2", "x", "c", true, null]]},
		{"document": fixture.put(_packed, _pack(["summary", "checks"]), []), "rows": []},
		{"document": fixture.put(_packed, _pack(["summary", "checks"]), null), "rows": []},
		{"document": fixture.put(one, _pack(["origin"]), "elsewhere"), "rows": [row]},
	] {
		_is_steady(case.document, case.rows) == false
	}
}

_drift_cause(document, rules, rows) := found if {
	found := data.m2.j._drift_cause("M2.B") with input as document
		with data.m2.j._rules as {"M2.B": rules}
		with data.m2.j._rows as {"M2.B": rows}
}

_found(cause) := {"M2B-B1": {{"subject": "x", "claim": "c", "cause": cause, "ok": cause == "none"}}}

test_what_could_not_be_read_has_not_drifted if {
	then := fixture.put(_packed, _pack(["summary", "checks"]), [["M2B-B1", "x", "c", true, null]])
	today := [["M2B-B1", "x", "c", false, null]]
	_drift_cause(then, _found("unreadable"), today) == "unreadable"
	_drift_cause(then, _found("violated"), today) == "violated"
	_drift_cause(then, _found("unreadable"), array.concat(today, [["M2B-B1", "y", "c", true, null]])) == "violated"
	_drift_cause(then, _found("unreadable"), [["M2B-B1", "x", "c", true, null]]) == "violated"
	strange := fixture.put(_packed, _pack(["summary", "checks"]), ["M2B-B1", ["M2B-B1", "x", "c", true, null]])
	_drift_cause(strange, _found("unreadable"), today) == "unreadable"
	altered := _altered({"status": "unreadable", "error": {"kind": "malformed"}})
	_drift_cause(altered, _found("unreadable"), today) == "evidence"
}

_is_fresh(origin, generated) := found if {
	document := fixture.put(fixture.put(_packed, _pack(["origin"]), origin), _pack(["generated_at_utc"]), generated)
	found := data.m2.j._is_fresh("M2.B") with input as document
}

test_evidence_is_fresh_if_it_is_of_this_run_or_a_young_pack if {
	_is_fresh("run", "2020-02-22T10:40:11Z")
	_is_fresh("pack", "2026-02-22T10:40:11Z")
	_is_fresh("pack", "2020-02-22T10:40:11Z") == false
	_is_fresh("elsewhere", "2026-02-22T10:40:11Z") == false
}

test_what_keeps_a_claim_is_the_weightiest_cause if {
	data.m2.j._weightiest({"unreadable", "violated"}) == "violated"
	data.m2.j._weightiest({"unreadable", "absent", "unpinned"}) == "absent"
	data.m2.j._weightiest({"unreadable", "evidence", "unpinned"}) == "unpinned"
	data.m2.j._weightiest({"unreadable", "evidence"}) == "evidence"
	data.m2.j._weightiest({"unreadable"}) == "unreadable"
	data.m2.j._weightiest(set()) == "evidence"
}

test_a_code_without_checks_holds_nothing if {
	data.m2.j._holds({{"ok": true}}, [])
	data.m2.j._holds({{"ok": true}, {"ok": false}}, [{"ok": false}]) == false
	data.m2.j._holds(set(), []) == false
}

_runtime_of(observation) := {"is": is_flink, "told": told} if {
	ref := {"subject": "x", "at": ["x"], "field": ["RuntimeEnvironment"], "handles": [], "may_be_absent": true}
	is_flink := data.m2.j._is_flink(ref) with input as {"x": observation}
	told := data.m2.j._runtime(ref) with input as {"x": observation}
}

test_an_application_is_managed_flink_or_is_not_there if {
	_runtime_of({"status": "present", "value": {"RuntimeEnvironment": "FLINK-1_20"}}) == {"is": true, "told": "FLINK-1_20"}
	_runtime_of({"status": "present", "value": {"RuntimeEnvironment": "SQL-1_0"}}) == {"is": false, "told": "SQL-1_0"}
	_runtime_of({"status": "present", "value": {"RuntimeEnvironment": 7}}) == {"is": false, "told": 7}
	_runtime_of({"status": "absent", "error": {"kind": "not_found"}}) == {"is": true, "told": "absent"}
	_runtime_of({"status": "unreadable", "error": {"kind": "denied"}}) == {"is": false, "told": "unreadable"}
}
