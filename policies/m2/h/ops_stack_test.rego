package m2.h_test

import data.lib.fixture_test as fixture

# The lanes that read what the tables damage by contract; the whole gate has tables of its own.
_lanes := {"M2H"}

_ready := data.lib.fixture_test.ready

_of(step) := ["terraform", "stacks", "ops", step]

_role := ["aws", "iam", "roles", "arn:aws:iam::123456789012:role/mwaa", "role"]

_budget := ["aws", "budgets", "budgets", "monthly", "budget"]

_notifications := ["aws", "budgets", "budgets", "monthly", "notifications"]

_alarm(name) := ["aws", "cloudwatch", "alarms", name, "alarm"]

_dashboard(name) := ["aws", "cloudwatch", "dashboards", name, "dashboard"]

_groups := ["aws", "logs", "groups", "/fraud-platform/dev_full", "groups"]

_function := ["aws", "lambda", "functions", "ig-handler", "configuration"]

_description(path) := ["aws", "ssm", "parameters", sprintf("/fraud-platform/dev_full/%v", [path]), "metadata"]

_budgeted(field, value) := fixture.put(
	_ready,
	array.concat(_budget, array.concat(["value", "Budget"], field)),
	value,
)

# The document in which one of the three notifications is another. The last one is a percentage.
_notified(index, field, value) := fixture.put(
	_ready,
	array.concat(_notifications, ["value", "Notifications", index, field]),
	value,
)

_untold(number) := {[
	"M2H-B6",
	sprintf("DEV_FULL_BUDGET_ALERT_%v_USD", [number]),
	"somebody is told when it is spent",
	"violated",
]}

_wrong_limit := ["M2H-B6", "DEV_FULL_MONTHLY_BUDGET_LIMIT_USD", "it is the limit of the budget", "violated"]

_wrong_order := {["M2H-B6", "DEV_FULL_MONTHLY_BUDGET_LIMIT_USD", "the alerts rise and do not exceed it", "violated"]}

_alarmless(name, claim, cause) := {["M2H-B6", name, claim, cause]}

# The alarm on refused requests also belongs to the correlation contract.
_refused(claim, cause) := {[code, "ALARM_IG_4XX_5XX", claim, cause] | some code in ["M2H-B6", "M2H-B8"]}

