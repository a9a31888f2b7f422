package lib.schema_registry_test

import data.lib.schema_registry

_schemas(schemas) := {
	"handles": {
		"GLUE_SCHEMA_REGISTRY_NAME": {"value": "r", "line": 1},
		"GLUE_SCHEMA_COMPATIBILITY_MODE": {"value": "BACKWARD", "line": 2},
	},
	"aws": {"glue": {"registries": {"r": {"schemas": {"status": "present", "value": {"Schemas": schemas}, "receipts": []}}}}},
}

_found(claim, schemas) := [check.ok, check.actual] if {
	checks := schema_registry.checks with input as _schemas(schemas)
	some check in checks
	check.claim == claim
}

_good := {"SchemaName": "a", "Compatibility": "BACKWARD", "SchemaStatus": "AVAILABLE"}

test_every_schema_has_the_pinned_compatibility if {
	claim := "every schema of the registry has this compatibility"
	_found(claim, [_good]) == [true, {"schemas": 1, "other": []}]
	_found(claim, []) == [false, {"schemas": 0, "other": []}]
	other := object.union(_good, {"SchemaName": "b", "Compatibility": "NONE"})
	_found(claim, [_good, other, "strange"]) == [false, {"schemas": 3, "other": [
		{"schema": "b", "compatibility": "NONE"},
		{"schema": null, "compatibility": null},
	]}]
	_found(claim, "strange")[0] == false
}

test_every_schema_is_available if {
	claim := "every schema of the registry is available"
	_found(claim, [_good]) == [true, []]
	other := object.union(_good, {"SchemaName": "b", "SchemaStatus": "DELETING"})
	_found(claim, [_good, other, "strange"]) == [false, [
		{"schema": "b", "status": "DELETING"},
		{"schema": null, "status": null},
	]]
	_found(claim, "strange") == [false, null]
}
