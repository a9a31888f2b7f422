package m2.h_test

import data.lib.fixture_test as fixture

test_only_alarms_with_a_value_are_asked_for if {
	bare := fixture.put(fixture.pinned(_ready, "ALARM_EXTRA", "extra"), ["handles", "ALARM_BARE"], {"line": 3})
	alarms := data.m2.h._alarms with input as bare
	today := data.m2.h._alarms with input as _ready
	alarms - today == {"ALARM_EXTRA"}
}

test_a_period_ends_after_the_run if {
	now := time.parse_rfc3339_ns("2026-02-22T20:40:11Z")
	second := now / 1000000000
	data.m2.h._ends_after(second + 1, now)
	every end in [second, second - 1, sprintf("%v", [second + 1]), null] {
		data.m2.h._ends_after(end, now) == false
	}
	data.m2.h._ends_after(second + 1, null) == false
}

test_a_period_is_compared_to_the_nanosecond if {
	data.m2.h._ends_after(1, 999999999)
	data.m2.h._ends_after(1, 1000000000) == false
	data.m2.h._ends_after(2, 2000000001) == false
}

test_alerts_rise_and_the_limit_is_no_less_than_the_last if {
	found := [data.m2.h._is_rising(amounts) |
		some amounts in [
			[1, 2, 3, 4],
			[1, 2, 3, 3],
			[1, 4],
			[0, 2, 3, 4],
			[1, 1, 3, 4],
			[2, 1, 3, 4],
			[1, 2, 5, 4],
			[1, null, 3, 4],
			["1", 2, 3, 4],
		]
	]
	found == [true, true, true, false, false, false, false, false, false]
}

_subscribed(subscribers) := data.m2.h._is_heard({"Subscribers": subscribers})

test_a_notification_is_heard_by_somebody_with_an_address if {
	_subscribed([{"SubscriptionType": "EMAIL", "Address": "withheld"}])
	_subscribed([{"SubscriptionType": "SNS", "Address": "arn:aws:sns:eu-west-2:123456789012:x"}])
	_subscribed(["strange", {"SubscriptionType": "EMAIL", "Address": "withheld"}])
	every subscribers in [
		[],
		null,
		{"a": {"SubscriptionType": "EMAIL", "Address": "withheld"}},
		["strange"],
		[{"SubscriptionType": "EMAIL", "Address": " "}],
		[{"SubscriptionType": "EMAIL"}],
		[{"SubscriptionType": "PIGEON", "Address": "withheld"}],
		[{"Address": "withheld"}],
	] {
		_subscribed(subscribers) == false
	}
	data.m2.h._is_heard({}) == false
}

_threshold(notification) := found if {
	found := data.m2.h._threshold(notification) with data.m2.h._limit as 2000000
}

test_a_threshold_is_an_amount_or_a_share_of_the_limit if {
	_threshold({"ThresholdType": "ABSOLUTE_VALUE", "Threshold": 120}) == 1200000
	_threshold({"ThresholdType": "ABSOLUTE_VALUE", "Threshold": "120.5"}) == 1205000
	_threshold({"ThresholdType": "PERCENTAGE", "Threshold": 60}) == 1200000
	_threshold({"ThresholdType": "PERCENTAGE", "Threshold": "60"}) == null
	_threshold({"ThresholdType": "OTHER", "Threshold": 60}) == null
	_threshold({"Threshold": 60}) == null
	without_limit := data.m2.h._threshold({"ThresholdType": "PERCENTAGE", "Threshold": 60}) with data.m2.h._limit as null
	without_limit == null
}

test_an_amount_is_a_number_or_a_text_of_one if {
	found := [data.m2.h._units(amount) | some amount in [1, 1.5, "1", "1.25", "1.", "one", "-1", null, ["1"]]]
	found == [10000, 15000, 10000, 12500, null, null, null, null, null]
}