# What a damage must turn red, and nothing else.
_damaged := {
	"a role that trusts one of Airflow's services only": {
		"document": fixture.put(
			_ready,
			array.concat(_role, ["value", "AssumeRolePolicyDocument", "Statement", 0, "Principal", "Service"]),
			"airflow.amazonaws.com",
		),
		"expected": {["M2H-B3", "ROLE_MWAA_EXECUTION", "it trusts its own service and nobody else", "violated"]},
	},
	"a parameter that is not there": {
		"document": fixture.absent(_ready, _description("redis/endpoint")),
		"expected": {["M2H-B4", "SSM_REDIS_ENDPOINT_PATH", "the parameter is there", "absent"]},
	},
	"a budget of usage": {
		"document": _budgeted(["BudgetType"], "USAGE"),
		"expected": {["M2H-B6", "AWS_BUDGET_NAME", "it is a budget of costs", "violated"]},
	},
	"a budget that has ended": {
		"document": _budgeted(["TimePeriod", "End"], 1771788010),
		"expected": {["M2H-B6", "AWS_BUDGET_NAME", "it still runs", "violated"]},
	},
	"a budget that does not say when it ends": {
		"document": _budgeted(["TimePeriod"], {}),
		"expected": {["M2H-B6", "AWS_BUDGET_NAME", "it still runs", "violated"]},
	},
	"a budget of a year": {
		"document": _budgeted(["TimeUnit"], "ANNUALLY"),
		"expected": {["M2H-B6", "AWS_BUDGET_NAME", "it starts anew each month", "violated"]},
	},
	"a budget in another currency": {
		"document": _budgeted(["BudgetLimit", "Unit"], "EUR"),
		"expected": {["M2H-B6", "BUDGET_CURRENCY", "it is the currency of the budget", "violated"]},
	},
	"another limit, of which a percentage comes to something else": {
		"document": _budgeted(["BudgetLimit", "Amount"], "400"),
		"expected": {_wrong_limit} | _untold(3),
	},
	"a limit that is no amount": {
		"document": _budgeted(["BudgetLimit", "Amount"], "much"),
		"expected": {_wrong_limit} | _untold(3),
	},
	"a limit as a number": {"document": _budgeted(["BudgetLimit", "Amount"], 300), "expected": set()},
	"a notification of another amount": {"document": _notified(0, "Threshold", 120.01), "expected": _untold(1)},
	"a notification of what is forecast": {
		"document": _notified(1, "NotificationType", "FORECASTED"),
		"expected": _untold(2),
	},
	"a notification of less": {
		"document": _notified(1, "ComparisonOperator", "LESS_THAN"),
		"expected": _untold(2),
	},
	"a notification that nobody hears": {"document": _notified(2, "Subscribers", []), "expected": _untold(3)},
	"subscribers that are malformed": {"document": _notified(2, "Subscribers", "x"), "expected": _untold(3)},
	"subscribers that are nobody": {"document": _notified(2, "Subscribers", [{}, null]), "expected": _untold(3)},
	"a subscriber without an address": {
		"document": _notified(2, "Subscribers", [{"SubscriptionType": "EMAIL", "Address": " "}]),
		"expected": _untold(3),
	},
	"a threshold of another kind": {"document": _notified(0, "ThresholdType", "SHARE"), "expected": _untold(1)},
	"no notification but one that is malformed": {
		"document": fixture.put(_ready, array.concat(_notifications, ["value", "Notifications"]), ["x"]),
		"expected": (_untold(1) | _untold(2)) | _untold(3),
	},
	"alerts in another order": {
		"document": fixture.pinned(
			fixture.pinned(_ready, "DEV_FULL_BUDGET_ALERT_1_USD", 210),
			"DEV_FULL_BUDGET_ALERT_2_USD",
			120,
		),
		"expected": _wrong_order,
	},
	"the same alert twice": {
		"document": fixture.pinned(_ready, "DEV_FULL_BUDGET_ALERT_1_USD", 210),
		"expected": _wrong_order,
	},
	"an alert as text": {
		"document": fixture.pinned(_ready, "DEV_FULL_BUDGET_ALERT_1_USD", "120"),
		"expected": _wrong_order,
	},
	"an alarm that is not there": {
		"document": fixture.absent(_ready, _alarm("rtdl-lag")),
		"expected": {["M2H-B6", "ALARM_RTDL_LAG", claim, "absent"] |
			some claim in ["AWS reports an alarm under it", "the alarm may act", "the alarm has something to do"]
		},
	},
	"an alarm that may not act": {
		"document": fixture.put(_ready, array.concat(_alarm("error-rate"), ["value", "ActionsEnabled"]), false),
		"expected": _alarmless("ALARM_PLATFORM_ERROR_RATE", "the alarm may act", "violated"),
	},
	"an alarm on refused requests that may not act": {
		"document": fixture.put(_ready, array.concat(_alarm("ig-http"), ["value", "ActionsEnabled"]), false),
		"expected": _refused("the alarm may act", "violated"),
	},
	"an alarm on refused requests with nothing to do": {
		"document": fixture.put(_ready, array.concat(_alarm("ig-http"), ["value", "AlarmActions"]), []),
		"expected": _refused("the alarm has something to do", "violated"),
	},
	"a dashboard that is not there": {
		"document": fixture.absent(_ready, _dashboard("cost")),
		"expected": {["M2H-B6", "CW_DASHBOARD_COST_GUARDRAIL", claim, "absent"] |
			some claim in ["AWS reports a dashboard under it", "the dashboard shows something"]
		},
	},
	"an empty dashboard": {
		"document": fixture.put(_ready, array.concat(_dashboard("cost"), ["value", "DashboardBody", "widgets"]), []),
		"expected": {["M2H-B6", "CW_DASHBOARD_COST_GUARDRAIL", "the dashboard shows something", "violated"]},
	},
	"no address to tell": {
		"document": fixture.without(_ready, array.concat(_of("outputs"), ["value", "values", "aws_budget_notification_email"])),
		"expected": {
			["M2H-B6", "AWS_BUDGET_NOTIFICATION_EMAIL", "the stack outputs an address to tell", "violated"],
			["M2H-B7", "ops", "terraform output and the state name the same outputs", "evidence"],
		},
	},
	"a path that every execution overwrites": {
		"document": fixture.pinned(_ready, "DAILY_COST_POSTURE_PATH_PATTERN", "evidence/daily.json"),
		"expected": {["M2H-B6", "DAILY_COST_POSTURE_PATH_PATTERN", "it is a valid path", "violated"]},
	},
	"a guardrail that is switched off": {
		"document": fixture.pinned(_ready, "PHASE_COST_OUTCOME_REQUIRED", false),
		"expected": {["M2H-B6", "PHASE_COST_OUTCOME_REQUIRED", "the guardrail is switched on", "violated"]},
	},
	"a guardrail that is not pinned": {
		"document": fixture.pinned(_ready, "TEARDOWN_BLOCK_ON_RESIDUAL_RISK", "TO_PIN"),
		"expected": {["M2H-B6", "TEARDOWN_BLOCK_ON_RESIDUAL_RISK", "the guardrail is switched on", "unpinned"]},
	},
	"a receipt that lacks fields": {
		"document": fixture.pinned(_ready, "COST_OUTCOME_RECEIPT_REQUIRED_FIELDS", "phase_id,spend_amount"),
		"expected": {[
			"M2H-B6",
			"COST_OUTCOME_RECEIPT_REQUIRED_FIELDS",
			"it lists exactly what the contract requires",
			"violated",
		]},
	},
	"correlation that fails open": {
		"document": fixture.pinned(_ready, "CORRELATION_ENFORCEMENT_FAIL_CLOSED", false),
		"expected": {
			["M2H-B8", "CORRELATION_ENFORCEMENT_FAIL_CLOSED", "it is pinned to the contract's value", "violated"],
			["M2H-B8", "CORRELATION_ENFORCEMENT_FAIL_CLOSED", "the function is given it", "violated"],
		},
	},
	"a function that fails open": {
		"document": fixture.put(
			_ready,
			array.concat(_function, ["value", "Environment", "Variables", "CORRELATION_ENFORCEMENT_FAIL_CLOSED"]),
			"false",
		),
		"expected": {["M2H-B8", "CORRELATION_ENFORCEMENT_FAIL_CLOSED", "the function is given it", "violated"]},
	},
	"fields as a list in another order": {
		"document": fixture.pinned(_ready, "CORRELATION_REQUIRED_FIELDS", [
			"trace_id", "phase_id", "event_id", "runtime_lane", "scenario_run_id", "platform_run_id",
		]),
		"expected": set(),
	},
	"fields that are no list": {
		"document": fixture.pinned(_ready, "CORRELATION_REQUIRED_FIELDS", 7),
		"expected": {["M2H-B8", "CORRELATION_REQUIRED_FIELDS", claim, "violated"] |
			some claim in ["it lists exactly what the contract requires", "the function is given it"]
		},
	},
	"a function that is not given the mode": {
		"document": fixture.without(
			_ready,
			array.concat(_function, ["value", "Environment", "Variables", "CORRELATION_MODE"]),
		),
		"expected": {["M2H-B8", "CORRELATION_MODE", "the function is given it", "violated"]},
	},
	"no log group of the audit": {
		"document": fixture.put(_ready, array.concat(_groups, ["value", "logGroups"]), ["malformed"]),
		"expected": {
			["M2H-B8", "CLOUDWATCH_LOG_GROUP_PREFIX", "the audit has a log group below it", "violated"],
			["M2H-B8", "LOG_RETENTION_DAYS", "the audit's log group keeps its events as long", "violated"],
		},
	},
	"an audit that never expires": {
		"document": fixture.without(_ready, array.concat(_groups, ["value", "logGroups", 1, "retentionInDays"])),
		"expected": {["M2H-B8", "LOG_RETENTION_DAYS", "the audit's log group keeps its events as long", "violated"]},
	},
}

