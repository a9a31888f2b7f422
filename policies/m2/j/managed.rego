package m2.j

import data.lib.aws
import data.lib.check
import data.lib.fact

# METADATA
# title: Managed-first pattern broken
# description: |
#   A handle pins a substitute for a managed service, or what runs is another kind than the pinned one: the Kafka cluster is
#   not serverless MSK, or a Flink application runs anything but Flink. An application that does not exist yet is none.
# custom:
#   code: M2J-B7
#   severity: S1
#   taxonomy: M2-B8
#   remediation: Pin the managed service that the contract names, and replace the substitute through its stack.
b7 contains check.pinned_as(name, "it is pinned to the managed service", value) if {
	some name, value in _managed.pinned
}

b7 contains check.equals(
	data.contract.m2.streaming.cluster,
	"the cluster is managed and serverless",
	aws.cluster(data.contract.m2.streaming.cluster, "cluster", ["clusterInfo", "clusterType"]),
	data.contract.m2.streaming.cluster_type,
)

b7 contains check.of({
	"subject": name,
	"claim": "the application, where there is one, runs managed Flink",
	"refs": [ref],
	"handles": [],
	"holds": _is_flink(ref),
	"expected": sprintf("absent, or a runtime %v…", [_managed.flink_runtime_prefix]),
	"actual": _runtime(ref),
}) if {
	some name in data.contract.m2.flink.applications
	ref := _application(name)
}

_managed := data.contract.m2.rollup.managed

_application(name) := object.union(
	aws.application(name, "application", ["ApplicationDetail", "RuntimeEnvironment"]),
	{"may_be_absent": true},
)

_is_flink(ref) if {
	fact.status(ref) == "absent"
} else if {
	runtime := fact.value(ref)
	is_string(runtime)
	startswith(runtime, _managed.flink_runtime_prefix)
} else := false

_runtime(ref) := fact.value(ref) if {
	fact.status(ref) == "present"
} else := fact.status(ref)
