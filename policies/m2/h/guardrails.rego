package m2.h

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.moment
import data.lib.path
import data.lib.stack

# METADATA
# title: Budget, alarm, dashboard or cost contract not as pinned
# description: |
#   The budget is absent or has ended, has another limit, currency or period than pinned, or one of its three alerts has no
#   notification with a subscriber; an alarm is absent or alarms nobody; a dashboard is absent or empty; or the contract
#   that ties spending to an outcome names an invalid path, or other fields than required, or is switched off. An alert's threshold may be
#   an amount or a percentage of the budget's limit, but must come to exactly the pinned amount, and it must be one on
#   what was spent: a forecast needs weeks of history.
# related_resources:
#   - ref: https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-controlling-costs.html
# custom:
#   code: M2H-B6
#   severity: S1
#   taxonomy: M2-B6
#   remediation: Apply the ops stack, or correct the handles of the budget, the alarms, the dashboards and the cost paths.
b6 contains stack.outputs_handle(_stack, _ops.budget.name, _ops.outputs[_ops.budget.name])

b6 contains check.equals_handle(
	_ops.budget.name,
	"AWS reports a budget under it",
	_budget(["BudgetName"]),
	_ops.budget.name,
)

b6 contains check.equals(_ops.budget.name, "it is a budget of costs", _budget(["BudgetType"]), _ops.budget.type)

b6 contains check.of({
	"subject": _ops.budget.name,
	"claim": "it still runs",
	"refs": [_budget(["TimePeriod", "End"])],
	"handles": [],
	"holds": _ends_after(fact.value(_budget(["TimePeriod", "End"])), moment.nanoseconds(_collected_at)),
	"expected": {"seconds since 1970, after": _collected_at},
	"actual": fact.value(_budget(["TimePeriod", "End"])),
})

b6 contains check.equals(_ops.budget.name, "it starts anew each month", _budget(["TimeUnit"]), _ops.budget.time_unit)

b6 contains check.of({
	"subject": _ops.budget.limit,
	"claim": "it is the limit of the budget",
	"refs": [_budget(["BudgetLimit", "Amount"])],
	"handles": [_ops.budget.limit],
	"holds": check.same(_limit, _units(handle.value(_ops.budget.limit))),
	"expected": handle.value(_ops.budget.limit),
	"actual": fact.value(_budget(["BudgetLimit", "Amount"])),
})

b6 contains check.equals_handle(
	_ops.budget.currency,
	"it is the currency of the budget",
	_budget(["BudgetLimit", "Unit"]),
	_ops.budget.currency,
)

b6 contains check.of({
	"subject": _ops.budget.limit,
	"claim": "the alerts rise and do not exceed it",
	"refs": [],
	"handles": array.concat(_ops.budget.alerts, [_ops.budget.limit]),
	"holds": _is_rising(amounts),
	"expected": "amounts above 0, each above the one before, none above the limit",
	"actual": amounts,
}) if {
	amounts := [handle.value(name) | some name in array.concat(_ops.budget.alerts, [_ops.budget.limit])]
}

b6 contains check.of({
	"subject": name,
	"claim": "somebody is told when it is spent",
	"refs": [_notifications, _budget(["BudgetLimit", "Amount"])],
	"handles": [name],
	"holds": count(_alerts(name)) > 0,
	"expected": "a notification of this amount with a subscriber",
	"actual": sort({_described(notification) | some notification in fact.list(_notifications)}),
}) if {
	some name in _ops.budget.alerts
}

# The address is a person's: that there is one is all that can be said of it.
b6 contains check.of({
	"subject": name,
	"claim": "the stack outputs an address to tell",
	"refs": [stack.answer(_stack, "outputs", ["values", output])],
	"handles": [name],
	"holds": is_object(fact.value(stack.answer(_stack, "outputs", ["values", output]))),
	"expected": "an output",
	"actual": fact.status(stack.answer(_stack, "outputs", [])),
}) if {
	some name, output in _ops.outputs
	name != _ops.budget.name
}

b6 contains check.equals_handle(name, "AWS reports an alarm under it", aws.alarm(name, ["AlarmName"]), name) if {
	some name in _alarms
}

b6 contains check.equals(name, "the alarm may act", aws.alarm(name, ["ActionsEnabled"]), true) if {
	some name in _alarms
}

b6 contains _has_actions(name) if some name in _alarms

b6 contains check.equals_handle(
	name,
	"AWS reports a dashboard under it",
	aws.dashboard(name, ["DashboardName"]),
	name,
) if {
	some name in _dashboards
}

b6 contains check.of({
	"subject": name,
	"claim": "the dashboard shows something",
	"refs": [aws.dashboard(name, ["DashboardBody", "widgets"])],
	"handles": [],
	"holds": count(widgets) > 0,
	"expected": "at least one widget",
	"actual": count(widgets),
}) if {
	some name in _dashboards
	widgets := [widget | some widget in fact.list(aws.dashboard(name, ["DashboardBody", "widgets"])); is_object(widget)]
}

