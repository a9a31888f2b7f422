package m2.c_test

import data.lib.fixture_test as fixture

# The lanes that read what the tables damage by contract; the whole gate has tables of its own.
_lanes := {"M2A", "M2B", "M2C", "M2D", "M2E"}

_ready := data.lib.fixture_test.ready

_arn := "arn:aws:kafka:eu-west-2:123456789012:cluster/stream/5f3c"

_cluster := ["aws", "kafka", "clusters", _arn]

_info(path) := array.concat(array.concat(_cluster, ["cluster", "value", "clusterInfo"]), path)

_base := ["aws", "iam", "roles", "arn:aws:iam::123456789012:role/base"]

_inline := array.concat(_base, ["inline_policies", "value", "Policies", 0, "Document"])

_parameter := ["aws", "ssm", "parameters", "/fraud-platform/dev_full/msk/bootstrap_brokers"]

_registry := ["aws", "glue", "registries", "schemas"]

_schemas := array.concat(_registry, ["schemas", "value", "Schemas"])

_anchor := ["aws", "glue", "schemas", "schemas/fp.control.anchor.v1"]

_streaming(path) := array.concat(["terraform", "stacks", "streaming"], path)

_authentication := _info(["serverless", "clientAuthentication"])

_allow(actions, resources) := {"Effect": "Allow", "Action": actions, "Resource": resources}

_deny(actions, resources) := {"Effect": "Deny", "Action": actions, "Resource": resources}

_granted := _allow("kafka-cluster:*", "*")

_with_statements(statements) := fixture.put(_ready, array.concat(_inline, ["Statement"]), statements)

_with_cluster_policy(document) := fixture.put(_ready, array.concat(_cluster, ["policy"]), {
	"status": "present",
	"value": {"Policy": document},
	"receipts": [sprintf("kafka.GetClusterPolicy/%v", [_arn])],
})

