package m2.i_test

import data.lib.fixture_test as fixture

_changed_output := {"url": "x", "alarm": "other"}

# Two values, how they are compared, and whether they count as the same.
_pairs := {
	"as many": {"by": "number", "before": 2, "after": 2, "same": true},
	"one, and still one": {"by": "number", "before": 1, "after": 1, "same": true},
	"fewer": {"by": "number", "before": 2, "after": 1, "same": false},
	"none, and still none": {"by": "number", "before": 0, "after": 0, "same": false},
	"no number": {"by": "number", "before": null, "after": null, "same": false},
	"the same text": {"by": "text", "before": "a", "after": "a", "same": true},
	"another text": {"by": "text", "before": "a", "after": "b", "same": false},
	"no text": {"by": "text", "before": null, "after": null, "same": false},
	"an empty text": {"by": "text", "before": " ", "after": " ", "same": false},
	"the same elements": {"by": "elements", "before": ["a", "b"], "after": ["b", "a"], "same": true},
	"the same single element": {"by": "elements", "before": ["a"], "after": ["a"], "same": true},
	"other elements": {"by": "elements", "before": ["a"], "after": ["b"], "same": false},
	"no element": {"by": "elements", "before": [], "after": [], "same": false},
	"no list": {"by": "elements", "before": {"a": 1}, "after": {"a": 1}, "same": false},
	"the same outputs": {"by": "outputs", "before": {"url": "x"}, "after": {"url": "x"}, "same": true},
	"no output, and still none": {"by": "outputs", "before": {}, "after": {}, "same": true},
	"another output": {"by": "outputs", "before": {"url": "x"}, "after": {"url": "y"}, "same": false},
	"an output that may change": {
		"by": "outputs",
		"before": {"url": "x", "alarm": "one"},
		"after": _changed_output,
		"same": true,
	},
	"an output that may change, and is gone": {
		"by": "outputs",
		"before": _changed_output,
		"after": {"url": "x"},
		"same": false,
	},
	"outputs that are no object": {"by": "outputs", "before": ["x"], "after": ["x"], "same": false},
}

_is_same(pair) := found if {
	found := data.m2.i._is_same(pair.by, pair.before, pair.after) with data.contract.m2.rehearsal.volatile_outputs as ["alarm"]
}

test_before_and_after_are_compared_by_what_they_are if {
	{name: _is_same(pair) | some name, pair in _pairs} == {name: pair.same | some name, pair in _pairs}
}

_recovered_as_it_was(document) := found if {
	found := data.m2.i._is_as_it_was("runtime") with input as document
}

_after(path, value) := fixture.put(_with_runtime, _step("post_recovery", array.concat(["runtime"], path)), value)

test_a_stack_is_as_it_was_if_nothing_of_it_is_otherwise if {
	_recovered_as_it_was(_with_runtime)
	_recovered_as_it_was(_ready) == false
	every document in [
		_after(["exit_code"], 1),
		_after(["exit_code"], 2),
		_after(["resource_count"], 1),
		_after(["lineage"], "another"),
		_after(["managed_resources"], []),
	] {
		_recovered_as_it_was(document) == false
	}
}

_is_recovered_state(serials) := found if {
	document := fixture.put(
		fixture.put(
			fixture.put(_ready, ["terraform", "stacks", "ops", "state", "value", "serial"], serials.now),
			_step("post_recovery", ["ops", "serial"]),
			serials.recovered,
		),
		["terraform", "stacks", "ops", "state", "value", "lineage"],
		_ready.rehearsal.post_recovery.value.ops.lineage,
	)
	found := data.m2.i._is_recovered_state("ops") with input as document
}

test_the_state_of_today_is_the_recovered_one_or_a_later_one if {
	_is_recovered_state({"now": 7, "recovered": 7})
	_is_recovered_state({"now": 8, "recovered": 7})
	every serials in [
		{"now": 6, "recovered": 7},
		{"now": "8", "recovered": 7},
		{"now": "8", "recovered": "7"},
		{"now": 8, "recovered": null},
	] {
		_is_recovered_state(serials) == false
	}
}

test_a_log_group_is_one_resource_with_or_without_its_streams if {
	data.m2.i._plain("arn:aws:logs:eu-west-2:123456789012:log-group:/x:*") == "arn:aws:logs:eu-west-2:123456789012:log-group:/x"
	data.m2.i._plain("arn:aws:s3:::x") == "arn:aws:s3:::x"
}

test_an_entry_without_an_arn_is_unaccounted_for if {
	found := {name: data.m2.i._arn(entry) | some name, entry in {
		"resource": {"ResourceARN": "arn:aws:s3:::x"},
		"no name": {"Tags": []},
		"no text": {"ResourceARN": 7},
		"no object": "arn:aws:s3:::x",
	}}
	found == {
		"resource": "arn:aws:s3:::x",
		"no name": "an entry without an ARN",
		"no text": "an entry without an ARN",
		"no object": "an entry without an ARN",
	}
}

_managed(arns) := found if {
	found := data.m2.i._managed_arns with input as fixture.put(_ready, _state_arns("core"), arns)
}

test_what_states_manage_are_texts if {
	with_texts := _managed(["arn:aws:s3:::x", "arn:aws:logs:eu-west-2:123456789012:log-group:/x:*", 7, null])
	without := _managed([])
	with_texts - without == {"arn:aws:s3:::x", "arn:aws:logs:eu-west-2:123456789012:log-group:/x"}
}

