# METADATA
# title: Terraform stacks
# description: |
#   References into a stack's Terraform facts, and the claims that hold for every stack: it is more than a skeleton, its
#   commands succeeded, every planned change was applied, and what Terraform said at one step agrees with the others.
package lib.stack

import data.lib.check
import data.lib.fact

# A field of what a step left behind, whether the step succeeded or not.
step(name, step_name, field) := {
	"subject": name,
	"at": ["terraform", "stacks", name, step_name],
	"field": field,
	"handles": [data.contract.m2.stacks[name].directory],
}

# A field of what a step answered; a step that failed answered nothing.
answer(name, step_name, field) := object.union(
	step(name, step_name, field),
	{"exit_codes": object.get(_answered_with, step_name, [0])},
)

# Terraform's `-detailed-exitcode`: 0 no changes, 2 changes.
_answered_with := {"plan": [0, 2], "post_apply_plan": [0, 2]}

# More than a skeleton: managed resources in the state, and outputs that later stacks can build on.
materialized(name) := {
	_is_filled(name, "the state holds managed resources", answer(name, "state", ["managed_resources"])),
	_is_filled(name, "the state holds outputs", answer(name, "state", ["outputs"])),
}

_is_filled(name, claim, ref) := check.of({
	"subject": name,
	"claim": claim,
	"refs": [ref],
	"handles": [],
	"holds": count(fact.list(ref)) > 0,
	"expected": "at least one",
	"actual": count(fact.list(ref)),
})

# The stack outputs what the handle pins.
outputs_handle(name, subject, output) := check.equals_handle(
	subject,
	sprintf("the stack's output %v is as pinned", [output]),
	answer(name, "outputs", ["values", output, "value"]),
	subject,
)

# Every command succeeded, and no planned change is left over.
commands(name) := {
	check.equals(name, "terraform init succeeds", step(name, "init", ["exit_code"]), 0),
	check.equals(name, "terraform validate succeeds", step(name, "validate", ["exit_code"]), 0),
	check.equals(name, "the configuration is valid", answer(name, "validate", ["valid"]), true),
	_planned(name),
	check.equals(name, "terraform output succeeds", step(name, "outputs", ["exit_code"]), 0),
	applied(name),
}

_planned(name) := check.of({
	"subject": name,
	"claim": "terraform plan succeeds",
	"refs": [step(name, "plan", ["exit_code"])],
	"handles": [],
	"holds": fact.value(step(name, "plan", ["exit_code"])) in _answered_with.plan,
	"expected": _answered_with.plan,
	"actual": fact.value(step(name, "plan", ["exit_code"])),
})

# A clean plan needs no apply. One with changes needs a successful apply of that very plan; where none was tried, that
# is what is wrong, not something that could not be read.
applied(name) := check.of({
	"subject": name,
	"claim": "every planned change is applied",
	"refs": _apply_refs(name),
	"handles": [],
	"holds": _is_applied(name),
	"expected": "no changes, or a successful apply of the very plan",
	"actual": _application(name),
})

_application(name) := "no changes" if {
	_is_clean(name, "plan")
} else := "a plan that ended as one without changes and lists some" if {
	fact.value(step(name, "plan", ["exit_code"])) == 0
} else := sprintf("changes, and the apply: %v", [fact.outcome(step(name, "apply", []))]) if {
	fact.status(step(name, "apply", [])) != "present"
} else := sprintf("changes, and an apply that ended with exit code %v", [exit_code]) if {
	exit_code := fact.value(step(name, "apply", ["exit_code"]))
	exit_code != 0
} else := "changes, and an apply of this plan" if {
	_is_applied(name)
} else := "changes, and an apply of another plan"

_apply_refs(name) := [answer(name, "plan", ["exit_code"])] if {
	not _needs_apply(name)
} else := [answer(name, "plan", ["exit_code"])] if {
	fact.status(step(name, "apply", [])) == "not_collected"
} else := [answer(name, "plan", ["exit_code"]), step(name, "apply", ["exit_code"])]

_needs_apply(name) if fact.value(step(name, "plan", ["exit_code"])) == 2

# A plan that shows no changes needs no apply; one that was made all the same must have succeeded.
_is_applied(name) if {
	_is_clean(name, "plan")
	object.get(input, ["terraform", "stacks", name, "apply", "value", "exit_code"], 0) == 0
} else if {
	fact.value(step(name, "apply", ["exit_code"])) == 0
	check.same(fact.value(step(name, "apply", ["plan_digest"])), fact.value(step(name, "plan", ["digest"])))
} else := false

