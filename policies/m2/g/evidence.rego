package m2.g

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.receipt
import data.lib.report
import data.lib.snapshot
import data.lib.stack

# METADATA
# title: Evidence of the data and ML stack is missing or inconsistent
# description: |
#   An observation of this lane lacks the calls that it came from, a call ended otherwise than the observation says,
#   what Terraform said at one step contradicts another, or it could not be read whether the endpoint is there. A read
#   behind a handle that is not pinned has no receipt, so such a handle blocks here, too.
# custom:
#   code: M2G-B6
#   severity: S2
#   taxonomy: M2-B8
#   remediation: Collect again with the permissions named by the unreadable facts; never edit a fact document by hand.
b6 contains receipt.identifies("run")

b6 contains claim if some claim in stack.consistent(_stack)

b6 contains receipt.backs(ref) if some ref in _observed

b6 contains check.known(
	_data_ml.endpoint,
	"whether the endpoint is there can be read",
	aws.endpoint(_data_ml.endpoint, "endpoint", []),
)

_observed := [ref |
	some refs in [
		_stack_refs,
		_endpoint_refs,
		[ref | some name, _ in _data_ml.roles; some ref in _role_refs(name)],
		[aws.parameter(name, "metadata", []) | some name in _data_ml.paths],
	]
	some ref in refs
]

_stack_refs := [stack.step(_stack, step, []) |
	some step in ["init", "validate", "plan", "apply", "post_apply_plan", "outputs", "state"]
]

_endpoint_refs := [aws.endpoint(_data_ml.endpoint, aspect, []) | some aspect in ["endpoint", "live"]]

_role_refs(name) := [aws.role(name, "role", [])]

observations contains claim if some claim in snapshot.observations(_stack)

# An endpoint that is allowed to be live costs money all the same.
observations contains {
	"subject": _data_ml.endpoint,
	"message": sprintf("the endpoint is live (%v)", [fact.value(ref)]),
	"facts": [fact.pointer(ref)],
} if {
	ref := aws.endpoint(_data_ml.endpoint, "endpoint", ["EndpointStatus"])
	fact.value(ref) != null
}

artifacts := object.union(
	{
		"m2g_data_ml_output.json": report.artifact("M2.G", _output),
		"m2g_blocker_register.json": report.blocker_register("M2.G"),
		"m2g_execution_summary.json": report.execution_summary("M2.G"),
	},
	snapshot.logs(_stack),
)

_output := {
	"plan": snapshot.plan(_stack, b2),
	"apply": snapshot.apply(_stack, b1),
	"outputs": snapshot.outputs(_stack, object.union(_data_ml.outputs, _data_ml.roles)),
	"roles": {
		"handles": report.handles([name | some name, _ in _data_ml.roles]),
		"facts": {name: report.readings(_role_refs(name)) | some name, _ in _data_ml.roles},
		"conformance": report.checks(b3),
	},
	"paths": {
		"handles": report.handles(_data_ml.paths),
		"facts": {name: report.reading(aws.parameter(name, "metadata", [])) | some name in _data_ml.paths},
		"conformance": report.checks(b4),
	},
	"cost_posture": {
		"handles": report.handles([
			_data_ml.endpoint,
			_data_ml.endpoint_limit,
			_data_ml.compute_policy.handle,
			_data_ml.auto_terminate.handle,
		]),
		"facts": report.readings(_endpoint_refs),
		"conformance": report.checks(b5),
	},
}