_allowed_by(allowlist) := found if {
	found := data.m2.i._allowed_by("arn:aws:sqs:eu-west-2:123456789012:dead-letters") with input as _ready
		with data.contract.m2.rehearsal.allowlist as allowlist
}

test_the_first_pattern_that_names_a_resource_allows_it if {
	_allowed_by(["arn:aws:sqs:*:*:dead-*", "arn:aws:sqs:*:*:d*"]) == "arn:aws:sqs:*:*:d*"
	_allowed_by(["arn:aws:sqs:*:*:d*"]) == "arn:aws:sqs:*:*:d*"
	_allowed_by(["arn:aws:sqs:*:*:*"]) == null
	_allowed_by(["arn:aws:sqs:*:*:other"]) == null
	_allowed_by([7]) == null
	_allowed_by("arn:aws:sqs:*:*:d*") == null
	_allowed_by(null) == null
}

test_what_no_handle_names_is_not_always_allowed if {
	every value in [null, 7] {
		allowed := data.m2.i._always_allowed with input as fixture.pinned(_ready, "TF_STATE_BUCKET", value)
		every pattern in allowed {
			is_string(pattern)
			not contains(pattern, "s3")
		}
		count(allowed) == count(data.contract.m2.rehearsal.always_allowed) - 1
	}
}

test_what_is_no_list_holds_nothing if {
	[data.m2.i._list(value) | some value in [["a"], "a", null, {"a": 1}]] == [["a"], [], [], []]
}

# The days of a cost in a window from the 27th of February until the 2nd of March, and whether they are those of the window.
_costs := {
	"every day once": {"days": ["2026-02-27", "2026-02-28", "2026-03-01"], "agrees": true},
	"in any order": {"days": ["2026-03-01", "2026-02-27", "2026-02-28"], "agrees": true},
	"a day left out": {"days": ["2026-02-27", "2026-03-01"], "agrees": false},
	"the first day left out": {"days": ["2026-02-28", "2026-03-01"], "agrees": false},
	"a day twice": {"days": ["2026-02-27", "2026-02-28", "2026-02-28"], "agrees": false},
	"a day more, twice": {"days": ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-01"], "agrees": false},
	"a day before": {"days": ["2026-02-26", "2026-02-27", "2026-02-28"], "agrees": false},
	"the day after": {"days": ["2026-02-27", "2026-02-28", "2026-03-02"], "agrees": false},
	"something that is no day": {"days": ["2026-02-27", "2026-02-28", "2026-02-28T00:00:00Z"], "agrees": false},
	"a day that no month has": {"days": ["2026-02-28", "2026-02-30", "2026-03-01"], "agrees": false},
	"no text": {"days": ["2026-02-27", "2026-02-28", 7], "agrees": false},
	"no day": {"days": [], "agrees": false},
}

_of_days(days, window) := fixture.put(
	fixture.put(_ready, _step("cost", ["window"]), window),
	_step("cost", ["ResultsByTime"]),
	[{"TimePeriod": {"Start": day}} | some day in days],
)

test_a_cost_is_of_every_day_of_its_window if {
	window := {"start": "2026-02-27", "end": "2026-03-02"}
	found := {name: agrees |
		some name, case in _costs
		document := _of_days(case.days, window)
		agrees := data.m2.i._is_of_window with input as document
	}
	found == {name: case.agrees | some name, case in _costs}
}

test_an_empty_window_has_no_cost if {
	found := data.m2.i._is_of_window with input as _of_days([], {"start": "2026-02-27", "end": "2026-02-27"})
	found == false
}

# Windows of a rehearsal on the 22nd of February, and whether they hold it.
_windows := {
	"its day": {"window": {"start": "2026-02-22", "end": "2026-02-23"}, "holds": true},
	"more days": {"window": {"start": "2026-02-20", "end": "2026-02-25"}, "holds": true},
	"up to its day": {"window": {"start": "2026-02-21", "end": "2026-02-22"}, "holds": false},
	"from the next day": {"window": {"start": "2026-02-23", "end": "2026-02-24"}, "holds": false},
	"an end that is no day": {"window": {"start": "2026-02-22", "end": "later"}, "holds": false},
	"a start that is no day": {"window": {"start": "2026", "end": "2026-02-23"}, "holds": false},
	"a start that is no text": {"window": {"start": 7, "end": "2026-02-23"}, "holds": false},
}

test_the_window_of_the_cost_holds_the_rehearsal if {
	found := {name: holds |
		some name, case in _windows
		document := fixture.put(_ready, _step("cost", ["window"]), case.window)
		holds := data.m2.i._is_window_complete with input as document
	}
	found == {name: case.holds | some name, case in _windows}
}

test_a_rehearsal_without_its_times_has_no_window if {
	every field in ["started_at", "ended_at"] {
		holds := data.m2.i._is_window_complete with input as fixture.put(_ready, _scope([field]), "lately")
		holds == false
	}
}

test_a_day_is_written_as_one if {
	found := {text | some text in ["2026-02-22", "2026-2-22", "12026-02-22", "2026-02-223", "1926-02-22", 20260222, null]
		data.m2.i._is_day(text)
	}
	found == {"2026-02-22"}
}