test_each_damage_blocks_exactly_as_its_table_says if {
	found := {name: fixture.difference(damage.document, _lanes, damage.expected) | some name, damage in _damaged}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _damaged}
}

# The codes that an observation decides, when it cannot be read.
_decides := {
	_of("init"): {"M2H-B2"},
	_of("plan"): {"M2H-B2", "M2H-B5"},
	_of("outputs"): {"M2H-B2", "M2H-B3", "M2H-B6", "M2H-B7"},
	_of("state"): {"M2H-B1", "M2H-B7"},
	_role: {"M2H-B3"},
	_description("aurora/password"): {"M2H-B4"},
	_budget: {"M2H-B6"},
	["aws", "costexplorer", "windows", "month_to_date", "cost"]: {"M2H-B7"},
	_notifications: {"M2H-B6"},
	_alarm("error-rate"): {"M2H-B6"},
	_alarm("ig-http"): {"M2H-B6", "M2H-B8"},
	_dashboard("cost"): {"M2H-B6"},
	_groups: {"M2H-B8"},
	_function: {"M2H-B8"},
}

test_each_unreadable_fact_turns_exactly_its_readers_red if {
	unread := fixture.unread(_decides, _lanes)
	{at: fixture.codes_of(blocking) | some at, blocking in unread} == _decides
	unread == {at: fixture.readers(at, _lanes, "unreadable") | some at, _ in _decides}
}