# What a damage must turn red, and nothing else.
_damaged := {
	"a skeleton": {
		"document": fixture.put(_ready, _streaming(["state", "value", "managed_resources"]), []),
		"expected": {["M2C-B1", "streaming", "the state holds managed resources", "violated"]},
	},
	"a plan left dirty": {
		"document": fixture.put(
			fixture.put(_ready, _streaming(["plan", "value", "exit_code"]), 2),
			["receipts", "terraform.plan/streaming", "exit_code"],
			2,
		),
		"expected": {["M2C-B2", "streaming", "every planned change is applied", "violated"]},
	},
	"AWS reports a cluster of another name": {
		"document": fixture.put(_ready, _info(["clusterName"]), "other"),
		"expected": {["M2C-B3", "MSK_CLUSTER_NAME", "the cluster bears the name", "violated"]},
	},
	"another region pinned": {
		"document": fixture.pinned(_ready, "MSK_REGION", "eu-west-1"),
		"expected": {["M2C-B3", "MSK_REGION", "the cluster is in the region", "violated"]},
	},
	"AWS reports other brokers": {
		"document": fixture.put(
			_ready,
			array.concat(_cluster, ["bootstrap_brokers", "value", "bootstrapBrokerStringSaslIam"]),
			"boot-2.kafka-serverless.eu-west-2.amazonaws.com:9098",
		),
		"expected": {
			["M2C-B3", "MSK_BOOTSTRAP_BROKERS_SASL_IAM", "AWS reports these brokers for SASL/IAM", "violated"],
		},
	},
	"no brokers for SASL/IAM, in AWS and in the parameter": {
		"document": fixture.without(
			fixture.without(
				fixture.without(_ready, array.concat(_cluster, ["bootstrap_brokers", "fingerprints"])),
				array.concat(_cluster, ["bootstrap_brokers", "value", "bootstrapBrokerStringSaslIam"]),
			),
			array.concat(_parameter, ["value", "value", "Parameter", "Value"]),
		),
		"expected": {
			["M2C-B3", "MSK_BOOTSTRAP_BROKERS_SASL_IAM", "AWS reports these brokers for SASL/IAM", "violated"],
			["M2D-B2", "MSK_BOOTSTRAP_BROKERS_SASL_IAM", "the cluster answers with brokers", "violated"],
			_other_brokers,
		},
	},
	"a mode pinned to something else": {
		"document": fixture.pinned(_ready, "MSK_AUTH_MODE", "SASL_SCRAM"),
		"expected": {["M2C-B4", "MSK_AUTH_MODE", "it is pinned to the contract's mode", "violated"]},
	},
	"a provisioned cluster": {
		"document": fixture.without(
			fixture.put(_ready, _info(["clusterType"]), "PROVISIONED"),
			_info(["serverless"]),
		),
		"expected": {["M2C-B4", "MSK_CLUSTER_ARN", "the cluster is serverless", "violated"], _not_only_iam},
	},
	"a cluster being created": {
		"document": fixture.put(_ready, _info(["state"]), "CREATING"),
		"expected": {["M2C-B4", "MSK_CLUSTER_ARN", "the cluster is active", "violated"]},
	},
	"IAM off": {
		"document": fixture.put(_ready, array.concat(_authentication, ["sasl", "iam", "enabled"]), false),
		"expected": {_not_only_iam},
	},
	"SCRAM beside IAM": {
		"document": fixture.put(_ready, array.concat(_authentication, ["sasl", "scram"]), {"enabled": true}),
		"expected": {_not_only_iam},
	},
	"unauthenticated clients beside IAM": {
		"document": fixture.put(_ready, array.concat(_authentication, ["unauthenticated"]), {"enabled": true}),
		"expected": {_not_only_iam},
	},
	"IAM on only by a text": {
		"document": fixture.put(_ready, array.concat(_authentication, ["sasl", "iam", "enabled"]), "false"),
		"expected": {_not_only_iam},
	},
	"SCRAM that says nothing": {
		"document": fixture.put(_ready, array.concat(_authentication, ["sasl", "scram"]), {}),
		"expected": {_not_only_iam},
	},
	"TLS off beside IAM": {
		"document": fixture.put(_ready, array.concat(_authentication, ["tls"]), {"enabled": false}),
		"expected": set(),
	},
	"no permission": {"document": _with_statements([]), "expected": {_no_access}},
	"policies that cannot be understood": {
		"document": fixture.put(_ready, array.concat(_base, ["inline_policies", "value", "Policies"]), ["malformed", {}]),
		"expected": {_no_access},
	},
	"half the permissions": {
		"document": _with_statements([_allow("kafka-cluster:Connect", _arn)]),
		"expected": {_no_access},
	},
	"permissions on another cluster": {
		"document": _with_statements([_allow("kafka-cluster:*", "arn:aws:kafka:*:*:cluster/other/*")]),
		"expected": {_no_access},
	},
	"permissions under a condition": {
		"document": _with_statements([object.union(_granted, {"Condition": {"Bool": {"aws:SecureTransport": "true"}}})]),
		"expected": {_no_access},
	},
	"permissions by wildcards": {
		"document": _with_statements([_allow("Kafka-Cluster:*", "arn:aws:kafka:*:*:cluster/str?am/*")]),
		"expected": set(),
	},
	"a denial beside the permissions": {
		"document": _with_statements([_granted, _deny("kafka-cluster:Connect", "arn:aws:kafka:*")]),
		"expected": {_no_access},
	},
	"a denial of something else": {
		"document": _with_statements([_granted, _deny("kafka-cluster:DeleteTopic", "*")]),
		"expected": set(),
	},
	"a permissions boundary": {
		"document": fixture.put(_ready, array.concat(_base, ["role", "value", "PermissionsBoundary"]), {
			"PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary",
		}),
		"expected": {_no_access},
	},
	"a cluster policy that denies everyone": {
		"document": _with_cluster_policy({"Statement": [object.union(_deny("*", "*"), {"Principal": "*"})]}),
		"expected": {_no_access},
	},
	"a cluster policy that denies someone else": {
		"document": _with_cluster_policy({"Statement": [object.union(
			_deny("*", "*"),
			{"Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}},
		)]}),
		"expected": set(),
	},
	"a cluster policy that cannot be understood": {
		"document": _with_cluster_policy("deny"),
		"expected": {_no_access},
	},
	"no parameter": {
		"document": fixture.absent(
			fixture.absent(_ready, array.concat(_parameter, ["metadata"])),
			array.concat(_parameter, ["value"]),
		),
		"expected": {
			["M2C-B4", "SSM_MSK_BOOTSTRAP_BROKERS_PATH", "the parameter is there", "absent"],
			["M2C-B4", "SSM_MSK_BOOTSTRAP_BROKERS_PATH", "the parameter holds the cluster's brokers", "absent"],
			["M2D-B2", "SSM_MSK_BOOTSTRAP_BROKERS_PATH", "the parameter of the brokers is there", "absent"],
			["M2D-B2", "SSM_MSK_BOOTSTRAP_BROKERS_PATH", "the parameter of the brokers can be read", "absent"],
		},
	},
	"the parameter's value replaced": {
		"document": fixture.put(
			_ready,
			array.concat(_parameter, ["value", "value", "Parameter", "Value"]),
			"redacted:hmac-sha256:00",
		),
		"expected": {_other_brokers},
	},
	"no registry": {
		"document": fixture.absent(_ready, array.concat(_registry, ["registry"])),
		"expected": union({_registered("GLUE_SCHEMA_REGISTRY_NAME", claim, "absent") |
			some claim in ["the registry is there", "the registry is available"]
		}),
	},
	"a registry being deleted": {
		"document": fixture.put(_ready, array.concat(_registry, ["registry", "value", "Status"]), "DELETING"),
		"expected": _registered("GLUE_SCHEMA_REGISTRY_NAME", "the registry is available", "violated"),
	},
	"a registry that does not say how it is": {
		"document": fixture.without(_ready, array.concat(_registry, ["registry", "value", "Status"])),
		"expected": _registered("GLUE_SCHEMA_REGISTRY_NAME", "the registry is available", "violated"),
	},
	"a schema that is being deleted": {
		"document": fixture.put(_ready, array.concat(_schemas, [1, "SchemaStatus"]), "DELETING"),
		"expected": _registered("GLUE_SCHEMA_REGISTRY_NAME", "every schema of the registry is available", "violated"),
	},
	"a list of schemas that is none": {
		"document": fixture.put(_ready, _schemas, null),
		"expected": _incompatible |
			_registered("GLUE_SCHEMA_REGISTRY_NAME", "every schema of the registry is available", "violated"),
	},
	"a registry without schemas": {
		"document": fixture.put(_ready, _schemas, []),
		"expected": _incompatible,
	},
	"a schema with another compatibility": {
		"document": fixture.put(_ready, array.concat(_schemas, [1, "Compatibility"]), "NONE"),
		"expected": _incompatible,
	},
	"a schema without a compatibility": {
		"document": fixture.without(_ready, array.concat(_schemas, [1, "Compatibility"])),
		"expected": _incompatible,
	},
	"another compatibility pinned": {
		"document": fixture.pinned(_ready, "GLUE_SCHEMA_COMPATIBILITY_MODE", "FULL"),
		"expected": _incompatible | _incompatible_anchor,
	},
	"no anchor schema": {
		"document": fixture.absent(
			fixture.absent(_ready, array.concat(_anchor, ["schema"])),
			array.concat(_anchor, ["latest_version"]),
		),
		"expected": union({_registered("GLUE_ANCHOR_SCHEMA_NAME", claim, "absent") |
			some claim in [
				"the anchor schema is registered under its name",
				"the anchor schema has the pinned compatibility",
				"the anchor schema is available",
				"the latest version of the anchor schema is available",
				"the latest version of the anchor schema has a definition",
			]
		}),
	},
	"an anchor schema of another compatibility": {
		"document": fixture.put(_ready, array.concat(_anchor, ["schema", "value", "Compatibility"]), "NONE"),
		"expected": _incompatible_anchor,
	},
	"an anchor schema that is being deleted": {
		"document": fixture.put(_ready, array.concat(_anchor, ["schema", "value", "SchemaStatus"]), "DELETING"),
		"expected": _registered("GLUE_ANCHOR_SCHEMA_NAME", "the anchor schema is available", "violated"),
	},
	"the latest version of the anchor schema failed": {
		"document": fixture.put(_ready, array.concat(_anchor, ["latest_version", "value", "Status"]), "FAILURE"),
		"expected": _registered(
			"GLUE_ANCHOR_SCHEMA_NAME",
			"the latest version of the anchor schema is available",
			"violated",
		),
	},
	"an anchor schema without a definition": {
		"document": fixture.put(_ready, array.concat(_anchor, ["latest_version", "value", "SchemaDefinition"]), ""),
		"expected": _registered(
			"GLUE_ANCHOR_SCHEMA_NAME",
			"the latest version of the anchor schema has a definition",
			"violated",
		),
	},
	"a registry that does not mention the anchor schema": {
		"document": fixture.without(_ready, ["handles", "GLUE_ANCHOR_SCHEMA_NAME"]),
		"expected": set(),
	},
}

_incompatible_anchor := _registered(
	"GLUE_ANCHOR_SCHEMA_NAME",
	"the anchor schema has the pinned compatibility",
	"violated",
)

_not_only_iam := ["M2C-B4", "MSK_CLUSTER_ARN", "clients authenticate by IAM only", "violated"]

_no_access := ["M2C-B4", "ROLE_EKS_RUNTIME_PLATFORM_BASE", "it is allowed to reach the cluster", "violated"]

_other_brokers := [
	"M2C-B4",
	"SSM_MSK_BOOTSTRAP_BROKERS_PATH",
	"the parameter holds the cluster's brokers",
	"violated",
]

_incompatible := _registered(
	"GLUE_SCHEMA_COMPATIBILITY_MODE",
	"every schema of the registry has this compatibility",
	"violated",
)

# Topics build on the same claims about schemas, so M2.D makes them again.
_registered(subject, claim, cause) := {[code, subject, claim, cause] | some code in ["M2C-B5", "M2D-B3"]}

test_each_damage_blocks_exactly_as_its_table_says if {
	found := {name: fixture.difference(damage.document, _lanes, damage.expected) | some name, damage in _damaged}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _damaged}
}

