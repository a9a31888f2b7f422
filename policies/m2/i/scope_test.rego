package m2.i_test

import data.lib.fixture_test as fixture

_is_scope(stacks) := data.m2.i._is_scope(stacks)

test_a_scope_is_the_required_stacks_and_others_of_the_contract if {
	_is_scope(["data_ml", "ops"])
	_is_scope(["ops", "runtime", "data_ml"])
	every stacks in [["ops"], [], ["data_ml", "ops", "ops"], ["data_ml", "ops", "elsewhere"], ["data_ml", "ops", 7]] {
		_is_scope(stacks) == false
	}
}

test_the_other_stacks_of_a_scope_are_told_once if {
	others := data.m2.i._others with input as fixture.put(_ready, _scope(["stacks"]), ["ops", "runtime", 7, "core", "runtime"])
	others == ["core", "runtime"]
}

_is_touched(changes) := found if {
	document := fixture.put(_ready, _scope([]), object.union(_ready.rehearsal.scope.value, changes))
	found := data.m2.i._is_scope_touched with input as document
}

test_what_was_touched_is_the_scope if {
	_is_touched({})
	_is_touched({"touched": ["ops", "data_ml"]})
	every changes in [
		{"touched": ["ops"]},
		{"touched": ["ops", "data_ml", "core"]},
		{"touched": "ops"},
		{"touched": null, "stacks": []},
		{"stacks": ["core"], "touched": ["core"]},
	] {
		_is_touched(changes) == false
	}
}

test_a_rehearsal_that_says_nothing_touched_nothing_known if {
	empty := object.union(_ready.rehearsal.scope.value, {"stacks": [], "touched": null})
	document := fixture.put(_ready, ["rehearsal"], {"scope": {"status": "present", "value": empty}})
	found := data.m2.i._is_scope_touched with input as document
	found == false
}

_noted(document, message) := {observation.facts | some observation in found; observation.message == message} if {
	found := data.m2.i.observations with input as document
		with data.contract.m2.rehearsal.volatile_outputs as ["alarm"]
}

test_what_is_noted_of_a_rehearsal_names_its_facts if {
	_noted(_with_runtime, "the rehearsal covered this stack, too") == {["/rehearsal/scope/value/stacks"]}
	_noted(
		fixture.put(_ready, _scope(["allowlist"]), ["arn:aws:sqs:*:*:x"]),
		"it kept to another allowlist of residuals than the contract's",
	) == {["/rehearsal/scope/value/allowlist"]}
	message := "the output alarm changed with the recovery, as the contract allows"
	facts := {["/rehearsal/post_recovery/value/ops/outputs/alarm"]}
	appeared := fixture.put(_ready, _step("post_recovery", ["ops", "outputs", "alarm"]), "new")
	_noted(appeared, message) == facts
	vanished := fixture.put(_ready, _step("baseline", ["ops", "outputs", "alarm"]), "old")
	_noted(vanished, message) == facts
	changed := fixture.put(appeared, _step("baseline", ["ops", "outputs", "alarm"]), "old")
	_noted(changed, message) == facts
	kept := fixture.put(appeared, _step("baseline", ["ops", "outputs", "alarm"]), "new")
	_noted(kept, message) == set()
}

test_every_step_tells_of_the_stacks_that_it_touched if {
	every name in ["baseline", "destroy", "recover", "post_recovery"] {
		told := data.m2.i._told_of with input as fixture.put(_ready, _step(name, ["core"]), {})
		told == ["core", "data_ml", "ops"]
	}
	told := data.m2.i._told_of with input as fixture.put(_ready, _step("baseline", []), ["core"])
	told == ["data_ml", "ops"]
}

test_a_pattern_names_the_resource_of_an_arn if {
	patterns := {
		"arn:aws:sqs:*:*:dead-letters": true,
		"arn:aws:s3:::state": true,
		"arn:*:dynamodb:*:*:table/locks": true,
		"arn:aws:logs:*:*:log-group:/x:*": true,
		"arn:aws:sqs:*:*:*": false,
		"arn:aws:sqs:*:*:*/*": false,
		"arn:aws:sqs:*:*:*:/*": false,
		"arn:aws:sqs:*:*": false,
		"arn:aws:sqs": false,
		"urn:aws:sqs:*:*:dead-letters": false,
		"a:b:c:d:e:dead-letters": false,
		"*": false,
		"": false,
	}
	{pattern: data.m2.i._names_resource(pattern) | some pattern, _ in patterns} == patterns
	data.m2.i._names_resource(7) == false
}

_is_allowlist_defined(contract, scope) := found if {
	found := data.m2.i._is_allowlist_defined with input as fixture.put(_ready, _scope(["allowlist"]), scope)
		with data.contract.m2.rehearsal.allowlist as contract
}