test_each_unpinned_handle_blocks if {
	codes := {name: fixture.codes(fixture.pinned(_ready, name, "TO_PIN"), _lanes) |
		some name in [
			"ROLE_MWAA_EXECUTION", "SSM_REDIS_ENDPOINT_PATH", "AWS_BUDGET_NAME", "BUDGET_CURRENCY",
			"AWS_BUDGET_NOTIFICATION_EMAIL", "DEV_FULL_BUDGET_ALERT_1_USD", "ALARM_IG_4XX_5XX",
			"CW_DASHBOARD_COST_GUARDRAIL", "CORRELATION_MODE", "CORRELATION_AUDIT_PATH_PATTERN",
			"CLOUDWATCH_LOG_GROUP_PREFIX", "LOG_RETENTION_DAYS", "LAMBDA_IG_HANDLER_NAME", "TF_STACK_OPS_DIR",
		]
	}
	codes == {
		"ROLE_MWAA_EXECUTION": {"M2H-B3", "M2H-B7"},
		"SSM_REDIS_ENDPOINT_PATH": {"M2H-B4", "M2H-B7"},
		"AWS_BUDGET_NAME": {"M2H-B6", "M2H-B7"},
		"BUDGET_CURRENCY": {"M2H-B6"},
		"AWS_BUDGET_NOTIFICATION_EMAIL": {"M2H-B6"},
		"DEV_FULL_BUDGET_ALERT_1_USD": {"M2H-B6"},
		"ALARM_IG_4XX_5XX": {"M2H-B6", "M2H-B7", "M2H-B8"},
		"CW_DASHBOARD_COST_GUARDRAIL": {"M2H-B6", "M2H-B7"},
		"CORRELATION_MODE": {"M2H-B8"},
		"CORRELATION_AUDIT_PATH_PATTERN": {"M2H-B8"},
		"CLOUDWATCH_LOG_GROUP_PREFIX": {"M2H-B7", "M2H-B8"},
		"LOG_RETENTION_DAYS": {"M2H-B8"},
		"LAMBDA_IG_HANDLER_NAME": {"M2H-B7", "M2H-B8"},
		"TF_STACK_OPS_DIR": {"M2H-B1", "M2H-B2", "M2H-B3", "M2H-B5", "M2H-B6", "M2H-B7"},
	}
}

# What the registry pins beside what the contract requires is judged like it.
test_another_alarm_or_dashboard_is_judged_too if {
	blocked := {value: {[blocker[1], blocker[3]] |
		some name in ["ALARM_EXTRA", "CW_DASHBOARD_EXTRA"]
		some blocker in fixture.blockers_of(fixture.put(_ready, ["handles", name], {"value": value, "line": 1}), _lanes)
		blocker[0] == "M2H-B6"
		blocker[1] == name
	} |
		some value in ["extra", "TO_PIN", null]
	}
	blocked == {
		"extra": {["ALARM_EXTRA", "unreadable"], ["CW_DASHBOARD_EXTRA", "unreadable"]},
		"TO_PIN": {["ALARM_EXTRA", "unpinned"], ["CW_DASHBOARD_EXTRA", "unpinned"]},
		null: set(),
	}
}
