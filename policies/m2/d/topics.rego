# METADATA
# title: Topics, schemas and READY authority
# description: |
#   The required topics are named, owned and can be made on a cluster that answers; schemas are registered as pinned;
#   and READY is committed by one state machine, with a receipt at a path of its own.
# custom:
#   lane: M2.D
#   next: M2.E
#   upstream: [M2.C]
#   stacks: [streaming]
#   definition_of_done:
#     - item: required topic surfaces are reachable/provisionable.
#       codes: [M2D-B1, M2D-B2, M2D-B6]
#     - item: schema registry handles/compatibility contract validated.
#       codes: [M2D-B3]
#     - item: lane access bindings pass precheck.
#       codes: [M2D-B4]
#     - item: SR READY commit-authority route is explicit and evidence-path contract is valid.
#       codes: [M2D-B5]
#     - item: M2.D readiness snapshot committed.
#       codes: [M2D-B7]
#   artifacts:
#     - m2d_topic_surface_matrix.json
#     - m2d_schema_registry_snapshot.json
#     - m2d_lane_binding_matrix.json
#     - m2d_sr_commit_authority_snapshot.json
#     - m2d_blocker_register.json
#     - m2d_execution_summary.json
package m2.d

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.schema_registry

# METADATA
# title: Required topic missing, duplicated or misnamed
# description: |
#   A required `FP_BUS_*` handle is not pinned, pins a name that is not `fp.bus.<…>.v1`, or pins the name of another
#   topic. Any topic handle of the registry counts as another, not only the required ones.
# custom:
#   code: M2D-B1
#   severity: S1
#   taxonomy: M2-B5
#   remediation: Pin the topic's handle to its one name, `fp.bus.<…>.v1`.
b1 contains check.of({
	"subject": name,
	"claim": "the topic's name is one of the bus",
	"refs": [],
	"handles": [name],
	"holds": _is_topic_name(handle.value(name)),
	"expected": data.contract.m2.topics.name,
	"actual": handle.value(name),
}) if {
	some name in data.contract.m2.topics.required
}

b1 contains check.of({
	"subject": name,
	"claim": "no other topic has the name",
	"refs": [],
	"handles": [name],
	"holds": count(_namesakes(name)) == 0,
	"expected": [],
	"actual": _namesakes(name),
}) if {
	some name in data.contract.m2.topics.required
}

# METADATA
# title: Cluster or bootstrap path cannot be queried
# description: |
#   AWS does not answer about the cluster under `MSK_CLUSTER_ARN` or about its brokers, or the parameter that clients
#   find the brokers in cannot be read. What the answers must say is judged by M2.C.
# custom:
#   code: M2D-B2
#   severity: S1
#   taxonomy: M2-B5
#   remediation: Apply the streaming stack, or grant the reads that the unreadable facts name.
b2 contains check.exists(_cluster, "the cluster answers", aws.cluster(_cluster, "cluster", []))

b2 contains check.of({
	"subject": data.contract.m2.streaming.brokers,
	"claim": "the cluster answers with brokers",
	"refs": [_brokers],
	"handles": [data.contract.m2.streaming.brokers],
	"holds": fact.value(_brokers) != null,
	"expected": "brokers",
	"actual": {true: "brokers", false: "none"}[fact.value(_brokers) != null],
})

b2 contains check.exists(_brokers_path, "the parameter of the brokers is there", _parameter("metadata"))

b2 contains check.exists(_brokers_path, "the parameter of the brokers can be read", _parameter("value"))

# METADATA
# title: Schema registry or anchor schema not as pinned
# description: |
#   The Glue registry or its anchor schema is absent or cannot be read, or a schema's compatibility is not
#   `GLUE_SCHEMA_COMPATIBILITY_MODE`. Topics build on the same claims that M2.C made of the stack.
# custom:
#   code: M2D-B3
#   severity: S1
#   taxonomy: M2-B5
#   remediation: Apply the streaming stack, or set the schema's compatibility back to the pinned mode.
b3 contains claim if some claim in schema_registry.checks

# METADATA
# title: Topic probe required and not passed
# description: |
#   `TOPIC_PROBE_POLICY_M2D`, else the contract's default, asks for the topics themselves, and the list of the cluster's
#   topics could not be read or lacks a required one; or the policy is neither `REQUIRED` nor `NOT_REQUIRED_AT_M2D`.
# custom:
#   code: M2D-B6
#   severity: S2
#   taxonomy: M2-B5
#   remediation: >-
#     Create the missing topics and let the collector list them (`kafka:ListTopics`), or pin
#     `TOPIC_PROBE_POLICY_M2D` to `NOT_REQUIRED_AT_M2D`.
b6 contains check.of({
	"subject": _probe.handle,
	"claim": "no probe is required, or one finds every required topic",
	"refs": _probe_refs,
	"handles": array.concat(handle.named_by_setting(_probe), [name | some name in _probed]),
	"holds": _is_probed,
	"expected": {"policy": _probe.allowed, "not found": []},
	"actual": {"policy": handle.chosen(_probe), "not found": _unfound},
})

_cluster := data.contract.m2.streaming.cluster

_brokers_path := data.contract.m2.streaming.brokers_path

_brokers := aws.cluster(_cluster, "bootstrap_brokers", ["bootstrapBrokerStringSaslIam"])

_parameter(aspect) := aws.parameter(_brokers_path, aspect, [])

_topics := aws.cluster(_cluster, "topics", ["topics"])

_probe := data.contract.m2.topics.probe

# The topics that must be found.
_probed := [name | some name in data.contract.m2.topics.required; handle.chosen(_probe) == _probe.required]

# Where no probe is required, the document must still say that none was made.
_probe_refs := [_topics] if {
	count(_probed) > 0
} else := [_topics] if {
	fact.status(_topics) == "missing"
} else := []

default _is_probed := false

_is_probed if {
	handle.chosen(_probe) in _probe.allowed
	count(_unfound) == 0
}

_unfound := sort({name | some name in _probed; not handle.value(name) in _found})

_found := {object.get(topic, "topicName", null) | some topic in fact.list(_topics); is_object(topic)}

_is_topic_name(value) if {
	is_string(value)
	regex.match(data.contract.m2.topics.name, value)
} else := false

_namesakes(name) := sort({other |
	some other, value in _bus
	other != name
	check.same(value, handle.value(name))
})

_bus := {name: handle.value(name) | some name in handle.mentioned(data.contract.m2.topics.prefix)}
