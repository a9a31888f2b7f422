package lib.check_test

import data.lib.check

_document := {
	"handles": {
		"NAME": {"value": "n", "line": 1},
		"WANTED": {"value": 1, "line": 2},
		"OPEN": {"value": "TO_PIN", "line": 3},
	},
	"things": {
		"n": {"status": "present", "value": {"x": 1, "none": null}},
		"absent": {"status": "absent", "error": {"code": "NoSuchThing", "kind": "not_found"}},
		"denied": {"status": "unreadable", "error": {"code": "AccessDenied"}},
		"skipped": {"status": "not_collected", "reason": "out of scope"},
	},
}

_ref(name, field) := {"at": ["things", name], "field": field, "handles": ["NAME"]}

_unnamed := {"at": ["things", null], "field": ["x"], "handles": ["OPEN"]}

test_a_claim_that_holds_is_ok if {
	found := check.equals("NAME", "x is right", _ref("n", ["x"]), 1) with input as _document
	found == {
		"subject": "NAME",
		"claim": "x is right",
		"ok": true,
		"cause": "none",
		"expected": 1,
		"actual": 1,
		"facts": ["/handles/NAME/value", "/things/n/value/x"],
	}
}

test_a_claim_through_an_open_handle_names_the_handle if {
	found := check.equals("OPEN", "x is right", _unnamed, 1) with input as _document
	found == {
		"subject": "OPEN",
		"claim": "x is right",
		"ok": false,
		"cause": "unpinned",
		"expected": 1,
		"actual": "OPEN is not pinned",
		"facts": ["/handles/OPEN/value"],
	}
}

_causes := {
	"violated": check.equals("s", "c", _ref("n", ["x"]), 2),
	"a value that is null by itself": check.equals("s", "c", _ref("n", ["none"]), null),
	"absent": check.equals("s", "c", _ref("absent", ["x"]), 1),
	"denied": check.equals("s", "c", _ref("denied", ["x"]), 1),
	"not collected": check.equals("s", "c", _ref("skipped", ["x"]), 1),
	"missing": check.equals("s", "c", _ref("hole", ["x"]), 1),
	"compared with an open handle": check.equals_handle("s", "c", _ref("n", ["none"]), "OPEN"),
	"compared with a pinned handle": check.equals_handle("s", "c", _ref("n", ["x"]), "WANTED"),
	"an open handle before a denied fact": check.equals_handle("s", "c", _ref("denied", ["x"]), "OPEN"),
	"a firm absence before an unknown": _of([_ref("denied", []), _ref("absent", [])], true),
	"an unknown before a violation": _of([_ref("denied", []), _ref("n", [])], false),
	"there": check.exists("s", "c", _ref("n", [])),
	"not there": check.exists("s", "c", _ref("absent", [])),
	"known to be absent": check.known("s", "c", _ref("absent", [])),
	"not known": check.known("s", "c", _ref("denied", [])),
	"pinned as expected": check.pinned_as("NAME", "c", "n"),
	"pinned otherwise": check.pinned_as("NAME", "c", "m"),
	"not pinned": check.pinned_as("OPEN", "c", "TO_PIN"),
	"another violation": check.of(object.union(_claim([], false), {"violation": "evidence"})),
	"something else left open": check.of(object.union(_claim([], true), {"unpinned": ["the value of a tag"]})),
	"holds without being true": _of([_ref("n", [])], "yes"),
}

_of(refs, holds) := check.of(_claim(refs, holds))

_claim(refs, holds) := {
	"subject": "s",
	"claim": "c",
	"refs": refs,
	"handles": [],
	"holds": holds,
	"expected": 1,
	"actual": 2,
}

test_causes_are_computed if {
	causes := {name: found.cause | some name, found in _causes} with input as _document
	causes == {
		"violated": "violated",
		"a value that is null by itself": "violated",
		"absent": "absent",
		"denied": "unreadable",
		"not collected": "unreadable",
		"missing": "unreadable",
		"compared with an open handle": "unpinned",
		"compared with a pinned handle": "none",
		"an open handle before a denied fact": "unpinned",
		"a firm absence before an unknown": "absent",
		"an unknown before a violation": "unreadable",
		"there": "none",
		"not there": "absent",
		"known to be absent": "none",
		"not known": "unreadable",
		"pinned as expected": "none",
		"pinned otherwise": "violated",
		"not pinned": "unpinned",
		"another violation": "evidence",
		"something else left open": "unpinned",
		"holds without being true": "violated",
	}
}

test_ok_means_no_cause if {
	causes := _causes with input as _document
	every found in causes {
		found.ok == (found.cause == "none")
	}
}

test_actual_says_why_there_is_no_value if {
	found := _of([_ref("denied", []), _ref("absent", [])], true) with input as _document
	found.actual == "absent (NoSuchThing); unreadable (AccessDenied)"
}

test_lists_are_compared_without_order if {
	check.same_elements(["b", "a"], ["a", "b"])
	not check.same_elements(["a", "a"], ["a", "b"])
	not check.same_elements(["a"], "a")
	check.same_elements("a", "a")
	not check.same_elements(null, null)
}

test_every_open_handle_is_named if {
	document := {"handles": {"A": {"value": "TO_PIN", "line": 1}, "B": {"value": "TO_PIN", "line": 2}}}
	found := check.of(object.union(_claim([], true), {"handles": ["A", "B"]})) with input as document
	[found.cause, found.actual] == ["unpinned", "A is not pinned; B is not pinned"]
}
