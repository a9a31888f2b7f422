package lib.aws_test

import data.lib.aws

_document := {"handles": {
	"NAME": {"value": "n", "line": 1},
	"GLUE_SCHEMA_REGISTRY_NAME": {"value": "registry", "line": 2},
	"GLUE_ANCHOR_SCHEMA_NAME": {"value": "anchor", "line": 3},
	"TAG_PROJECT_KEY": {"value": "project", "expected_tag_value": "p", "line": 4},
}}

test_each_kind_of_resource_has_its_place if {
	places := [ref.at |
		some ref in [
			aws.bucket("NAME", "head", []),
			aws.table("NAME", "table", []),
			aws.role("NAME", "role", []),
			aws.cluster("NAME", "cluster", []),
			aws.registry("NAME", "schemas", []),
			aws.parameter("NAME", "value", []),
			aws.state_machine("NAME", "state_machine", []),
			aws.api("NAME", "routes", []),
			aws.function("NAME", "configuration", []),
			aws.eks_cluster("NAME", "cluster", []),
			aws.queue("NAME", "queue", []),
			aws.application("NAME", "application", []),
			aws.simulation("NAME", []),
			aws.endpoint("NAME", "live", []),
			aws.budget("NAME", "budget", []),
			aws.alarm("NAME", []),
			aws.dashboard("NAME", []),
			aws.log_groups("NAME", []),
			aws.key("NAME", "key", []),
			aws.anchor_schema("schema", []),
			aws.spending([]),
			aws.inventory([]),
			aws.caller_identity([]),
		]
	] with input as _document
	places == [
		["aws", "s3", "buckets", "n", "head"],
		["aws", "dynamodb", "tables", "n", "table"],
		["aws", "iam", "roles", "n", "role"],
		["aws", "kafka", "clusters", "n", "cluster"],
		["aws", "glue", "registries", "n", "schemas"],
		["aws", "ssm", "parameters", "n", "value"],
		["aws", "sfn", "state_machines", "n", "state_machine"],
		["aws", "apigatewayv2", "apis", "n", "routes"],
		["aws", "lambda", "functions", "n", "configuration"],
		["aws", "eks", "clusters", "n", "cluster"],
		["aws", "sqs", "queues", "n", "queue"],
		["aws", "kinesisanalyticsv2", "applications", "n", "application"],
		["aws", "iam", "simulations", "n", "parameter_reads"],
		["aws", "sagemaker", "endpoints", "n", "live"],
		["aws", "budgets", "budgets", "n", "budget"],
		["aws", "cloudwatch", "alarms", "n", "alarm"],
		["aws", "cloudwatch", "dashboards", "n", "dashboard"],
		["aws", "logs", "groups", "n", "groups"],
		["aws", "kms", "aliases", "n", "key"],
		["aws", "glue", "schemas", "registry/anchor", "schema"],
		["aws", "costexplorer", "windows", "month_to_date", "cost"],
		["aws", "tagging", "inventories", "p", "resources"],
		["run", "caller_identity"],
	]
}

test_a_resource_is_named_by_its_handle if {
	ref := aws.bucket("NAME", "head", ["x"]) with input as _document
	object.remove(ref, ["at"]) == {"subject": "NAME", "field": ["x"], "handles": ["NAME"]}
}

test_an_open_handle_names_no_place if {
	aws.bucket("OPEN", "head", []).at == ["aws", "s3", "buckets", null, "head"] with input as _document
}

test_the_contract_names_the_anchor_schema_where_the_registry_does_not if {
	document := {"handles": object.remove(_document.handles, ["GLUE_ANCHOR_SCHEMA_NAME"])}
	ref := aws.anchor_schema("schema", []) with input as document
	ref.at[3] == "registry/fp.control.anchor.v1"
	ref.handles == ["GLUE_SCHEMA_REGISTRY_NAME"]
}

test_an_anchor_schema_that_is_still_to_be_pinned_names_no_place if {
	document := {"handles": object.union(_document.handles, {"GLUE_ANCHOR_SCHEMA_NAME": {"value": "TO_PIN"}})}
	ref := aws.anchor_schema("schema", []) with input as document
	ref.at[3] == null
	ref.handles == ["GLUE_SCHEMA_REGISTRY_NAME", "GLUE_ANCHOR_SCHEMA_NAME"]
}
