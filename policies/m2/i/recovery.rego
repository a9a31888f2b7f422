package m2.i

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.iam
import data.lib.moment
import data.lib.stack

# METADATA
# title: A recovered stack is not as it was
# description: |
#   A stack of the scope came back with other resources, another lineage or other outputs, a handle is no longer what
#   the recovered stack puts out, the plan after the recovery is not clean, or the state has been replaced since.
#   Outputs that may change with every creation are named by the contract.
# custom:
#   code: M2I-B4
#   severity: S1
#   taxonomy: M2-B7
#   remediation: >-
#     Compare baseline and recovery in `m2i_post_recovery_integrity_snapshot.json`, bring the stack back to its
#     baseline, and pin handles whose outputs rightly changed with `factgate handles pin`.
b4 contains check.of({
	"subject": name,
	"claim": comparison.claim,
	"refs": [_of("baseline", name, [comparison.field]), _of("post_recovery", name, [comparison.field])],
	"handles": [],
	"holds": _is_preserved(name, comparison),
	"expected": fact.value(_of("baseline", name, [comparison.field])),
	"actual": fact.value(_of("post_recovery", name, [comparison.field])),
}) if {
	some name in _required
	some comparison in _comparisons
}

b4 contains check.equals(
	name,
	"the plan after the recovery shows no changes",
	_of("post_recovery", name, ["exit_code"]),
	0,
) if {
	some name in _required
}

b4 contains check.equals_handle(
	handle_name,
	"the recovered stack puts out the handle's value",
	_of("post_recovery", name, ["outputs", output]),
	handle_name,
) if {
	some name, outputs in data.contract.m2.rehearsal.outputs
	some handle_name, output in outputs
}

b4 contains check.of({
	"subject": name,
	"claim": "the state of this run is the recovered one",
	"refs": [
		stack.answer(name, "state", ["lineage"]),
		_of("post_recovery", name, ["lineage"]),
	],
	"handles": [],
	"holds": _is_recovered_state(name),
	"expected": {field: fact.value(_of("post_recovery", name, [field])) | some field in ["lineage", "serial"]},
	"actual": {field: fact.value(stack.answer(name, "state", [field])) | some field in ["lineage", "serial"]},
}) if {
	some name in _required
}

b4 contains _holds_of_others(
	"every other stack of the scope is as it was",
	["baseline", "post_recovery"],
	[name | some name in _others; not _is_as_it_was(name)],
)

# METADATA
# title: A forbidden residual remains
# description: |
#   A resource carries the project's tag, is in no stack's state, and is not allowed to remain. The state bucket and
#   the lock table always are.
# related_resources:
#   - ref: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
# custom:
#   code: M2I-B5
#   severity: S1
#   taxonomy: M2-B7
#   remediation: >-
#     Delete the resource, import it into the stack that owns it, or have it allowed in the contract's
#     `rehearsal.allowlist`.
b5 contains check.of({
	"subject": data.contract.m2.tag_inventory,
	"claim": "no resource remains that no state manages",
	"refs": array.concat([_inventory], _arn_refs),
	"handles": [name | some name, _ in data.contract.m2.rehearsal.always_allowed],
	"holds": _has_no_residual,
	"expected": [],
	"actual": _residuals,
})

b5 contains check.of({
	"subject": name,
	"claim": "the state lists the ARNs of its resources",
	"refs": [ref],
	"handles": [],
	"holds": is_array(fact.value(ref)),
	"expected": "a list",
	"actual": type_name(fact.value(ref)),
}) if {
	some name, _ in data.contract.m2.stacks
	ref := stack.answer(name, "state", ["resource_arns"])
}

# METADATA
# title: Cost posture of the rehearsal unknown
# description: |
#   The cost of the rehearsal's days is missing or incomplete, in another currency than `BUDGET_CURRENCY`, or of days
#   that do not cover the rehearsal.
# custom:
#   code: M2I-B6
#   severity: S2
#   taxonomy: M2-B7
#   remediation: >-
#     Let the collector read Cost Explorer for the days of the rehearsal; what a day cost is complete only some time
#     after it.
b6 contains check.of({
	"subject": _rehearsal,
	"claim": "what its days cost is known",
	"refs": [_step("cost", ["amount"])],
	"handles": [],
	"holds": _is_amount(fact.value(_step("cost", ["amount"]))),
	"expected": "an amount",
	"actual": fact.value(_step("cost", ["amount"])),
})

b6 contains check.of({
	"subject": _rehearsal,
	"claim": "the cost is that of its days",
	"refs": [_step("cost", ["ResultsByTime"]), _window("start")],
	"handles": [],
	"holds": _is_of_window,
	"expected": {"from": fact.value(_window("start")), "until": fact.value(_window("end"))},
	"actual": _days,
})

b6 contains check.equals(_rehearsal, "the cost is complete", _step("cost", ["complete"]), true)

b6 contains check.equals_handle(
	data.contract.m2.rehearsal.currency,
	"the cost of the rehearsal is in this currency",
	_step("cost", ["currency"]),
	data.contract.m2.rehearsal.currency,
)