test_a_notification_is_described if {
	heard := {
		"NotificationType": "ACTUAL",
		"ComparisonOperator": "GREATER_THAN",
		"Threshold": 120,
		"ThresholdType": "ABSOLUTE_VALUE",
		"Subscribers": [{"SubscriptionType": "EMAIL", "Address": "withheld"}],
	}
	data.m2.h._described(heard) == "ACTUAL GREATER_THAN 120 (ABSOLUTE_VALUE), with a subscriber"
	data.m2.h._described(object.remove(heard, ["Subscribers"])) == "ACTUAL GREATER_THAN 120 (ABSOLUTE_VALUE), without a subscriber"
	data.m2.h._described("strange") == "something else"
}

test_only_actual_spending_beyond_a_threshold_is_an_alert if {
	notification := _ready.aws.budgets.budgets.monthly.notifications.value.Notifications[0]
	alerts := {change: count(found) |
		some change, value in {
			"Threshold": notification.Threshold,
			"NotificationType": "FORECASTED",
			"ComparisonOperator": "LESS_THAN",
			"Subscribers": [],
		}
		found := data.m2.h._alerts("DEV_FULL_BUDGET_ALERT_1_USD") with input as _notified(0, change, value)
	}
	alerts == {"Threshold": 1, "NotificationType": 0, "ComparisonOperator": 0, "Subscribers": 0}
	strange := fixture.put(_ready, array.concat(_notifications, ["value", "Notifications", "-"]), "strange")
	found := data.m2.h._alerts("DEV_FULL_BUDGET_ALERT_1_USD") with input as strange
	count(found) == 1
}

test_an_alarm_acts_on_what_is_named if {
	with_actions := {sprintf("%v", [actions]): [check.ok, check.actual] |
		some actions in [["arn:x"], ["arn:x", " ", 7], [" "], []]
		name := "ALARM_RTDL_LAG"
		document := fixture.put(_ready, array.concat(_alarm("rtdl-lag"), ["value", "AlarmActions"]), actions)
		check := data.m2.h._has_actions(name) with input as document
	}
	with_actions == {
		`["arn:x"]`: [true, ["arn:x"]],
		`["arn:x", " ", 7]`: [true, ["arn:x"]],
		`[" "]`: [false, []],
		`[]`: [false, []],
	}
}

test_a_path_pattern_names_its_placeholders if {
	check := data.m2.h._is_path("PATTERN", ["run", "day"]) with input as fixture.pinned(_ready, "PATTERN", "x/{run}/{day}")
	check.expected == "a path with {run}, {day} in it"
	check.ok
}

test_a_dashboard_shows_widgets if {
	name := "DASHBOARD_OPERATIONS"
	shown := {check.actual |
		document := fixture.put(fixture.pinned(_ready, name, "operations"), _dashboard("operations"), {
			"status": "present",
			"value": {"DashboardName": "operations", "DashboardBody": {"widgets": ["strange", {}]}},
			"receipts": [],
		})
		checks := data.m2.h.b6 with input as document with data.m2.h._dashboards as {name}
		some check in checks
		check.claim == "the dashboard shows something"
	}
	shown == {1}
}

test_a_variable_is_the_text_of_its_handle if {
	found := {name: data.m2.h._is_given(pair[0], pair[1]) |
		some name, pair in {
			"text": ["x", "x"],
			"another text": ["y", "x"],
			"list": ["b,a", ["a", "b"]],
			"part of a list": ["a", ["a", "b"]],
			"a number": [7, ["7"]],
			"true": ["true", true],
			"false": ["false", false],
			"the other": ["true", false],
			"the other way": ["false", true],
			"nothing": [null, "x"],
		}
	}
	{name | some name, is_given in found; is_given} == {"text", "list", "true", "false"}
	{name | some name, is_given in found; is_given == false} == {
		"another text", "part of a list", "the other", "the other way", "nothing", "a number",
	}
}
