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
	"clean, and a failed apply": {"steps": _apply(1, "d"), "causes": ["violated", "unreadable"]},
	"clean, and an apply that nobody could read": {"steps": _unreadable("apply"), "causes": ["none", "unreadable"]},
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

test_each_run_says_what_became_of_its_plan if {
	said := {name: actual |
		some name, run in _runs
		document := _document(run.steps)
		actual := stack.applied("core").actual with input as document
	}
	listing := "a plan that ended as one without changes and lists some"
	said == {
		"clean": "no changes",
		"clean, and lists a resource": listing,
		"clean, and lists an output": listing,
		"clean, and lists nothing at all": listing,
		"clean, and a failed apply": "no changes",
		"clean, and an apply that nobody could read": "no changes",
		"dirty, only planned": "changes, and the apply: not collected (no changes)",
		"failed plan": "the command failed (exit code 1)",
		"unreadable plan": "unreadable (Timeout)",
		"applied": "changes, and an apply of this plan",
		"applied, dirty again": "changes, and an apply of this plan",
		"applied, then unreadable": "changes, and an apply of this plan",
		"failed apply": "changes, and an apply that ended with exit code 1",
		"unreadable apply": "unreadable (Timeout)",
		"apply of another plan": "changes, and an apply of another plan",
		"apply of nobody knows what": "changes, and an apply of another plan",
	}
}

test_a_plan_after_an_apply_must_be_read if {
	causes := {name: cause |
		some name, step in {
			"not made": {},
			"clean": _after(0),
			"dirty": _after(2),
			"failed": _after(1),
			"unreadable": _unreadable("post_apply_plan"),
			"missing": {"post_apply_plan": null},
		}
		document := _document(step)
		cause := stack.reread("core").cause with input as document
	}
	causes == {
		"not made": "none", "clean": "none", "dirty": "none",
		"failed": "unreadable", "unreadable": "unreadable", "missing": "unreadable",
	}
}

# What the other steps say of an applied plan.
_told := object.union_n([_plan(2), _apply(0, "d"), {
	"outputs": {"status": "present", "value": {"exit_code": 0, "values": {"a": {"value": 1}}}},
	"state": {"status": "present", "value": {"exit_code": 0, "outputs": ["a"], "serial": 7, "lineage": "l"}},
}])

_inconsistent(steps) := {claim.claim | some claim in claims; claim.cause == "evidence"} if {
	claims := stack.consistent("core") with input as _document(object.union(_told, steps))
}

test_what_the_steps_say_agrees if {
	_inconsistent({}) == set()
	_inconsistent({"apply": {"status": "not_collected", "reason": "x"}}) == set()
	_inconsistent(_apply(0, "e")) == {"an apply names the plan of this run"}
	_inconsistent({"state": {"value": {"outputs": ["a", "b"]}}}) == {"terraform output and the state name the same outputs"}
	every damage in [{"lineage": ""}, {"lineage": 7}, {"serial": "7"}] {
		_inconsistent({"state": {"value": damage}}) == {"the state has a serial and a lineage"}
	}
}

test_an_apply_is_shown_beside_its_plan if {
	shown := {[claim.expected, claim.actual] |
		some claim in stack.consistent("core")
		claim.claim == "an apply names the plan of this run"
	} with input as _document(object.union(_told, _apply(0, "e")))
	shown == {["d", "e"]}
}

_facts(steps) := found if {
	found := stack.applied("core").facts with input as _document(steps)
}

_consistency_facts(steps) := [claim.facts | some claim in claims; claim.claim == "an apply names the plan of this run"] if {
	claims := stack.consistent("core") with input as _document(steps)
}

test_a_claim_about_an_apply_names_what_it_rests_on if {
	plan := "/terraform/stacks/core/plan/value/exit_code"
	apply := "/terraform/stacks/core/apply/value/exit_code"
	[fact | some fact in _facts(_told); startswith(fact, "/terraform")] == [plan, apply]
	[fact | some fact in _facts({}); startswith(fact, "/terraform")] == [plan]
	digests := ["/terraform/stacks/core/plan/value/digest", "/terraform/stacks/core/apply/value/plan_digest"]
	[[fact | some fact in facts; startswith(fact, "/terraform")] | some facts in _consistency_facts(_told)] == [digests]
	[[fact | some fact in facts; startswith(fact, "/terraform")] | some facts in _consistency_facts({})] == [["/terraform/stacks/core/apply"]]
}