# The codes that an observation decides, when it cannot be read.
_decides := {
	["terraform", "stacks", "streaming", "init"]: {"M2A-B3", "M2C-B2"},
	["terraform", "stacks", "streaming", "validate"]: {"M2C-B2"},
	["terraform", "stacks", "streaming", "plan"]: {"M2C-B2"},
	["terraform", "stacks", "streaming", "outputs"]: {"M2C-B2", "M2C-B7"},
	["terraform", "stacks", "streaming", "state"]: {"M2C-B1", "M2C-B7"},
	["aws", "kafka", "clusters", _arn, "cluster"]: {"M2C-B3", "M2C-B4", "M2D-B2"},
	["aws", "kafka", "clusters", _arn, "bootstrap_brokers"]: {"M2C-B3", "M2C-B4", "M2D-B2"},
	["aws", "kafka", "clusters", _arn, "policy"]: {"M2C-B4"},
	["aws", "ssm", "parameters", "/fraud-platform/dev_full/msk/bootstrap_brokers", "metadata"]: {"M2C-B4", "M2D-B2"},
	["aws", "ssm", "parameters", "/fraud-platform/dev_full/msk/bootstrap_brokers", "value"]: {"M2C-B4", "M2D-B2"},
	["aws", "glue", "registries", "schemas", "registry"]: {"M2C-B5", "M2D-B3"},
	["aws", "glue", "registries", "schemas", "schemas"]: {"M2C-B5", "M2D-B3"},
	["aws", "glue", "schemas", "schemas/fp.control.anchor.v1", "schema"]: {"M2C-B5", "M2D-B3"},
	["aws", "glue", "schemas", "schemas/fp.control.anchor.v1", "latest_version"]: {"M2C-B5", "M2D-B3"},
}

