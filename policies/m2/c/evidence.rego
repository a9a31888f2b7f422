package m2.c

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.receipt
import data.lib.report
import data.lib.role
import data.lib.schema_registry
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

b7 contains stack.reread(_stack)

_observed := array.concat(
	array.concat(_stack_refs, array.concat(_cluster_refs, schema_registry.refs)),
	array.concat(_parameter_refs, _principal_refs),
)

_principal_refs := [ref | some name, _ in data.contract.m2.streaming.principals; some ref in role.refs(name)]

_stack_refs := [stack.step(_stack, step, []) |
	some step in ["init", "validate", "plan", "apply", "post_apply_plan", "outputs", "state"]
]

_cluster_refs := [aws.cluster(_cluster, aspect, []) | some aspect in ["cluster", "bootstrap_brokers", "policy"]]

_parameter_refs := [aws.parameter(data.contract.m2.streaming.brokers_path, aspect, []) |
	some aspect in ["metadata", "value"]
]

observations contains claim if some claim in snapshot.observations(_stack)

observations contains claim if some claim in snapshot.unsettled(_stack)

observations contains claim if {
	some claim in snapshot.differing_outputs(_stack, data.contract.m2.streaming.outputs)
}

observations contains {
	"subject": name,
	"message": "the cluster is in another network than the handle pins",
	"facts": [handle.pointer(name), fact.pointer(_network)],
} if {
	some name, field in data.contract.m2.streaming.network
	handle.is_pinned(name)
	count(fact.list(_network)) > 0
	found := {id | some config in fact.list(_network); is_object(config); some id in _ids(object.get(config, field, []))}
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
	"principals": {name: report.readings(role.refs(name)) | some name, _ in data.contract.m2.streaming.principals},
	"identity": report.checks(b3),
	"access": report.checks(b4),
}

_schema_registry := object.union(schema_registry.snapshot, {"conformance": report.checks(b5)})

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