# The last plan that a run made shows no changes: the one after the apply, or the first where nothing had to be applied.
settled(name) := check.of({
	"subject": name,
	"claim": "the last plan shows no changes",
	"refs": [answer(name, last_plan(name), ["exit_code"])],
	"handles": [],
	"holds": _is_clean(name, last_plan(name)),
	"expected": {"exit_code": 0, "resource_changes": 0, "output_changes": 0},
	"actual": {
		"exit_code": fact.value(answer(name, last_plan(name), ["exit_code"])),
		"resource_changes": _count(answer(name, last_plan(name), ["resource_changes"])),
		"output_changes": _count(answer(name, last_plan(name), ["output_changes"])),
	},
})

# Terraform's exit code says it, and so must what the plan lists.
_is_clean(name, plan) if {
	fact.value(step(name, plan, ["exit_code"])) == 0
	_count(step(name, plan, ["resource_changes"])) == 0
	_count(step(name, plan, ["output_changes"])) == 0
} else := false

# Null for what is no collection.
_count(ref) := count(found) if {
	found := fact.value(ref)
	type_name(found) in {"array", "object"}
} else := null

# A run that applied nothing makes no second plan.
last_plan(name) := "plan" if {
	fact.status(step(name, "post_apply_plan", [])) == "not_collected"
	fact.status(step(name, "apply", [])) == "not_collected"
} else := "post_apply_plan"

# An apply whose outcome nobody could read again proves nothing. A run that applied nothing makes no second plan.
reread(name) := check.of({
	"subject": name,
	"claim": "the plan after an apply can be read",
	"refs": [ref | some ref in [plan]; fact.reading(ref) in {"unreadable", "failed", "missing"}],
	"handles": [],
	"holds": true,
	"expected": "read, or nothing was applied",
	"actual": fact.status(plan),
}) if {
	plan := answer(name, "post_apply_plan", [])
}

# What Terraform said at one step agrees with what it said at the others.
consistent(name) := {
	_apply_names_plan(name),
	_outputs_match_state(name),
	_state_is_identified(name),
}

_apply_names_plan(name) := check.of({
	"subject": name,
	"claim": "an apply names the plan of this run",
	"refs": _apply_plan_refs(name),
	"handles": [],
	"holds": _same_plan(name),
	"expected": fact.value(step(name, "plan", ["digest"])),
	"actual": fact.value(step(name, "apply", ["plan_digest"])),
	"violation": "evidence",
})

_apply_plan_refs(name) := [object.union(step(name, "apply", ["plan_digest"]), {"any_status": true})] if {
	fact.status(step(name, "apply", [])) == "not_collected"
} else := [answer(name, "plan", ["digest"]), step(name, "apply", ["plan_digest"])]

_same_plan(name) if {
	fact.status(step(name, "apply", [])) == "not_collected"
} else := check.same(
	fact.value(step(name, "apply", ["plan_digest"])),
	fact.value(step(name, "plan", ["digest"])),
)

_outputs_match_state(name) := check.of({
	"subject": name,
	"claim": "terraform output and the state name the same outputs",
	"refs": [answer(name, "outputs", ["values"]), answer(name, "state", ["outputs"])],
	"handles": [],
	"holds": sort(fact.list(answer(name, "state", ["outputs"]))) == _output_names(name),
	"expected": fact.value(answer(name, "state", ["outputs"])),
	"actual": _output_names(name),
	"violation": "evidence",
})

_output_names(name) := sort(object.keys(values)) if {
	values := fact.value(answer(name, "outputs", ["values"]))
	is_object(values)
} else := null

_state_is_identified(name) := check.of({
	"subject": name,
	"claim": "the state has a serial and a lineage",
	"refs": [answer(name, "state", ["serial"]), answer(name, "state", ["lineage"])],
	"handles": [],
	"holds": _is_identified(name),
	"expected": {"serial": "a number", "lineage": "a text"},
	"actual": {
		"serial": fact.value(answer(name, "state", ["serial"])),
		"lineage": fact.value(answer(name, "state", ["lineage"])),
	},
	"violation": "evidence",
})

_is_identified(name) if {
	is_number(fact.value(answer(name, "state", ["serial"])))
	is_string(fact.value(answer(name, "state", ["lineage"])))
	fact.value(answer(name, "state", ["lineage"])) != ""
} else := false
