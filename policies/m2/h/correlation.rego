package m2.h

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle

# METADATA
# title: Correlation contract missing, incoherent or not wired
# description: |
#   A `CORRELATION_*` handle is missing or not as the contract has it: the mode, the required fields and headers, that
#   enforcement fails closed, the path of the audit. Or the contract is not wired: the edge's function is not given what
#   the handles pin, nobody is alarmed when the edge refuses requests, or the audit has no log group of the pinned
#   retention.
# custom:
#   code: M2H-B8
#   severity: S1
#   taxonomy: M2-B12
#   remediation: >-
#     Pin the handles to the contract; apply the runtime stack for the function's variables, and the ops stack for the
#     alarm and the log group.
b8 contains check.pinned_as(name, "it is pinned to the contract's value", expected) if {
	some name, expected in _correlation.pinned
}

b8 contains _lists(name, required) if some name, required in _correlation.lists

b8 contains _is_path(_correlation.audit_pattern.handle, _correlation.audit_pattern.placeholders)

b8 contains check.of({
	"subject": name,
	"claim": "the function is given it",
	"refs": [_variable(name)],
	"handles": [name],
	"holds": _is_given(fact.value(_variable(name)), handle.value(name)),
	"expected": handle.value(name),
	"actual": fact.value(_variable(name)),
}) if {
	some name in _correlation.wired
}

b8 contains check.equals_handle(
	_correlation.alarm,
	"AWS reports an alarm under it",
	aws.alarm(_correlation.alarm, ["AlarmName"]),
	_correlation.alarm,
)

b8 contains check.equals(_correlation.alarm, "the alarm may act", aws.alarm(_correlation.alarm, ["ActionsEnabled"]), true)

b8 contains _has_actions(_correlation.alarm)

b8 contains check.of({
	"subject": _correlation.log_group_prefix,
	"claim": "the audit has a log group below it",
	"refs": [_log_groups],
	"handles": [],
	"holds": count(_audit_groups) == 1,
	"expected": _audit_group_name,
	"actual": sort({object.get(group, "logGroupName", null) | some group in fact.list(_log_groups); is_object(group)}),
})

b8 contains check.of({
	"subject": _correlation.log_retention,
	"claim": "the audit's log group keeps its events as long",
	"refs": [_log_groups],
	"handles": [_correlation.log_retention],
	"holds": check.same(_retentions, [handle.value(_correlation.log_retention)]),
	"expected": handle.value(_correlation.log_retention),
	"actual": _retentions,
})

_correlation := data.contract.m2.correlation

_function := data.contract.m2.edge.function

_variable(name) := aws.function(_function, "configuration", ["Environment", "Variables", name])

# A variable is a text, whatever the handle is: that of a list has its elements in any order, between commas.
_is_given(variable, value) if {
	is_string(variable)
	check.same_elements(split(variable, ","), value)
} else if {
	variable == {true: "true", false: "false"}[value]
} else := check.same(variable, value)

_log_groups := aws.log_groups(_correlation.log_group_prefix, ["logGroups"])

_audit_group_name := sprintf("%v/%v", [handle.value(_correlation.log_group_prefix), _correlation.audit_log_group])

_audit_groups := [group |
	some group in fact.list(_log_groups)
	is_object(group)
	object.get(group, "logGroupName", null) == _audit_group_name
]

_retentions := [object.get(group, "retentionInDays", null) | some group in _audit_groups]
