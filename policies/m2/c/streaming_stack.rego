# METADATA
# title: Streaming stack
# description: |
#   The `streaming` stack is applied; its MSK cluster is the pinned one, serverless and reachable by IAM only; its
#   brokers are where consumers look for them; schemas are registered with the pinned compatibility; and the Flink
#   handles are coherent.
# custom:
#   lane: M2.C
#   next: M2.D
#   upstream: [M2.B]
#   stacks: [streaming]
#   definition_of_done:
#     - item: "`streaming` plan/apply succeeds."
#       codes: [M2C-B1, M2C-B2]
#     - item: MSK identity handles are materialized or explicit blockers raised.
#       codes: [M2C-B3]
#     - item: auth mode and secret reference contracts are consistent with authority.
#       codes: [M2C-B4, M2C-B5]
#     - item: stream-lane handles for Flink runtime are coherent with registry/runtime policy.
#       codes: [M2C-B6]
#     - item: M2.C evidence snapshot committed.
#       codes: [M2C-B7]
#   artifacts:
#     - m2c_streaming_plan_snapshot.json
#     - m2c_streaming_apply_snapshot.json
#     - m2c_msk_identity_snapshot.json
#     - m2c_schema_registry_snapshot.json
#     - m2c_stream_lane_contract_snapshot.json
#     - m2c_blocker_register.json
#     - m2c_execution_summary.json
package m2.c

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.iam
import data.lib.role
import data.lib.schema_registry
import data.lib.stack

# METADATA
# title: Streaming stack is a skeleton
# description: The state of the `streaming` stack holds no managed resource, or no output.
# custom:
#   code: M2C-B1
#   severity: S1
#   taxonomy: M2-B2
#   remediation: Write the stack's resources and outputs and apply it.
b1 contains claim if some claim in stack.materialized(_stack)

# METADATA
# title: Streaming stack does not initialise, validate, plan, apply or output
# description: |
#   A receipt of init, validate, plan or output is missing or non-zero (plan may end with 0 or 2), or the plan shows
#   changes that no successful apply of that very plan follows. A read-only run whose plan is clean needs no apply.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/cli/commands/plan#detailed-exitcode
# custom:
#   code: M2C-B2
#   severity: S1
#   taxonomy: M2-B2
#   remediation: >-
#     Read the log of the failed command in the fact document. If the plan shows changes, review them and run the gate
#     with `--terraform apply`, or undo the drift by hand.
b2 contains claim if some claim in stack.commands(_stack)

# METADATA
# title: MSK identity is not what AWS reports
# description: |
#   `MSK_CLUSTER_ARN` or `MSK_BOOTSTRAP_BROKERS_SASL_IAM` is missing, unpinned, or not what AWS reports. The name and
#   the region that the registry pins for the cluster are part of its identity.
# custom:
#   code: M2C-B3
#   severity: S1
#   taxonomy: M2-B5
#   remediation: Pin the handle to the streaming stack's output; if AWS reports something else, apply the stack again.
b3 contains check.equals_handle(_cluster, "AWS reports a cluster under it", _cluster_fact(["clusterArn"]), _cluster)

b3 contains check.equals_handle(
	data.contract.m2.streaming.cluster_name,
	"the cluster bears the name",
	_cluster_fact(["clusterName"]),
	data.contract.m2.streaming.cluster_name,
)

b3 contains check.of({
	"subject": data.contract.m2.streaming.cluster_region,
	"claim": "the cluster is in the region",
	"refs": [_cluster_fact(["clusterArn"])],
	"handles": [data.contract.m2.streaming.cluster_region],
	"holds": check.same(region, handle.value(data.contract.m2.streaming.cluster_region)),
	"expected": handle.value(data.contract.m2.streaming.cluster_region),
	"actual": region,
}) if {
	region := _region(fact.value(_cluster_fact(["clusterArn"])))
}

b3 contains check.equals_handle(
	data.contract.m2.streaming.brokers,
	"AWS reports these brokers for SASL/IAM",
	_brokers,
	data.contract.m2.streaming.brokers,
)

# METADATA
# title: Cluster cannot be reached as pinned
# description: |
#   The cluster is not serverless, not active, or lets clients in by anything but IAM; a principal that must reach it is
#   not certainly allowed to; or `SSM_MSK_BOOTSTRAP_BROKERS_PATH` does not hold the cluster's brokers. Permissions are
#   read from the principal's policies and the cluster's own: an Allow with a condition, or under a permissions
#   boundary, does not count.
# related_resources:
#   - ref: https://docs.aws.amazon.com/msk/latest/developerguide/iam-access-control.html
# custom:
#   code: M2C-B4
#   severity: S1
#   taxonomy: M2-B5
#   remediation: >-
#     Restore the cluster's pinned mode, attach the missing permissions to the principal, or write the brokers that AWS
#     reports to the parameter: all three by applying the streaming stack.
b4 contains check.pinned_as(name, "it is pinned to the contract's mode", mode) if {
	some name, mode in data.contract.m2.streaming.modes
}

