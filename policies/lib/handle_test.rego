package lib.handle_test

import data.lib.handle

_document := {"handles": {
	"PINNED": {"value": "x", "line": 1},
	"FALSE": {"value": false, "line": 1},
	"LIST": {"value": ["a", "b"], "line": 1},
	"OPEN": {"value": "TO_PIN", "line": 1},
	"OPEN_IN_ANOTHER_CASE": {"value": " to_pin ", "line": 1},
	"BLANK": {"value": " ", "line": 1},
	"NULL": {"value": null, "line": 1},
	"EMPTY_LIST": {"value": [], "line": 1},
	"OPEN_LIST": {"value": ["a", "TO_PIN"], "line": 1},
	"LIST_WITH_NULL": {"value": ["a", null], "line": 1},
	"LIST_WITH_NUMBER": {"value": ["a", 1], "line": 1},
	"VALUELESS": {"line": 1},
	"MALFORMED": "x",
	"TAG_ENV_KEY": {"value": "env", "expected_tag_value": "dev", "line": 1},
	"TAG_BLANK_KEY": {"value": "env", "expected_tag_value": " ", "line": 1},
	"PROJECT_SLUG": {"value": "fraud-platform", "line": 1},
	"ENV_NAME": {"value": "dev_full", "line": 1},
}}

test_only_real_values_are_pinned if {
	names := object.keys(_document.handles)
	pinned := {name: handle.value(name) | some name in names; handle.is_pinned(name)} with input as _document
	pinned == {
		"PINNED": "x",
		"FALSE": false,
		"LIST": ["a", "b"],
		"LIST_WITH_NUMBER": ["a", 1],
		"TAG_ENV_KEY": "env",
		"TAG_BLANK_KEY": "env",
		"PROJECT_SLUG": "fraud-platform",
		"ENV_NAME": "dev_full",
	}
}

test_everything_else_is_null if {
	open := {name: handle.value(name) | some name in ["OPEN", "BLANK", "OPEN_LIST", "NOT_THERE"]} with input as _document
	open == {"OPEN": null, "BLANK": null, "OPEN_LIST": null, "NOT_THERE": null}
}

test_unpinned_handles_keep_their_order if {
	handle.unpinned(["OPEN", "PINNED", "BLANK"]) == ["OPEN", "BLANK"] with input as _document
}

test_raw_tells_an_open_handle_from_a_missing_one if {
	[handle.raw("OPEN"), handle.raw("NOT_THERE")] == ["TO_PIN", null] with input as _document
}

test_tag_values_stand_behind_the_arrow if {
	values := [handle.tag_value(name) | some name in ["TAG_ENV_KEY", "TAG_BLANK_KEY", "PINNED"]] with input as _document
	values == ["dev", null, null]
}

test_templates_are_filled_in if {
	names := [handle.expand("{platform}-base"), handle.expand("base")] with input as _document
	names == ["fraud-platform-dev-full-base", "base"]
}

test_templates_of_an_unnamed_platform_stay_open if {
	[handle.expand("{platform}-base"), handle.expand("base")] == [null, "base"] with input as {}
}

test_templates_say_which_handles_they_need if {
	[handle.named_by("{platform}-"), handle.named_by("base")] == [["PROJECT_SLUG", "ENV_NAME"], []]
}

test_mentioned_handles_need_not_be_pinned if {
	handle.mentioned("OPEN") == {"OPEN", "OPEN_IN_ANOTHER_CASE", "OPEN_LIST"} with input as _document
	handle.mentioned("") == set() with input as {"handles": "damaged"}
}

test_a_document_without_handles_pins_nothing if not handle.is_pinned("PINNED") with input as {}

test_a_setting_falls_back_only_where_its_handle_is_not_mentioned if {
	settings := {name: {"handle": name, "default": "d"} | some name in ["PINNED", "FALSE", "OPEN", "BLANK", "NOWHERE"]}
	found := {name: [handle.chosen(setting), handle.named_by_setting(setting)] | some name, setting in settings}
		with input as _document
	found == {
		"PINNED": ["x", ["PINNED"]],
		"FALSE": [false, ["FALSE"]],
		"OPEN": [null, ["OPEN"]],
		"BLANK": [null, ["BLANK"]],
		"NOWHERE": ["d", []],
	}
}

test_lists_may_be_written_with_commas if {
	document := {"handles": {
		"TEXT": {"value": "a, b,a", "line": 1},
		"LIST": {"value": ["a", "b"], "line": 2},
		"NUMBER": {"value": 7, "line": 3},
	}}
	listed := {name: handle.listed(name) | some name in ["TEXT", "LIST", "NUMBER", "OPEN"]} with input as document
	listed == {"TEXT": {"a", "b"}, "LIST": {"a", "b"}, "NUMBER": set(), "OPEN": set()}
}

test_the_folder_needs_both_parts_of_the_platforms_name if {
	folder := handle.folder with input as _document
	folder == "/fraud-platform/dev_full"
	open := handle.folder with input as {"handles": {"PROJECT_SLUG": {"value": "x", "line": 1}}}
	open == null
}

test_whatever_is_no_text_is_pinned_as_it_is if {
	[data.lib.handle._pinned(value) | some value in [7, true, {"a": 1}, ["a"]]] == [7, true, {"a": 1}, ["a"]]
	[data.lib.handle._pinned(value) | some value in [[], [" to_pin "], [null], null]] == [null, null, null, null]
}