b6 contains check.of({
	"subject": _rehearsal,
	"claim": "the days of the cost cover it",
	"refs": [_step("cost", ["window"]), _scope(["started_at"])],
	"handles": [],
	"holds": _is_window_complete,
	"expected": {
		"no later than": moment.day(fact.value(_scope(["started_at"]))),
		"later than": moment.day(fact.value(_scope(["ended_at"]))),
	},
	"actual": fact.value(_step("cost", ["window"])),
})

# What has to be the same before and after: as a whole, in any order, or up to outputs that may change.
_comparisons := [
	{"field": "resource_count", "claim": "as many resources as before", "by": "number"},
	{"field": "managed_resources", "claim": "the same resources as before", "by": "elements"},
	{"field": "outputs", "claim": "the same outputs as before", "by": "outputs"},
	{"field": "lineage", "claim": "the state keeps its lineage", "by": "text"},
]

_is_preserved(name, comparison) := _is_same(
	comparison.by,
	fact.value(_of("baseline", name, [comparison.field])),
	fact.value(_of("post_recovery", name, [comparison.field])),
)

_is_same("number", before, after) if {
	_is_positive(before)
	before == after
} else := false

_is_same("text", before, after) if {
	fact.is_text(before)
	before == after
} else := false

_is_same("elements", before, after) if {
	is_array(before)
	count(before) > 0
	check.same_elements(after, before)
} else := false

_is_same("outputs", before, after) if {
	is_object(before)
	is_object(after)
	object.keys(before) == object.keys(after)
	object.remove(before, data.contract.m2.rehearsal.volatile_outputs) == object.remove(
		after,
		data.contract.m2.rehearsal.volatile_outputs,
	)
} else := false

_is_as_it_was(name) if {
	fact.value(_of("post_recovery", name, ["exit_code"])) == 0
	count([comparison | some comparison in _comparisons; not _is_preserved(name, comparison)]) == 0
} else := false

# A later apply counts the serial up.
_is_recovered_state(name) if {
	check.same(
		fact.value(stack.answer(name, "state", ["lineage"])),
		fact.value(_of("post_recovery", name, ["lineage"])),
	)
	now := fact.value(stack.answer(name, "state", ["serial"]))
	recovered := fact.value(_of("post_recovery", name, ["serial"]))
	is_number(now)
	is_number(recovered)
	now >= recovered
} else := false

_inventory := aws.inventory(["ResourceTagMappingList"])

_arn_refs := [stack.answer(name, "state", ["resource_arns"]) | some name, _ in data.contract.m2.stacks]

# A log group is listed with or without what stands for its streams.
_plain(arn) := trim_suffix(arn, ":*")

_managed_arns := {_plain(arn) | some ref in _arn_refs; some arn in fact.list(ref); is_string(arn)}

# What no state manages, and the pattern that allows it to remain; null where none does. An entry without an ARN is one
# that nobody can account for.
_unmanaged[arn] := _allowed_by(arn) if {
	some resource in fact.list(_inventory)
	arn := _arn(resource)
	not _plain(arn) in _managed_arns
}

_arn(resource) := arn if {
	is_object(resource)
	arn := object.get(resource, "ResourceARN", null)
	is_string(arn)
} else := "an entry without an ARN"

_allowed_by(arn) := hits[0] if {
	hits := sort([pattern | some pattern in _allowed_patterns; iam.matches(pattern, arn)])
	count(hits) > 0
} else := null

_allowed_patterns := {pattern | some pattern in _list(_allowlist); _names_resource(pattern)} | _always_allowed

_always_allowed := {replace(template, "{name}", handle.value(name)) |
	some name, template in data.contract.m2.rehearsal.always_allowed
	is_string(handle.value(name))
}

_residuals := sort([arn | some arn, pattern in _unmanaged; pattern == null])

default _has_no_residual := false

_has_no_residual if {
	is_array(fact.value(_inventory))
	count(_residuals) == 0
}

_list(value) := value if {
	is_array(value)
} else := []

_is_amount(amount) if {
	is_number(amount)
} else if {
	is_string(amount)
	regex.match(`^-?[0-9]+(\.[0-9]+)?$`, amount)
} else := false

_days := [object.get(fact.members(result), ["TimePeriod", "Start"], null) |
	some result in fact.list(_step("cost", ["ResultsByTime"]))
]

default _is_of_window := false

_is_of_window if {
	every day in _days {
		_is_day(day)
		day >= fact.value(_window("start"))
		day < fact.value(_window("end"))
	}
	fact.value(_window("start")) in _days
	count({day | some day in _days}) == count(_days)
	count(_days) == moment.days_between(fact.value(_window("start")), fact.value(_window("end")))
}

default _is_window_complete := false

# Cost Explorer counts in days, and the last one it names is not in it any more.
_is_window_complete if {
	started := moment.day(fact.value(_scope(["started_at"])))
	ended := moment.day(fact.value(_scope(["ended_at"])))
	started != null
	ended != null
	_is_day(fact.value(_window("start")))
	_is_day(fact.value(_window("end")))
	fact.value(_window("start")) <= started
	fact.value(_window("end")) > ended
}

_window(field) := _step("cost", ["window", field])

_is_day(text) if {
	is_string(text)
	regex.match(`^20[0-9]{2}-[0-9]{2}-[0-9]{2}$`, text)
} else := false