b4 contains check.equals(
	_cluster,
	"the cluster is serverless",
	_cluster_fact(["clusterType"]),
	data.contract.m2.streaming.cluster_type,
)

b4 contains check.equals(
	_cluster,
	"the cluster is active",
	_cluster_fact(["state"]),
	data.contract.m2.streaming.cluster_state,
)

b4 contains check.of({
	"subject": _cluster,
	"claim": "clients authenticate by IAM only",
	"refs": [_cluster_fact(["serverless", "clientAuthentication"])],
	"handles": [],
	"holds": _mechanisms == data.contract.m2.streaming.authentication,
	"expected": data.contract.m2.streaming.authentication,
	"actual": _mechanisms,
})

b4 contains check.of({
	"subject": name,
	"claim": "it is allowed to reach the cluster",
	"refs": _access_refs(name),
	"handles": [name],
	"holds": count(_denied(name, actions)) == 0,
	"expected": actions,
	"actual": [action | some action in actions; not action in _denied(name, actions)],
}) if {
	some name, actions in data.contract.m2.streaming.principals
}

b4 contains check.equals_handle(
	data.contract.m2.streaming.brokers_path,
	"the parameter is there",
	aws.parameter(data.contract.m2.streaming.brokers_path, "metadata", ["Name"]),
	data.contract.m2.streaming.brokers_path,
)

b4 contains check.of({
	"subject": data.contract.m2.streaming.brokers_path,
	"claim": "the parameter holds the cluster's brokers",
	"refs": [_parameter_value, _brokers],
	"handles": [],
	"holds": check.same(fact.value(_parameter_value), fact.fingerprint(_brokers)),
	"expected": fact.fingerprint(_brokers),
	"actual": fact.value(_parameter_value),
})

# METADATA
# title: Schema registry not as pinned
# description: |
#   The Glue registry is absent, holds no schema, or holds one whose compatibility is not
#   `GLUE_SCHEMA_COMPATIBILITY_MODE`; or the anchor schema cannot be read. The anchor schema is
#   `GLUE_ANCHOR_SCHEMA_NAME`, else the contract's default.
# custom:
#   code: M2C-B5
#   severity: S1
#   taxonomy: M2-B5
#   remediation: Apply the streaming stack, or set the schema's compatibility back to the pinned mode.
b5 contains claim if some claim in schema_registry.checks

_stack := "streaming"

_cluster := data.contract.m2.streaming.cluster

_cluster_fact(field) := aws.cluster(_cluster, "cluster", array.concat(["clusterInfo"], field))

_brokers := aws.cluster(_cluster, "bootstrap_brokers", ["bootstrapBrokerStringSaslIam"])

_parameter_value := aws.parameter(data.contract.m2.streaming.brokers_path, "value", ["Parameter", "Value"])

_region(arn) := parts[3] if {
	is_string(arn)
	parts := split(arn, ":")
	count(parts) > 5
} else := null

# A serverless cluster keeps its authentication under `serverless`, a provisioned one under `provisioned`; only the
# first can be as pinned. What is neither on nor off is shown as it stands.
_mechanisms := sort({concat("/", array.concat(prefix, steps)) |
	some kind, prefix in {"serverless": [], "provisioned": ["provisioned"]}
	walk(fact.value(_cluster_fact([kind, "clientAuthentication"])), [path, value])
	path != []
	not value in {false, null}
	not _has_members(value)
	steps := array.concat(
		[sprintf("%v", [step]) | some step in path; step != "enabled"],
		[json.marshal(value) | value != true],
	)
})

_has_members(value) if {
	is_object(value)
	count(value) > 0
} else := false

_access_refs(name) := [
	aws.role(name, "role", ["Arn"]),
	role.attached(name),
	role.inline(name),
	object.union(_cluster_policy, {"may_be_absent": true}),
	_cluster_fact(["clusterArn"]),
]

_cluster_policy := aws.cluster(_cluster, "policy", ["Policy"])

# The actions that the principal is not certainly allowed. A permissions boundary narrows its policies by a document
# that was not read, and a cluster policy that cannot be understood may take anything away.
_denied(name, actions) := actions if {
	fact.value(aws.role(name, "role", ["PermissionsBoundary"])) != null
} else := actions if {
	fact.status(_cluster_policy) == "present"
	count(iam.opaque([fact.value(_cluster_policy)])) > 0
} else := actions if {
	not is_string(handle.value(_cluster))
} else := array.concat(
	iam.missing(role.documents(name), actions, handle.value(_cluster)),
	iam.denied_by_resource(
		fact.value(_cluster_policy),
		fact.value(aws.role(name, "role", ["Arn"])),
		actions,
		handle.value(_cluster),
	),
)
