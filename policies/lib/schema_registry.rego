# METADATA
# title: Schema registry
# description: |
#   The claims that the contract makes about the Glue registry: it is there, every schema in it has the pinned
#   compatibility, and the anchor schema can be used. Two lanes make them.
package lib.schema_registry

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.report

checks contains check.equals_handle(_registry, "the registry is there", _registry_fact(["RegistryName"]), _registry)

checks contains check.equals(_registry, "the registry is available", _registry_fact(["Status"]), _available)

checks contains check.of({
	"subject": data.contract.m2.streaming.compatibility,
	"claim": "every schema of the registry has this compatibility",
	"refs": [_schemas],
	"handles": [data.contract.m2.streaming.compatibility],
	"holds": _is_compatible,
	"expected": "at least one schema, and none with another compatibility",
	"actual": {"schemas": count(fact.list(_schemas)), "other": _incompatible},
})

checks contains check.of({
	"subject": _registry,
	"claim": "every schema of the registry is available",
	"refs": [_schemas],
	"handles": [],
	"holds": check.same(_unavailable, []),
	"expected": [],
	"actual": _unavailable,
})

checks contains check.equals(
	_anchor.handle,
	"the anchor schema is registered under its name",
	aws.anchor_schema("schema", ["SchemaName"]),
	handle.chosen(_anchor),
)

checks contains check.equals_handle(
	_anchor.handle,
	"the anchor schema has the pinned compatibility",
	aws.anchor_schema("schema", ["Compatibility"]),
	data.contract.m2.streaming.compatibility,
)

checks contains check.equals(
	_anchor.handle,
	"the anchor schema is available",
	aws.anchor_schema("schema", ["SchemaStatus"]),
	_available,
)

checks contains check.equals(
	_anchor.handle,
	"the latest version of the anchor schema is available",
	aws.anchor_schema("latest_version", ["Status"]),
	_available,
)

checks contains check.of({
	"subject": _anchor.handle,
	"claim": "the latest version of the anchor schema has a definition",
	"refs": [_definition],
	"handles": [],
	"holds": fact.is_text(fact.value(_definition)),
	"expected": "a definition",
	"actual": {true: "a definition", false: "none"}[fact.is_text(fact.value(_definition))],
})

# Where the registry and its anchor schema stand in the fact document.
refs := array.concat(_registry_refs, _anchor_refs)

# What the evidence shows of them.
snapshot := {
	"handles": report.handles([_registry, data.contract.m2.streaming.compatibility, _anchor.handle]),
	"anchor_schema": handle.chosen(_anchor),
	"registry": report.readings(_registry_refs),
	"anchor": report.readings(_anchor_refs),
}

_registry := data.contract.m2.streaming.registry

_anchor := data.contract.m2.streaming.anchor_schema

_available := "AVAILABLE"

_registry_refs := [aws.registry(_registry, aspect, []) | some aspect in ["registry", "schemas"]]

_anchor_refs := [aws.anchor_schema(aspect, []) | some aspect in ["schema", "latest_version"]]

_registry_fact(field) := aws.registry(_registry, "registry", field)

_schemas := aws.registry(_registry, "schemas", ["Schemas"])

_definition := aws.anchor_schema("latest_version", ["SchemaDefinition"])

default _is_compatible := false

_is_compatible if {
	count(fact.list(_schemas)) > 0
	count(_incompatible) == 0
}

_incompatible := [{"schema": object.get(found, "SchemaName", null), "compatibility": compatibility} |
	some schema in fact.list(_schemas)
	found := fact.members(schema)
	compatibility := object.get(found, "Compatibility", null)
	compatibility != handle.value(data.contract.m2.streaming.compatibility)
]

# Null where there is no list of schemas.
_unavailable := [{"schema": object.get(found, "SchemaName", null), "status": status} |
	some schema in fact.value(_schemas)
	found := fact.members(schema)
	status := object.get(found, "SchemaStatus", null)
	status != _available
] if {
	is_array(fact.value(_schemas))
} else := null
