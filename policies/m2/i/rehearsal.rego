# METADATA
# title: Destroy and recover rehearsal
# description: |
#   What the platform can lose it can also get back: the stacks of an approved scope, and no others, were destroyed and
#   recovered, came back as they were, left nothing behind, and what that cost is known.
# custom:
#   lane: M2.I
#   next: M2.J
#   upstream: [M2.A, M2.B, M2.C, M2.D, M2.E, M2.F, M2.G, M2.H]
#   definition_of_done:
#     - item: bounded destroy/recover rehearsal completed.
#       codes: [M2I-B1, M2I-B2, M2I-B3]
#     - item: state and handle integrity preserved after recovery.
#       codes: [M2I-B4]
#     - item: residual scan artifact emitted.
#       codes: [M2I-B5, M2I-B6]
#     - item: M2.I evidence snapshot committed.
#       codes: [M2I-B7]
#   artifacts:
#     - m2i_rehearsal_scope_snapshot.json
#     - m2i_destroy_apply_receipts.json
#     - m2i_recover_apply_receipts.json
#     - m2i_post_recovery_integrity_snapshot.json
#     - m2i_residual_scan_snapshot.json
#     - m2i_cost_posture_snapshot.json
#     - m2i_blocker_register.json
#     - m2i_execution_summary.json
package m2.i

import data.lib.check
import data.lib.fact
import data.lib.moment

# METADATA
# title: Scope of the rehearsal undefined, not approved, or left
# description: |
#   The scope lacks a required stack or holds an unknown one, the approval names other stacks than the scope, was not
#   valid when the rehearsal began, or is not the one on record; the rehearsal was of another account or region than this
#   run; others than the stacks of the scope were touched; or the allowlist of residuals is undefined. An allowlist that
#   allows everything is none.
# custom:
#   code: M2I-B1
#   severity: S1
#   taxonomy: M2-B7
#   remediation: >-
#     Have exactly the required stacks approved and rehearse with that scope: `factgate rehearse --scope … --approval …`. If
#     another stack was touched, bring it back first.
b1 contains check.of({
	"subject": _rehearsal,
	"claim": "the scope holds every required stack, and only stacks of the contract",
	"refs": [_scope(["stacks"])],
	"handles": [],
	"holds": _is_scope(_stacks),
	"expected": _required,
	"actual": fact.value(_scope(["stacks"])),
})

b1 contains check.of({
	"subject": _rehearsal,
	"claim": "the approval names exactly the stacks of the scope",
	"refs": [_scope(["approved_stacks"])],
	"handles": [],
	"holds": check.same_elements(fact.value(_scope(["approved_stacks"])), fact.value(_scope(["stacks"]))),
	"expected": fact.value(_scope(["stacks"])),
	"actual": fact.value(_scope(["approved_stacks"])),
})

b1 contains check.of({
	"subject": _rehearsal,
	"claim": "somebody approved it, and the approval was valid when it began",
	"refs": [_scope(["approval"])],
	"handles": [],
	"holds": _is_approved,
	"expected": "an approver, and approved_at ≤ started_at < expires_at",
	"actual": object.union(
		_approval,
		{"started_at": fact.value(_scope(["started_at"]))},
	),
})

b1 contains check.of({
	"subject": _rehearsal,
	"claim": "the stacks of the scope were touched, and no others",
	"refs": [_scope(["touched"])],
	"handles": [],
	"holds": _is_scope_touched,
	"expected": fact.value(_scope(["stacks"])),
	"actual": {"touched": fact.value(_scope(["touched"])), "told of": _told_of},
})

b1 contains check.of({
	"subject": _rehearsal,
	"claim": "an allowlist of residuals is defined, and no pattern of it allows everything",
	"refs": [_scope(["allowlist"])],
	"handles": [],
	"holds": _is_allowlist_defined,
	"expected": "a list of ARN patterns, each of which names a resource",
	"actual": _allowlist,
})

# METADATA
# title: Destroy failed
# description: |
#   `terraform destroy` of a stack of the scope failed, destroyed less than the baseline had, or left resources in the
#   state.
# custom:
#   code: M2I-B2
#   severity: S1
#   taxonomy: M2-B7
#   remediation: Read the log of the destroy in the fact document, correct what stood in its way, recover, and rehearse again.
b2 contains check.equals(stack, "terraform destroy succeeds", _of("destroy", stack, ["exit_code"]), 0) if {
	some stack in _required
}

b2 contains check.equals(
	stack,
	"no resource of the stack remains after the destroy",
	_of("destroy", stack, ["remaining"]),
	[],
) if {
	some stack in _required
}

b2 contains check.of({
	"subject": stack,
	"claim": "the destroy destroyed what there was",
	"refs": [_of("destroy", stack, ["destroyed"]), _of("baseline", stack, ["resource_count"])],
	"handles": [],
	"holds": _is_destroyed_whole(stack),
	"expected": fact.value(_of("baseline", stack, ["resource_count"])),
	"actual": fact.value(_of("destroy", stack, ["destroyed"])),
}) if {
	some stack in _required
}