test_each_unreadable_fact_turns_exactly_its_readers_red if {
	unread := fixture.unread(_decides, _lanes)
	{at: fixture.codes_of(blocking) | some at, blocking in unread} == _decides
	unread == {at: fixture.readers(at, _lanes, "unreadable") | some at, _ in _decides}
}

test_each_unpinned_handle_blocks if {
	codes := {name: fixture.codes(fixture.pinned(_ready, name, "TO_PIN"), _lanes) |
		some name in [
			"MSK_CLUSTER_ARN", "MSK_BOOTSTRAP_BROKERS_SASL_IAM", "MSK_CLUSTER_NAME", "MSK_AUTH_MODE",
			"SSM_MSK_BOOTSTRAP_BROKERS_PATH", "ROLE_EKS_RUNTIME_PLATFORM_BASE", "GLUE_SCHEMA_REGISTRY_NAME",
			"GLUE_SCHEMA_COMPATIBILITY_MODE", "GLUE_ANCHOR_SCHEMA_NAME",
		]
	}
	codes == {
		"MSK_CLUSTER_ARN": {"M2C-B3", "M2C-B4", "M2C-B7", "M2D-B2", "M2D-B6", "M2D-B7"},
		"MSK_BOOTSTRAP_BROKERS_SASL_IAM": {"M2C-B3", "M2D-B2"},
		"MSK_CLUSTER_NAME": {"M2C-B3"},
		"MSK_AUTH_MODE": {"M2C-B4"},
		"SSM_MSK_BOOTSTRAP_BROKERS_PATH": {"M2C-B4", "M2C-B7", "M2D-B2", "M2D-B7"},
		"ROLE_EKS_RUNTIME_PLATFORM_BASE": {
			"M2B-B3", "M2B-B4", "M2B-B5", "M2C-B4", "M2C-B7", "M2D-B4", "M2E-B6", "M2E-B7",
		},
		"GLUE_SCHEMA_REGISTRY_NAME": {"M2C-B5", "M2C-B7", "M2D-B3", "M2D-B7"},
		"GLUE_SCHEMA_COMPATIBILITY_MODE": {"M2C-B5", "M2D-B3"},
		"GLUE_ANCHOR_SCHEMA_NAME": {"M2C-B5", "M2C-B7", "M2D-B3", "M2D-B7"},
	}
}