test_an_allowlist_is_defined_in_contract_and_scope if {
	_is_allowlist_defined([], [])
	_is_allowlist_defined(["arn:aws:sqs:*:*:x"], ["arn:aws:sqs:*:*:x"])
	every lists in [
		[null, []],
		["*", []],
		[{"a": "arn:aws:sqs:*:*:x"}, []],
		[[], null],
		[["*"], []],
		[["arn:aws:sqs:*:*:x", 7], []],
	] {
		_is_allowlist_defined(lists[0], lists[1]) == false
	}
}

_of_destroy(field, value) := fixture.put(_ready, _step("destroy", ["ops", field]), value)

test_a_stack_is_destroyed_if_the_destroy_succeeded_and_nothing_remained if {
	_is_destroyed := {name: found |
		some name, document in {
			"as it should be": _ready,
			"failed": _of_destroy("exit_code", 1),
			"something remained": _of_destroy("remaining", ["aws_iam_role.ops"]),
			"nobody knows what remained": _of_destroy("remaining", null),
		}
		found := data.m2.i._is_destroyed("ops") with input as document
	}
	_is_destroyed == {
		"as it should be": true,
		"failed": false,
		"something remained": false,
		"nobody knows what remained": false,
	}
}

_is_destroyed_whole(destroyed, before) := found if {
	document := fixture.put(_of_destroy("destroyed", destroyed), _step("baseline", ["ops", "resource_count"]), before)
	found := data.m2.i._is_destroyed_whole("ops") with input as document
}

test_a_destroy_destroys_what_there_was_and_that_is_something if {
	_is_destroyed_whole(2, 2)
	_is_destroyed_whole(1, 1)
	every pair in [[1, 2], [0, 0], [-1, -1], [null, null], ["2", "2"]] {
		_is_destroyed_whole(pair[0], pair[1]) == false
	}
}

test_an_approval_on_record_is_one_of_a_rehearsal if {
	document := fixture.put(_ready, _on_record(["kind"]), "m3_handoff")
	data.m2.i._is_as_on_record with input as _ready
	found := data.m2.i._is_as_on_record with input as document
	found == false
}

test_a_rehearsal_of_nowhere_is_not_of_this_run if {
	data.m2.i._is_of_this_run with input as _ready
	nowhere := fixture.without(fixture.without(_ready, _scope(["region"])), ["run", "region"])
	nobody := fixture.without(fixture.without(_ready, _scope(["account"])), ["run", "caller_identity", "value", "Account"])
	every document in [nowhere, nobody, {}] {
		found := data.m2.i._is_of_this_run with input as document
		found == false
	}
}

_is_recent_rehearsal(ended) := found if {
	found := data.m2.i._is_recent with input as fixture.put(_ready, _scope(["ended_at"]), ended)
}

test_a_rehearsal_is_recent_if_it_ended_before_the_run_and_not_long_before if {
	_is_recent_rehearsal("2026-02-22T10:00:00Z")
	_is_recent_rehearsal("2026-02-22T20:40:11Z")
	every ended in ["2026-02-22T20:40:12Z", "2020-02-22T10:00:00Z", "lately", null] {
		_is_recent_rehearsal(ended) == false
	}
}

test_what_scanned_the_logs_is_told_whatever_else_was_scanned if {
	scanned := {"source": "rehearsal", "scanned": false}
	checks := data.m2.i.b7 with input as fixture.put(_ready, ["plaintext_scan", "value", "sources"], ["rehearsal", scanned])
	[check.actual | some check in checks; check.claim == "its logs were scanned for secrets"] == [[scanned]]
}

test_a_scope_of_strange_names_has_nothing_noteworthy if {
	_observed(fixture.put(_ready, _scope(["stacks"]), ["data_ml", "ops", 7, null])) == set()
	volatile := data.m2.i.observations with input as fixture.put(_ready, _scope(["stacks"]), ["data_ml", "ops", 7, null])
		with data.contract.m2.rehearsal.volatile_outputs as ["alarm"]
	volatile == set()
	numbered := fixture.put(
		fixture.put(_ready, _scope(["stacks"]), ["data_ml", "ops", 0]),
		["rehearsal", "baseline", "value"],
		[{"outputs": {"alarm": "old"}}],
	)
	of_a_list := data.m2.i.observations with input as numbered
		with data.contract.m2.rehearsal.volatile_outputs as ["alarm"]
	of_a_list == set()
	no_allowlist := data.m2.i.observations with input as fixture.put(_ready, _scope(["allowlist"]), ["arn:aws:sqs:*:*:x"])
		with data.contract.m2.rehearsal.allowlist as null
	no_allowlist == set()
}

_read(step, value) := found if {
	found := data.m2.i._reading(step) with input as fixture.put(_ready, _step(step, []), value)
}

test_a_step_is_shown_without_its_logs_whatever_it_holds if {
	_read("destroy", {"ops": {"log": "long", "destroyed": 2}, "core": "strange"}).value == {
		"ops": {"destroyed": 2},
		"core": "strange",
	}
	_read("destroy", "strange").value == "strange"
}
