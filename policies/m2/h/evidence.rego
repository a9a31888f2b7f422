package m2.h

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.receipt
import data.lib.report
import data.lib.snapshot
import data.lib.stack

# METADATA
# title: Evidence of the operations stack is missing or inconsistent
# description: |
#   An observation of this lane lacks the calls that it came from, a call ended otherwise than the observation says, what
#   Terraform said at one step contradicts another, or what was spent could not be read. A read behind a handle that is not pinned has no receipt, so
#   such a handle blocks here, too.
# custom:
#   code: M2H-B7
#   severity: S2
#   taxonomy: M2-B8
#   remediation: Collect again with the permissions named by the unreadable facts; never edit a fact document by hand.
b7 contains receipt.identifies("run")

b7 contains claim if some claim in stack.consistent(_stack)

b7 contains receipt.backs(ref) if some ref in _observed

# What has been spent is judged by the budget; but a run that could not read it has not seen all of the lane.
b7 contains check.known("run", "the spending of the month could be read", aws.spending([]))

_observed := [ref |
	some refs in [
		_stack_refs,
		_budget_refs,
		[aws.spending([])],
		[aws.role(_ops.role.handle, "role", [])],
		[aws.parameter(name, "metadata", []) | some name in _ops.paths],
		[aws.alarm(name, []) | some name in _alarms],
		[aws.dashboard(name, []) | some name in _dashboards],
		_correlation_refs,
	]
	some ref in refs
]

_stack_refs := [stack.step(_stack, step, []) |
	some step in ["init", "validate", "plan", "apply", "post_apply_plan", "outputs", "state"]
]

_budget_refs := [aws.budget(_ops.budget.name, aspect, []) | some aspect in ["budget", "notifications"]]

_correlation_refs := [
	aws.function(_function, "configuration", []),
	aws.log_groups(_correlation.log_group_prefix, []),
]

observations contains claim if some claim in snapshot.observations(_stack)

observations contains {
	"subject": name,
	"message": "the alarm is ringing",
	"facts": [fact.pointer(ref)],
} if {
	some name in _alarms
	ref := aws.alarm(name, ["StateValue"])
	fact.value(ref) == "ALARM"
}

# Somebody is told of these, too; the registry does not pin them.
observations contains {
	"subject": _ops.budget.name,
	"message": sprintf("notifications beyond the pinned alerts: %v", [extra]),
	"facts": [fact.pointer(_notifications)],
} if {
	alerts := {notification | some name in _ops.budget.alerts; some notification in _alerts(name)}
	extra := count({notification | some notification in fact.list(_notifications)} - alerts)
	extra > 0
}

artifacts := object.union(
	{
		"m2h_ops_output.json": report.artifact("M2.H", _output),
		"m2h_blocker_register.json": report.blocker_register("M2.H"),
		"m2h_execution_summary.json": report.execution_summary("M2.H"),
	},
	snapshot.logs(_stack),
)

_output := {
	"plan": snapshot.plan(_stack, b2),
	"apply": snapshot.apply(_stack, b1),
	"stability": report.checks(b5),
	"outputs": snapshot.outputs(_stack, {
		_ops.role.handle: _ops.role.output,
		_ops.budget.name: _ops.outputs[_ops.budget.name],
	}),
	"role": {
		"handles": report.handles([_ops.role.handle]),
		"facts": report.readings([aws.role(_ops.role.handle, "role", [])]),
		"conformance": report.checks(b3),
	},
	"paths": {
		"handles": report.handles(_ops.paths),
		"facts": {name: report.reading(aws.parameter(name, "metadata", [])) | some name in _ops.paths},
		"conformance": report.checks(b4),
	},
	"guardrails": {
		"handles": report.handles(_guardrail_handles),
		"budget": report.readings(_budget_refs),
		"alarms": {name: report.reading(aws.alarm(name, [])) | some name in _alarms},
		"dashboards": {name: report.reading(aws.dashboard(name, [])) | some name in _dashboards},
		"conformance": report.checks(b6),
	},
	"correlation": {
		"handles": report.handles(handle.mentioned("CORRELATION_")),
		"contract": _correlation,
		"variables": {name: fact.value(_variable(name)) | some name in _correlation.wired},
		"log_groups": report.reading(aws.log_groups(_correlation.log_group_prefix, [])),
		"conformance": report.checks(b8),
	},
}

# The address is left out: it is a person's.
_guardrail_handles := [name |
	some names in [
		[_ops.budget.name, _ops.budget.limit, _ops.budget.currency, _ops.receipt_fields.handle],
		_ops.budget.alerts,
		_alarms,
		_dashboards,
		[name | some name, _ in _ops.path_patterns],
	]
	some name in names
]