b2 contains _holds_of_others("every other stack of the scope was destroyed", ["destroy"], [stack |
	some stack in _others
	not _is_destroyed(stack)
])

# METADATA
# title: Recovery failed
# description: |
#   `terraform apply` failed when it had to bring back a stack of the scope, or applied a plan that is not on record.
# custom:
#   code: M2I-B3
#   severity: S1
#   taxonomy: M2-B7
#   remediation: >-
#     Read the log of the recovery in the fact document and apply the stack until its plan is clean; then rehearse again.
b3 contains check.equals(stack, "terraform apply of the recovery succeeds", _of("recover", stack, ["exit_code"]), 0) if {
	some stack in _required
}

b3 contains check.of({
	"subject": stack,
	"claim": "the recovery applied a plan that is on record",
	"refs": [_of("recover", stack, ["plan_digest"])],
	"handles": [],
	"holds": fact.is_text(fact.value(_of("recover", stack, ["plan_digest"]))),
	"expected": "a digest",
	"actual": fact.value(_of("recover", stack, ["plan_digest"])),
}) if {
	some stack in _required
}

b3 contains _holds_of_others("every other stack of the scope was recovered", ["recover"], [stack |
	some stack in _others
	fact.value(_of("recover", stack, ["exit_code"])) != 0
])

_rehearsal := "rehearsal"

_required := data.contract.m2.rehearsal.required_stacks

# A field of what a step of the rehearsal left behind, for one stack.
_of(step, stack, field) := {
	"subject": stack,
	"at": [_rehearsal, step],
	"field": array.concat([stack], field),
	"handles": [],
}

# A step as a whole, or a field that is about all stacks.
_step(step, field) := {"subject": _rehearsal, "at": [_rehearsal, step], "field": field, "handles": []}

_scope(field) := _step("scope", field)

_stacks := fact.list(_scope(["stacks"]))

# Stacks of the scope beside those that the contract requires. Facts decide which they are, so there is one check for all.
_others := sort({stack | some stack in _stacks; is_string(stack); not stack in _required})

_holds_of_others(claim, steps, offenders) := check.of({
	"subject": _rehearsal,
	"claim": claim,
	"refs": array.concat([_scope(["stacks"])], [_step(step, []) | some step in steps]),
	"handles": [],
	"holds": count(offenders) == 0,
	"expected": [],
	"actual": offenders,
})

_is_scope(stacks) if {
	count(stacks) == count({stack | some stack in stacks})
	count([stack | some stack in _required; not stack in stacks]) == 0
	count([stack | some stack in stacks; not stack in object.keys(data.contract.m2.stacks)]) == 0
} else := false

_approval := found if {
	found := fact.value(_scope(["approval"]))
	is_object(found)
} else := {}

default _is_approved := false

_is_approved if {
	fact.is_text(object.get(_approval, "approved_by", null))
	moment.is_in_span(
		fact.value(_scope(["started_at"])),
		object.get(_approval, "approved_at", null),
		object.get(_approval, "expires_at", null),
	)
}

default _is_scope_touched := false

_is_scope_touched if {
	is_array(fact.value(_scope(["touched"])))
	{stack | some stack in fact.list(_scope(["touched"]))} == {stack | some stack in _stacks}
	every stack in _told_of {
		stack in _stacks
	}
}

_stack_steps := ["baseline", "destroy", "recover", "post_recovery"]

# The stacks that any step says something of.
_told_of := sort({stack |
	some step in _stack_steps
	steps := fact.value(_step(step, []))
	is_object(steps)
	some stack, _ in steps
})

_allowlist := object.get(data.contract.m2.rehearsal, "allowlist", null)

default _is_allowlist_defined := false

_is_allowlist_defined if {
	is_array(_allowlist)
	is_array(fact.value(_scope(["allowlist"])))
	count([pattern | some pattern in _allowlist; not _names_resource(pattern)]) == 0
}

# Behind partition, service, region and account an ARN names its resource.
_names_resource(pattern) if {
	is_string(pattern)
	startswith(pattern, "arn:")
	parts := split(pattern, ":")
	trim(concat(":", array.slice(parts, 5, count(parts))), "*:/") != ""
} else := false

_is_destroyed(stack) if {
	fact.value(_of("destroy", stack, ["exit_code"])) == 0
	fact.value(_of("destroy", stack, ["remaining"])) == []
} else := false

_is_destroyed_whole(stack) if {
	_is_positive(fact.value(_of("destroy", stack, ["destroyed"])))
	fact.value(_of("destroy", stack, ["destroyed"])) == fact.value(_of("baseline", stack, ["resource_count"]))
} else := false

_is_positive(value) if {
	is_number(value)
	value > 0
} else := false