b6 contains _is_path(name, placeholders) if some name, placeholders in _ops.path_patterns

b6 contains check.pinned_as(name, "the guardrail is switched on", expected) if {
	some name, expected in _ops.guardrails
}

b6 contains _lists(_ops.receipt_fields.handle, _ops.receipt_fields.required)

# What the contract requires, and what the registry pins or means to beside it. A bare name has no value yet, and asks for
# nothing.
_alarms := _required_and_pinned(_ops.alarms, _ops.alarm_prefix)

_dashboards := _required_and_pinned(_ops.dashboards, _ops.dashboard_prefix)

_required_and_pinned(required, prefix) := {name | some name in required} | {name |
	some name in handle.mentioned(prefix)
	handle.raw(name) != null
}

_budget(field) := aws.budget(_ops.budget.name, "budget", array.concat(["Budget"], field))

_collected_at := object.get(input, ["run", "collected_at"], null)

# Budgets gives its moments in seconds since 1970.
_ends_after(end, now) if {
	is_number(end)
	is_number(now)
	end * 1000000000 > now
} else := false

_notifications := aws.budget(_ops.budget.name, "notifications", ["Notifications"])

_limit := _units(fact.value(_budget(["BudgetLimit", "Amount"])))

# An amount in hundredths of a cent: whole numbers are the same under every engine. AWS writes amounts as text.
_units(amount) := round(amount * 10000) if {
	is_number(amount)
} else := round(to_number(amount) * 10000) if {
	is_string(amount)
	regex.match(`^[0-9]+(\.[0-9]+)?$`, amount)
} else := null

_is_rising(amounts) if {
	every amount in amounts {
		is_number(amount)
	}
	amounts[0] > 0
	last := count(amounts) - 1
	amounts[last - 1] <= amounts[last]
	alerts := array.slice(amounts, 0, last)
	count({amount | some amount in alerts}) == count(alerts)
	sort(alerts) == alerts
} else := false

_alerts(name) := [notification |
	some notification in fact.list(_notifications)
	is_object(notification)
	object.get(notification, "NotificationType", null) in _ops.budget.notification_types
	object.get(notification, "ComparisonOperator", null) == _ops.budget.comparison
	_has_subscriber(notification)
	check.same(_threshold(notification), _units(handle.value(name))) == true
]

_has_subscriber(notification) if {
	subscribers := object.get(notification, "Subscribers", [])
	is_array(subscribers)
	some subscriber in subscribers
	is_object(subscriber)
	fact.is_text(object.get(subscriber, "Address", null))
	object.get(subscriber, "SubscriptionType", null) in {"EMAIL", "SNS"}
}

# What the notification's threshold comes to, in hundredths of a cent.
_threshold(notification) := _units(object.get(notification, "Threshold", null)) if {
	object.get(notification, "ThresholdType", null) == "ABSOLUTE_VALUE"
} else := round((notification.Threshold * _limit) / 100) if {
	object.get(notification, "ThresholdType", null) == "PERCENTAGE"
	is_number(notification.Threshold)
	is_number(_limit)
} else := null

_described(notification) := sprintf("%v %v %v (%v), %v", [
	object.get(notification, "NotificationType", null),
	object.get(notification, "ComparisonOperator", null),
	object.get(notification, "Threshold", null),
	object.get(notification, "ThresholdType", null),
	{true: "with a subscriber", false: "without a subscriber"}[_is_heard(notification)],
]) if {
	is_object(notification)
} else := "something else"

_is_heard(notification) if {
	_has_subscriber(notification)
} else := false

_has_actions(name) := check.of({
	"subject": name,
	"claim": "the alarm has something to do",
	"refs": [aws.alarm(name, ["AlarmActions"])],
	"handles": [],
	"holds": count(actions) > 0,
	"expected": "at least one action",
	"actual": actions,
}) if {
	actions := [action | some action in fact.list(aws.alarm(name, ["AlarmActions"])); fact.is_text(action)]
}

_is_path(name, placeholders) := check.of({
	"subject": name,
	"claim": "it is a valid path",
	"refs": [],
	"handles": [name],
	"holds": count(faults) == 0,
	"expected": sprintf("a path with {%v} in it", [concat("}, {", placeholders)]),
	"actual": {"pattern": handle.value(name), "faults": sort(faults)},
}) if {
	faults := path.faults(handle.value(name), placeholders)
}

_lists(name, required) := check.of({
	"subject": name,
	"claim": "it lists exactly what the contract requires",
	"refs": [],
	"handles": [name],
	"holds": handle.listed(name) == {item | some item in required},
	"expected": required,
	"actual": sort(handle.listed(name)),
})
