# METADATA
# title: Places of AWS facts
# description: |
#   References into the `aws` section, each by the handle that names the resource and the aspect that is meant. A
#   resource behind an unpinned handle has no place; its reference says so by a null in `at`.
package lib.aws

import data.lib.handle

bucket(name, aspect, field) := _named("s3", "buckets", name, aspect, field)

table(name, aspect, field) := _named("dynamodb", "tables", name, aspect, field)

role(name, aspect, field) := _named("iam", "roles", name, aspect, field)

cluster(name, aspect, field) := _named("kafka", "clusters", name, aspect, field)

registry(name, aspect, field) := _named("glue", "registries", name, aspect, field)

parameter(name, aspect, field) := _named("ssm", "parameters", name, aspect, field)

# A Step Functions state machine, by its name or its ARN.
state_machine(name, aspect, field) := _named("sfn", "state_machines", name, aspect, field)

# An HTTP API, by its id.
api(name, aspect, field) := _named("apigatewayv2", "apis", name, aspect, field)

function(name, aspect, field) := _named("lambda", "functions", name, aspect, field)

eks_cluster(name, aspect, field) := _named("eks", "clusters", name, aspect, field)

queue(name, aspect, field) := _named("sqs", "queues", name, aspect, field)

# A Flink application.
application(name, aspect, field) := _named("kinesisanalyticsv2", "applications", name, aspect, field)

# A KMS key, by its alias.
key(name, aspect, field) := _named("kms", "aliases", name, aspect, field)

# What a policy simulation says that a role may read.
simulation(name, field) := _named("iam", "simulations", name, "parameter_reads", field)

endpoint(name, aspect, field) := _named("sagemaker", "endpoints", name, aspect, field)

budget(name, aspect, field) := _named("budgets", "budgets", name, aspect, field)

alarm(name, field) := _named("cloudwatch", "alarms", name, "alarm", field)

dashboard(name, field) := _named("cloudwatch", "dashboards", name, "dashboard", field)

# Every log group below a prefix.
log_groups(name, field) := _named("logs", "groups", name, "groups", field)

# Every parameter below the platform's own folder.
parameters(field) := {
	"subject": data.contract.m2.platform_name[0],
	"at": ["aws", "ssm", "inventories", handle.folder, "parameters"],
	"field": field,
	"handles": data.contract.m2.platform_name,
}

# The anchor schema of the schema registry. Its name is contract data where the handle registry does not mention it; a
# handle that is there and not pinned blocks like any other.
anchor_schema(aspect, field) := {
	"subject": anchor.handle,
	"at": ["aws", "glue", "schemas", _path([handle.value(registry_name), handle.chosen(anchor)]), aspect],
	"field": field,
	"handles": array.concat([registry_name], handle.named_by_setting(anchor)),
} if {
	anchor := data.contract.m2.streaming.anchor_schema
	registry_name := data.contract.m2.streaming.registry
}

# What the account has spent in the month of the run.
spending(field) := {
	"subject": "run",
	"at": ["aws", "costexplorer", "windows", "month_to_date", "cost"],
	"field": field,
	"handles": [],
}

# Every resource that carries the project's tag.
inventory(field) := {
	"subject": data.contract.m2.tag_inventory,
	"at": ["aws", "tagging", "inventories", handle.tag_value(data.contract.m2.tag_inventory), "resources"],
	"field": field,
	"handles": [data.contract.m2.tag_inventory],
}

# Who ran the reads.
caller_identity(field) := {"subject": "run", "at": ["run", "caller_identity"], "field": field, "handles": []}

_named(service, kind, name, aspect, field) := {
	"subject": name,
	"at": ["aws", service, kind, handle.value(name), aspect],
	"field": field,
	"handles": [name],
}

_path(parts) := concat("/", parts) if {
	every part in parts {
		is_string(part)
	}
} else := null
