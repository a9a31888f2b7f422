package m2_test

import data.lib.fixture_test as fixture

_observed(document) := found if {
	found := {[lane, observation.subject, observation.message] |
		some lane, observations in {
			"a": data.m2.a.observations,
			"b": data.m2.b.observations,
			"c": data.m2.c.observations,
			"d": data.m2.d.observations,
			"e": data.m2.e.observations,
			"f": data.m2.f.observations,
			"g": data.m2.g.observations,
			"h": data.m2.h.observations,
		}
		some observation in observations
	} with input as document
}

_effective(name, value) := fixture.put(
	_ready,
	["terraform", "stacks", "core", "backend", "value", "effective", name],
	value,
)

_core_plan(field, value) := fixture.put(_ready, ["terraform", "stacks", "core", "plan", "value", field], value)

_cluster := ["aws", "kafka", "clusters", "arn:aws:kafka:eu-west-2:123456789012:cluster/stream/5f3c"]

_noteworthy := {
	"nothing": {"document": _ready, "expected": set()},
	"an empty document": {"document": {}, "expected": set()},
	"an endpoint override": {
		"document": fixture.put(_ready, ["run", "endpoint_url"], "http://127.0.0.1:5000"),
		"expected": {[
			"a",
			"run",
			"the facts were read through the endpoint override http://127.0.0.1:5000, not from AWS itself",
		]},
	},
	"a handle pinned twice": {
		"document": fixture.put(_ready, ["handles", "TF_LOCK_TABLE", "repeated_on"], [7, 9]),
		"expected": {["a", "TF_LOCK_TABLE", "pinned to the same value again (registry lines: 7, 9)"]},
	},
	"a lock file beside the lock table": {
		"document": _effective("use_lockfile", true),
		"expected": {["a", "core", "Terraform also locks the state by a lock file in the bucket (`use_lockfile`)"]},
	},
	"a backend that does not ask for encryption": {
		"document": _effective("encrypt", false),
		"expected": {[
			"a",
			"core",
			"the backend does not ask for encryption of the state object; the bucket's default applies",
		]},
	},
	"a lock table without backups, whose items expire": {
		"document": fixture.put(
			fixture.put(
				_ready,
				["aws", "dynamodb", "tables", "locks", "time_to_live", "value", "TimeToLiveDescription", "TimeToLiveStatus"],
				"ENABLED",
			),
			["aws", "dynamodb", "tables", "locks", "continuous_backups", "value"],
			{"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "DISABLED"}},
		),
		"expected": {
			["a", "TF_LOCK_TABLE", "point-in-time recovery of the lock table is off"],
			["a", "TF_LOCK_TABLE", "items of the lock table expire by time to live: a lock may vanish while it is held"],
		},
	},
	"a key that does not rotate": {
		"document": fixture.put(
			_ready,
			["aws", "kms", "aliases", "alias/platform", "rotation", "value", "KeyRotationEnabled"],
			false,
		),
		"expected": {["b", "KMS_KEY_ALIAS_PLATFORM", "automatic rotation of the key is off"]},
	},
	"drift outside Terraform": {
		"document": _core_plan("drifted", ["aws_s3_bucket.a", "aws_s3_bucket.b"]),
		"expected": {["b", "core", "resources that changed outside Terraform: 2"]},
	},
	"a plan that destroys": {
		"document": _core_plan("resource_changes", [
			{"address": "aws_s3_bucket.a", "type": "aws_s3_bucket", "actions": ["delete", "create"]},
			{"address": "aws_s3_bucket.b", "type": "aws_s3_bucket", "actions": ["update"]},
		]),
		"expected": {
			["b", "core", "resources that the plan changes: 2"],
			["b", "core", "the plan destroys aws_s3_bucket.a"],
		},
	},
	"a streaming plan that stays dirty": {
		"document": fixture.put(_ready, ["terraform", "stacks", "streaming", "plan", "value", "exit_code"], 2),
		"expected": {["c", "streaming", "the last plan still shows changes"]},
	},
	"an output that differs from its handle": {
		"document": fixture.put(
			_ready,
			["terraform", "stacks", "streaming", "outputs", "value", "values", "msk_cluster_arn", "value"],
			"arn:other",
		),
		"expected": {["c", "MSK_CLUSTER_ARN", "the stack's output msk_cluster_arn differs from the handle"]},
	},
	"a cluster in another network": {
		"document": fixture.put(
			_ready,
			array.concat(_cluster, ["cluster", "value", "clusterInfo", "serverless", "vpcConfigs", 0, "subnetIds"]),
			["subnet-9"],
		),
		"expected": {["c", "MSK_CLIENT_SUBNET_IDS", "the cluster is in another network than the handle pins"]},
	},
	"a cluster with a policy": {
		"document": fixture.put(_ready, array.concat(_cluster, ["policy"]), {
			"status": "present",
			"value": {"Policy": {"Statement": []}},
			"receipts": [],
		}),
		"expected": {["c", "MSK_CLUSTER_ARN", "the cluster has a policy of its own"]},
	},
	"roles that are still to be made": {
		"document": fixture.pinned(_ready, "ROLE_STEP_FUNCTIONS_ORCHESTRATOR", "TO_PIN"),
		"expected": {
			["d", "FP_BUS_CONTROL_V1", "roles that M2.E must still make: ROLE_STEP_FUNCTIONS_ORCHESTRATOR"],
			[
				"e",
				"ROLE_STEP_FUNCTIONS_ORCHESTRATOR",
				"the stack's output role_step_functions_orchestrator differs from the handle",
			],
		},
	},
	"topics on the cluster": {
		"document": fixture.put(_ready, array.concat(_cluster, ["topics"]), {
			"status": "present",
			"value": {"topics": [{"topicName": name} | some name in ["fp.bus.audit.v1", "fp.bus.extra.v1", "__offsets"]]},
			"receipts": [],
		}),
		"expected": {["d", "MSK_CLUSTER_ARN", "topics of the bus that no handle names: fp.bus.extra.v1"]},
	},
	"a runtime plan that stays dirty": {
		"document": fixture.put(_ready, ["terraform", "stacks", "runtime", "plan", "value", "exit_code"], 2),
		"expected": {["e", "runtime", "the last plan still shows changes"]},
	},
	"a parameter that no handle names": {
		"document": fixture.put(
			_ready,
			["aws", "ssm", "inventories", "/fraud-platform/dev_full", "parameters", "value", "Parameters", 0],
			{"Name": "/fraud-platform/dev_full/old", "Type": "String"},
		),
		"expected": {[
			"f",
			"PROJECT_SLUG",
			"parameters below the platform's folder that no handle names: /fraud-platform/dev_full/old",
		]},
	},
	"an address that is encrypted": {
		"document": fixture.put(
			_ready,
			["aws", "ssm", "parameters", "/fraud-platform/dev_full/redis/endpoint", "metadata", "value", "Type"],
			"SecureString",
		),
		"expected": {[
			"f",
			"SSM_REDIS_ENDPOINT_PATH",
			"the parameter is a SecureString and holds no credential that would need it",
		]},
	},
	"an endpoint that is live": {
		"document": fixture.put(_ready, ["aws", "sagemaker", "endpoints", "online", "endpoint"], {
			"status": "present",
			"value": {"EndpointStatus": "InService"},
			"receipts": [],
		}),
		"expected": {["g", "SM_ENDPOINT_NAME", "the endpoint is live (InService)"]},
	},
	"an alarm that rings": {
		"document": fixture.put(
			_ready,
			["aws", "cloudwatch", "alarms", "rtdl-lag", "alarm", "value", "StateValue"],
			"ALARM",
		),
		"expected": {["h", "ALARM_RTDL_LAG", "the alarm is ringing"]},
	},
	"a notification beyond the alerts": {
		"document": fixture.put(
			_ready,
			["aws", "budgets", "budgets", "monthly", "notifications", "value", "Notifications", 0],
			{"NotificationType": "FORECASTED", "Threshold": 100},
		),
		"expected": {["h", "AWS_BUDGET_NAME", "notifications beyond the pinned alerts: 1"]},
	},
}

test_each_observation_is_as_its_table_says if {
	found := {name: _observed(case.document) | some name, case in _noteworthy}
	found == {name: case.expected | some name, case in _noteworthy}
}
