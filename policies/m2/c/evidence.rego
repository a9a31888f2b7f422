package m2.c

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.receipt
import data.lib.report
import data.lib.snapshot
import data.lib.stack

# METADATA
# title: Evidence of the streaming stack is missing or inconsistent
# description: |
#   An observation of this lane lacks the calls that it came from, a call ended otherwise than the observation says, or
#   what Terraform said at one step contradicts another. A read behind a handle that is not pinned has no receipt, so
#   such a handle blocks here, too.
# custom:
#   code: M2C-B7
#   severity: S2
#   taxonomy: M2-B8
#   remediation: Collect again with the permissions named by the unreadable facts; never edit a fact document by hand.
b7 contains receipt.identifies("run")

b7 contains claim if some claim in stack.consistent(_stack)

b7 contains receipt.backs(ref) if some ref in _observed

# An apply whose outcome nobody could read again proves nothing. A run that applied nothing makes no second plan.
b7 contains check.of({
	"subject": _stack,
	"claim": "the plan after an apply can be read",
	"refs": _unread_plans,
	"handles": [],
	"holds": true,
	"expected": "read, or nothing was applied",
	"actual": fact.status(_post_apply_plan),
})

_post_apply_plan := stack.answer(_stack, "post_apply_plan", [])

_unread_plans := [ref |
	ref := _post_apply_plan
	fact.reading(ref) in {"unreadable", "failed", "missing"}
]

_observed := array.concat(
	array.concat(_stack_refs, array.concat(_cluster_refs, _registry_refs)),
	array.concat(_parameter_refs, _principal_refs),
)

_principal_refs := [ref | some name, _ in data.contract.m2.streaming.principals; some ref in _role_refs(name)]

_stack_refs := [stack.step(_stack, step, []) |
	some step in ["init", "validate", "plan", "apply", "post_apply_plan", "outputs", "state"]
]

_cluster_refs := [aws.cluster(_cluster, aspect, []) | some aspect in ["cluster", "bootstrap_brokers", "policy"]]

_registry_refs := array.concat(
	[aws.registry(_registry, aspect, []) | some aspect in ["registry", "schemas"]],
	[aws.anchor_schema(aspect, []) | some aspect in ["schema", "latest_version"]],
)

_parameter_refs := [aws.parameter(data.contract.m2.streaming.brokers_path, aspect, []) |
	some aspect in ["metadata", "value"]
]

_role_refs(name) := [aws.role(name, aspect, []) | some aspect in ["role", "attached_policies", "inline_policies"]]

observations contains claim if some claim in snapshot.observations(_stack)

observations contains {
	"subject": _stack,
	"message": "the last plan still shows changes",
	"facts": [fact.pointer(ref)],
} if {
	ref := stack.answer(_stack, stack.last_plan(_stack), ["exit_code"])
	fact.value(ref) == 2
}

observations contains {
	"subject": name,
	"message": sprintf("the stack's output %s differs from the handle", [output]),
	"facts": [handle.pointer(name), fact.pointer(ref)],
} if {
	some name, output in data.contract.m2.streaming.outputs
	ref := stack.answer(_stack, "outputs", ["values", output, "value"])
	fact.value(stack.answer(_stack, "outputs", ["values", output, "sensitive"])) == false
	fact.value(ref) != handle.value(name)
}

observations contains {
	"subject": name,
	"message": "the cluster is in another network than the handle pins",
	"facts": [handle.pointer(name), fact.pointer(_network)],
} if {
	some name, field in data.contract.m2.streaming.network
	handle.is_pinned(name)
	count(fact.list(_network)) > 0
	found := {id | some config in fact.list(_network); some id in object.get(config, field, [])}
	found != {id | some id in _ids(handle.value(name))}
}

observations contains {
	"subject": _cluster,
	"message": "the cluster has a policy of its own",
	"facts": [fact.pointer(_cluster_policy)],
} if {
	fact.status(_cluster_policy) == "present"
}

artifacts := {
	"m2c_streaming_plan_snapshot.json": report.artifact("M2.C", snapshot.plan(_stack, b2)),
	"m2c_streaming_apply_snapshot.json": report.artifact("M2.C", snapshot.apply(_stack, b1)),
	"m2c_msk_identity_snapshot.json": report.artifact("M2.C", _identity),
	"m2c_schema_registry_snapshot.json": report.artifact("M2.C", _schema_registry),
	"m2c_stream_lane_contract_snapshot.json": report.artifact("M2.C", _lane_contract),
	"m2c_blocker_register.json": report.blocker_register("M2.C"),
	"m2c_execution_summary.json": report.execution_summary("M2.C"),
}

_identity := {
	"handles": report.handles(array.concat(
		[
			_cluster,
			data.contract.m2.streaming.cluster_name,
			data.contract.m2.streaming.cluster_region,
			data.contract.m2.streaming.brokers,
			data.contract.m2.streaming.brokers_path,
		],
		[name | some name, _ in object.union(data.contract.m2.streaming.modes, data.contract.m2.streaming.network)],
	)),
	"cluster": report.readings(_cluster_refs),
	"network": fact.value(_network),
	"brokers_parameter": report.readings(_parameter_refs),
	"principals": {name: report.readings(_role_refs(name)) | some name, _ in data.contract.m2.streaming.principals},
	"identity": report.checks(b3),
	"access": report.checks(b4),
}

_schema_registry := {
	"handles": report.handles([
		_registry,
		data.contract.m2.streaming.compatibility,
		data.contract.m2.streaming.anchor_schema.handle,
	]),
	"anchor_schema": aws.schema_name(data.contract.m2.streaming.anchor_schema),
	"registry": report.readings([aws.registry(_registry, aspect, []) | some aspect in ["registry", "schemas"]]),
	"anchor": report.readings([aws.anchor_schema(aspect, []) | some aspect in ["schema", "latest_version"]]),
	"conformance": report.checks(b5),
}

_lane_contract := {
	"handles": report.handles(handle.mentioned("FLINK_")),
	"contract": data.contract.m2.flink,
	"platform": handle.expand("{platform}"),
	"conformance": report.checks(b6),
}

_network := aws.cluster(_cluster, "cluster", ["clusterInfo", "serverless", "vpcConfigs"])

_ids(value) := value if {
	is_array(value)
} else := [value]
