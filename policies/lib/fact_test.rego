package lib.fact_test

import data.lib.fact

_document := {"section": {
	"a/b~c": {
		"status": "present",
		"value": {"x": {"y": 1}, "none": null, "list": [1], "exit_code": 1},
		"fingerprints": {"/x": "fp"},
	},
	"absent": {"status": "absent", "error": {"code": "NoSuchThing", "kind": "not_found"}},
	"denied": {"status": "unreadable", "error": {"code": "AccessDenied", "kind": "denied", "action": "s:Get"}},
	"hung": {"status": "unreadable", "error": {"code": "Timeout", "kind": "timeout"}},
	"throttled": {"status": "unreadable", "error": {"code": "Throttled", "kind": "other", "message": "slow\ndown"}},
	"skipped": {"status": "not_collected", "reason": "out of scope"},
	"unexplained": {"status": "not_collected"},
	"malformed": {"status": "fine", "value": {"x": 1}},
	"text": "present",
	"silent": {"status": "present", "value": {"x": 1}},
}}

_ref(name, field) := {"at": ["section", name], "field": field, "handles": []}

_of_all(names) := {name: [fact.status(_ref(name, [])), fact.outcome(_ref(name, []))] | some name in names}

test_what_is_no_object_is_no_observation if {
	fact.observation(_ref("text", [])) == {} with input as _document
	fact.observation(_ref("hole", [])) == {} with input as _document
	fact.observation(_ref("malformed", [])).status == "fine" with input as _document
}

test_every_place_has_a_status_and_an_outcome if {
	names := object.keys(_document.section) | {"hole"}
	found := _of_all(names) with input as _document
	found == {
		"a/b~c": ["present", "present"],
		"absent": ["absent", "absent (NoSuchThing)"],
		"denied": ["unreadable", "unreadable (AccessDenied, needs s:Get)"],
		"hung": ["unreadable", "unreadable (Timeout)"],
		"throttled": ["unreadable", "unreadable (Throttled: slow; down)"],
		"skipped": ["not_collected", "not collected (out of scope)"],
		"unexplained": ["not_collected", "not collected (no reason given)"],
		"malformed": ["missing", "not in the fact document"],
		"text": ["missing", "not in the fact document"],
		"silent": ["present", "present"],
		"hole": ["missing", "not in the fact document"],
	}
}

test_values_are_total if {
	fields := [["x", "y"], ["none"], ["x", "y", "z"], ["not", "there"], []]
	values := [fact.value(_ref("a/b~c", field)) | some field in fields] with input as _document
	values == [1, null, null, null, _document.section["a/b~c"].value]
}

test_only_lists_are_listed if {
	refs := [_ref("a/b~c", ["list"]), _ref("a/b~c", ["x"]), _ref("hole", [])]
	lists := [fact.list(ref) | some ref in refs] with input as _document
	lists == [[1], [], []]
}

test_a_failed_command_answers_nothing if {
	ref := object.union(_ref("a/b~c", ["x"]), {"exit_codes": [0, 2]})
	[fact.reading(ref), fact.outcome(ref)] == ["failed", "the command failed (exit code 1)"] with input as _document
}

test_a_command_without_an_exit_code_answers_nothing if {
	ref := object.union(_ref("silent", ["x"]), {"exit_codes": [0]})
	fact.outcome(ref) == "the command failed (exit code unknown)" with input as _document
}

test_an_accepted_exit_code_is_an_answer if {
	fact.reading(object.union(_ref("a/b~c", ["x"]), {"exit_codes": [0, 1]})) == "present" with input as _document
}

test_unknown_lists_what_a_rule_may_not_rely_on if {
	refs := [
		_ref("a/b~c", []),
		_ref("denied", []),
		object.union(_ref("absent", []), {"may_be_absent": true}),
		object.union(_ref("denied", []), {"may_be_absent": true}),
		object.union(_ref("hole", []), {"any_status": true}),
		_ref("absent", []),
	]
	readings := [found.reading | some found in fact.unknown(refs)] with input as _document
	readings == ["unreadable", "unreadable", "absent"]
}

test_pointers_are_escaped if {
	fact.pointer(_ref("a/b~c", ["x"])) == "/section/a~1b~0c/value/x" with input as _document
}

test_pointers_to_what_is_not_there_stop_at_the_observation if {
	pointers := [fact.pointer(_ref(name, ["x"])) | some name in ["absent", "hole"]] with input as _document
	pointers == ["/section/absent", "/section/hole"]
}

test_places_behind_an_open_handle_are_not_named if {
	fact.is_named(_ref("x", []))
	not fact.is_named(_ref(null, []))
	not fact.is_named(_ref(["x"], []))
}

test_what_was_refused_is_not_known_to_be_absent if {
	every error in [{"code": "AccessDenied", "kind": "denied"}, {}, "NotFound"] {
		fact.status(_ref("absent", [])) == "unreadable" with input as json.patch(_document, [{
			"op": "replace",
			"path": array.concat(_ref("absent", []).at, ["error"]),
			"value": error,
		}])
	}
}

test_a_text_says_something if {
	every value in ["x", " x "] {
		fact.is_text(value)
	}
	every value in ["", " \n", 7, null, ["x"]] {
		fact.is_text(value) == false
	}
}

test_only_an_object_has_members if {
	[fact.members(value) | some value in [{"a": 1}, {}, "a", ["a"], null]] == [{"a": 1}, {}, {}, {}, {}]
}

test_fingerprints_stand_beside_the_value if {
	fingerprints := [fact.fingerprint(_ref("a/b~c", [field])) | some field in ["x", "list"]] with input as _document
	fingerprints == ["fp", null]
}

test_a_pointer_is_escaped_and_leaves_out_what_is_no_name if {
	data.lib.fact._joined(["aws", "a/b~c", null, 7, "d"]) == "/aws/a~1b~0c/d"
}
