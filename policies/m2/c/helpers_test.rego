package m2.c_test

import data.lib.fixture_test as fixture

test_a_prefix_is_followed_by_something if {
	data.m2.c._has_prefix("platform-x", "platform-")
	every pair in [["platform-", "platform-"], ["other-x", "platform-"], [null, "platform-"], [7, "platform-"], ["x", null]] {
		data.m2.c._has_prefix(pair[0], pair[1]) == false
	}
}

_pattern(text) := data.m2.c._pattern_faults(text)

test_each_fault_of_a_checkpoint_pattern_is_told if {
	_pattern("flink/{application_name}/") == set()
	_pattern("{application_name}/") == set()
	_pattern(7) == {"not a text"}
	_pattern(null) == {"not a text"}
	_pattern("flink/") == {"not exactly one placeholder", "another placeholder"}
	_pattern("{application_name}/{application_name}/") == {"not exactly one placeholder", "another placeholder"}
	_pattern("{application_name}/{run}/") == {"another placeholder"}
	_pattern("flink/{application_name}") == {"not a folder"}
	_pattern("flink//{application_name}/") == {"an empty or relative segment"}
	_pattern("./{application_name}/") == {"an empty or relative segment"}
	_pattern("flink/{application_name}/../") == {"an empty or relative segment"}
	_pattern("flink/{application_name}//") == {"an empty or relative segment"}
	_pattern("s3:{application_name}/") == {"a scheme"}
}

test_a_whole_number_above_nothing_is_positive if {
	found := [data.m2.c._is_positive(value) | some value in [1, 7, 0, -1, 1.5, "1", null]]
	found == [true, true, false, false, false, false, false]
}

test_a_region_is_part_of_a_whole_arn if {
	data.m2.c._region("arn:aws:kafka:eu-west-2:123456789012:cluster/x/y") == "eu-west-2"
	data.m2.c._region("arn:aws:kafka:eu-west-2:123456789012") == null
	data.m2.c._region("arn:aws") == null
	data.m2.c._region(7) == null
}

_mechanisms(information) := found if {
	document := fixture.put(
		_ready,
		["aws", "kafka", "clusters", _ready.handles.MSK_CLUSTER_ARN.value, "cluster", "value", "clusterInfo"],
		information,
	)
	found := data.m2.c._mechanisms with input as document
}

test_every_mechanism_that_is_on_is_told if {
	_mechanisms({"serverless": {"clientAuthentication": {"sasl": {"iam": {"enabled": true}}}}}) == ["sasl/iam"]
	_mechanisms({"provisioned": {"clientAuthentication": {"sasl": {"iam": {"enabled": true}}}}}) == ["provisioned/sasl/iam"]
	_mechanisms({"serverless": {"clientAuthentication": {
		"sasl": {"iam": {"enabled": true}, "scram": {"enabled": false}},
		"tls": {"enabled": null, "certificates": {}},
		"unauthenticated": {"enabled": "yes"},
	}}}) == ["sasl/iam", "tls/certificates/{}", "unauthenticated/\"yes\""]
	_mechanisms({}) == []
	_mechanisms({"serverless": {"clientAuthentication": "iam"}}) == []
}

test_an_object_with_members_is_looked_into if {
	data.m2.c._has_members({"a": 1})
	[data.m2.c._has_members(value) | some value in [{}, [], ["a"], "a", null]] == [false, false, false, false, false]
}

_role_at := ["aws", "iam", "roles", _ready.handles.ROLE_EKS_RUNTIME_PLATFORM_BASE.value, "role", "value"]

_cluster_policy_at := ["aws", "kafka", "clusters", _ready.handles.MSK_CLUSTER_ARN.value, "policy"]

_denied(document) := found if {
	found := data.m2.c._denied("ROLE_EKS_RUNTIME_PLATFORM_BASE", ["kafka-cluster:Connect"]) with input as document
}

_cluster_policy(policy) := fixture.put(_ready, _cluster_policy_at, {
	"status": "present",
	"value": {"Policy": policy},
	"receipts": [],
})

_denies_everybody := {"Version": "2012-10-17", "Statement": [{
	"Effect": "Deny",
	"Principal": "*",
	"Action": "*",
	"Resource": "*",
}]}

test_what_may_narrow_a_role_denies_it if {
	_denied(_ready) == []
	boundary := {"PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary"}
	_denied(fixture.put(_ready, array.concat(_role_at, ["PermissionsBoundary"]), boundary)) == ["kafka-cluster:Connect"]
	_denied(_cluster_policy(_denies_everybody)) == ["kafka-cluster:Connect"]
	_denied(_cluster_policy("strange")) == ["kafka-cluster:Connect"]
	_denied(fixture.pinned(_ready, "MSK_CLUSTER_ARN", 7)) == ["kafka-cluster:Connect"]
}

test_a_denial_of_another_role_denies_nothing if {
	other := {"Version": "2012-10-17", "Statement": [{
		"Effect": "Deny",
		"Principal": {"AWS": "arn:aws:iam::123456789012:role/other"},
		"Action": "*",
		"Resource": "*",
	}]}
	_denied(_cluster_policy(other)) == []
}

_config_at := [
	"aws", "kafka", "clusters", _ready.handles.MSK_CLUSTER_ARN.value,
	"cluster", "value", "clusterInfo", "serverless", "vpcConfigs",
]

_noted(document) := {observation.subject | some observation in found} if {
	found := data.m2.c.observations with input as document
}

test_only_a_pinned_network_can_be_another if {
	elsewhere := fixture.put(_ready, array.concat(_config_at, [0, "subnetIds"]), ["subnet-9"])
	_noted(elsewhere) == {"MSK_CLIENT_SUBNET_IDS"}
	_noted(fixture.pinned(elsewhere, "MSK_CLIENT_SUBNET_IDS", "TO_PIN")) == set()
	_noted(fixture.put(_ready, _config_at, ["strange", _ready_config])) == set()
}

_ready_config := _ready.aws.kafka.clusters[_ready.handles.MSK_CLUSTER_ARN.value].cluster.value.clusterInfo.serverless.vpcConfigs[0]
