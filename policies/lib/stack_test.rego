package lib.stack_test

import data.lib.stack

_document(steps) := {
	"handles": {"TF_STACK_CORE_DIR": {"value": "core", "line": 1}},
	"terraform": {"stacks": {"core": object.union(_clean, steps)}},
}

_clean := {
	"plan": {"status": "present", "value": _planned(0)},
	"apply": {"status": "not_collected", "reason": "no changes"},
	"post_apply_plan": {"status": "not_collected", "reason": "no changes"},
}

_planned(exit_code) := {"exit_code": exit_code, "digest": "d", "resource_changes": [], "output_changes": {}}

_plan(exit_code) := {"plan": {"status": "present", "value": _planned(exit_code)}}

_apply(exit_code, digest) := {"apply": {"status": "present", "value": {"exit_code": exit_code, "plan_digest": digest}}}

_unreadable(step) := {step: {"status": "unreadable", "error": {"code": "Timeout"}}}

_after(exit_code) := {"post_apply_plan": {"status": "present", "value": _planned(exit_code)}}

_listing(field, value) := {"plan": {"status": "present", "value": object.union(_planned(0), {field: value})}}

# How a run may end: the causes of "every planned change is applied" and "the last plan shows no changes".
_runs := {
	"clean": {"steps": {}, "causes": ["none", "none"]},
	"clean, and lists a resource": {
		"steps": _listing("resource_changes", [{"address": "a.b", "type": "a", "actions": ["delete"]}]),
		"causes": ["violated", "violated"],
	},
	"clean, and lists an output": {
		"steps": _listing("output_changes", {"o": ["delete"]}),
		"causes": ["violated", "violated"],
	},
	"clean, and lists nothing at all": {"steps": _listing("resource_changes", null), "causes": ["violated", "violated"]},
	"dirty, only planned": {"steps": _plan(2), "causes": ["violated", "violated"]},
	"failed plan": {"steps": _plan(1), "causes": ["unreadable", "unreadable"]},
	"unreadable plan": {"steps": _unreadable("plan"), "causes": ["unreadable", "unreadable"]},
	"applied": {"steps": object.union_n([_plan(2), _apply(0, "d"), _after(0)]), "causes": ["none", "none"]},
	"applied, dirty again": {
		"steps": object.union_n([_plan(2), _apply(0, "d"), _after(2)]),
		"causes": ["none", "violated"],
	},
	"applied, then unreadable": {
		"steps": object.union_n([_plan(2), _apply(0, "d"), _unreadable("post_apply_plan")]),
		"causes": ["none", "unreadable"],
	},
	"failed apply": {"steps": object.union_n([_plan(2), _apply(1, "d")]), "causes": ["violated", "unreadable"]},
	"unreadable apply": {"steps": object.union(_plan(2), _unreadable("apply")), "causes": ["unreadable", "unreadable"]},
	"apply of another plan": {
		"steps": object.union_n([_plan(2), _apply(0, "e"), _after(0)]),
		"causes": ["violated", "none"],
	},
	"apply of nobody knows what": {
		"steps": object.union_n([_plan(2), _apply(0, null), _after(0)]),
		"causes": ["violated", "none"],
	},
}

test_each_run_is_applied_and_settled_as_its_table_says if {
	found := {name: causes |
		some name, run in _runs
		document := _document(run.steps)
		causes := [stack.applied("core").cause, stack.settled("core").cause] with input as document
	}
	found == {name: run.causes | some name, run in _runs}
}

test_two_undigested_plans_are_not_the_same if {
	steps := {
		"plan": {"status": "present", "value": {"exit_code": 2}},
		"apply": {"status": "present", "value": {"exit_code": 0}},
	}
	stack.applied("core").cause == "violated" with input as {
		"handles": {"TF_STACK_CORE_DIR": {"value": "core", "line": 1}},
		"terraform": {"stacks": {"core": object.union(object.remove(_clean, ["plan"]), steps)}},
	}
}

test_answers_know_the_exit_codes_of_their_command if {
	codes := [stack.answer("core", step, []).exit_codes | some step in ["plan", "post_apply_plan", "state"]]
	codes == [[0, 2], [0, 2], [0]]
}
