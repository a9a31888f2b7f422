# METADATA
# title: Places of AWS facts
# description: |
#   References into the `aws` section, each by the handle that names the resource and the aspect that is meant. A resource
#   behind an unpinned handle has no place; its reference says so by a null in `at`.
package lib.aws

import data.contract.m2 as contract
import data.lib.fact
import data.lib.handle

bucket(name, aspect, field) := _named("s3", "buckets", name, aspect, field)

table(name, aspect, field) := _named("dynamodb", "tables", name, aspect, field)

role(name, aspect, field) := _named("iam", "roles", name, aspect, field)

cluster(name, aspect, field) := _named("kafka", "clusters", name, aspect, field)

registry(name, aspect, field) := _named("glue", "registries", name, aspect, field)

parameter(name, aspect, field) := _named("ssm", "parameters", name, aspect, field)

# A KMS key by its alias. Reads that follow the alias are recorded under the key's own id.
key(name, aspect, field) := object.union(
	_named("kms", "aliases", name, aspect, field),
	{"also_named": [id |
		some part in ["KeyId", "Arn"]
		id := fact.value(_named("kms", "aliases", name, "key", ["KeyMetadata", part]))
		is_string(id)
	]},
)

# The anchor schema of the schema registry. Its name is contract data where the handle registry does not mention it; a handle
# that is there and not pinned blocks like any other.
anchor_schema(aspect, field) := {
	"subject": contract.streaming.anchor_schema.handle,
	"at": ["aws", "glue", "schemas", _path([handle.value(contract.streaming.registry), _anchor_name]), aspect],
	"field": field,
	"handles": array.concat([contract.streaming.registry], _anchor_handles),
}

# Every resource that carries the project's tag.
inventory(field) := {
	"subject": contract.tag_inventory,
	"at": ["aws", "tagging", "inventories", handle.tag_value(contract.tag_inventory), "resources"],
	"field": field,
	"handles": [contract.tag_inventory],
}

# Who ran the reads.
caller_identity(field) := {"subject": "run", "at": ["run", "caller_identity"], "field": field, "handles": []}

_named(service, kind, name, aspect, field) := {
	"subject": name,
	"at": ["aws", service, kind, handle.value(name), aspect],
	"field": field,
	"handles": [name],
}

_anchor_handles := [name | name := contract.streaming.anchor_schema.handle; handle.raw(name) != null]

_anchor_name := contract.streaming.anchor_schema["default"] if {
	count(_anchor_handles) == 0
} else := handle.value(contract.streaming.anchor_schema.handle)

_path(parts) := concat("/", parts) if {
	every part in parts {
		is_string(part)
	}
} else := null
