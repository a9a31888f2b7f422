package m2.e

import data.lib.aws
import data.lib.check
import data.lib.edge
import data.lib.fact
import data.lib.handle

# METADATA
# title: Ingress edge not as pinned
# description: |
#   `IG_EDGE_MODE` is not `apigw_lambda_ddb`; or the API, its stage, its ingest or health route, the function behind
#   them, or the table that makes ingest idempotent is absent, of another name, or not in service; or the function runs as
#   another role than the one that the roles' checks are about. The table's key and
#   the field by which its items expire are part of it.
# related_resources:
#   - ref: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
# custom:
#   code: M2E-B4
#   severity: S1
#   taxonomy: M2-B11
#   remediation: Apply the runtime stack, or pin the edge's handles to what it makes.
b4 contains check.pinned_as(_edge.mode.handle, "it is pinned to the managed edge", _edge.mode.value)

b4 contains check.equals_handle(
	_edge.api,
	"AWS reports an API under it",
	aws.api(_edge.api, "api", ["apiId"]),
	_edge.api,
)

b4 contains check.equals_handle(
	_edge.api_name,
	"the API bears the name",
	aws.api(_edge.api, "api", ["name"]),
	_edge.api_name,
)

b4 contains check.of({
	"subject": _edge.stage,
	"claim": "the API has the stage",
	"refs": [_stages],
	"handles": [_edge.stage],
	"holds": handle.value(_edge.stage) in _stage_names,
	"expected": handle.value(_edge.stage),
	"actual": _stage_names,
})

b4 contains check.of({
	"subject": name,
	"claim": "the API has a route for the path",
	"refs": [_routes],
	"handles": [name, _edge.stage],
	"holds": count(_routes_of(name, method)) > 0,
	"expected": sort(_route_keys(name, method)),
	"actual": [object.get(route, "routeKey", null) | some route in _items(_routes)],
}) if {
	some name, method in _edge.routes
}

b4 contains check.of({
	"subject": name,
	"claim": "its route leads to the function",
	"refs": [_routes, _integrations, _function_arn],
	"handles": [name, _edge.stage],
	"holds": _all_lead_to_function(_uris(name, method)),
	"expected": fact.value(_function_arn),
	"actual": _uris(name, method),
}) if {
	some name, method in _edge.routes
}

b4 contains check.equals_handle(
	_edge.function,
	"AWS reports a function under it",
	_function(["FunctionName"]),
	_edge.function,
)

b4 contains check.equals_handle(
	_edge.function,
	"the function runs as its role",
	_function(["Role"]),
	_edge.function_role,
)

b4 contains check.equals(_edge.function, "the function is in service", _function(["State"]), _edge.function_state)

b4 contains check.equals(
	_edge.function,
	"its last update took effect",
	_function(["LastUpdateStatus"]),
	_edge.function_update,
)

b4 contains check.equals_handle(
	_edge.table,
	"AWS reports a table under it",
	aws.table(_edge.table, "table", ["Table", "TableName"]),
	_edge.table,
)

b4 contains check.equals(
	_edge.table,
	"the table is in service",
	aws.table(_edge.table, "table", ["Table", "TableStatus"]),
	_edge.table_status,
)

b4 contains check.of({
	"subject": _edge.partition_key,
	"claim": "it is the whole key of the table",
	"refs": [_key_schema],
	"handles": [_edge.partition_key],
	"holds": check.same(fact.value(_key_schema), _pinned_key),
	"expected": _pinned_key,
	"actual": fact.value(_key_schema),
})

b4 contains check.equals(
	_edge.ttl_field,
	"items of the table expire",
	_time_to_live("TimeToLiveStatus"),
	_edge.ttl_status,
)

b4 contains check.equals_handle(
	_edge.ttl_field,
	"items of the table expire by the field",
	_time_to_live("AttributeName"),
	_edge.ttl_field,
)

_edge := data.contract.m2.edge

_stages := aws.api(_edge.api, "stages", ["items"])

_routes := aws.api(_edge.api, "routes", ["items"])

_integrations := aws.api(_edge.api, "integrations", ["items"])

_function(field) := aws.function(_edge.function, "configuration", field)

_function_arn := _function(["FunctionArn"])

_key_schema := aws.table(_edge.table, "table", ["Table", "KeySchema"])

_time_to_live(field) := aws.table(_edge.table, "time_to_live", ["TimeToLiveDescription", field])

_pinned_key := [{"AttributeName": handle.value(_edge.partition_key), "KeyType": "HASH"}]

_items(ref) := [item | some item in fact.list(ref); is_object(item)]

_stage_names := sort({object.get(stage, "stageName", null) | some stage in _items(_stages)})

_routes_of(name, method) := [route |
	keys := _route_keys(name, method)
	some route in _items(_routes)
	object.get(route, "routeKey", null) in keys
]

_route_keys(name, method) := edge.route_keys(name, _edge.stage, method)

# Where the routes of the path lead; null for one that leads nowhere.
_uris(name, method) := [uri |
	some route in _routes_of(name, method)
	some uri in _uris_behind(object.get(route, "target", null))
]

_uris_behind(target) := found if {
	found := [object.get(integration, "integrationUri", null) |
		some integration in _items(_integrations)
		target == sprintf("integrations/%v", [object.get(integration, "integrationId", null)])
	]
	count(found) > 0
} else := [null]

_all_lead_to_function(uris) if {
	count(uris) > 0
	arn := fact.value(_function_arn)
	is_string(arn)
	every uri in uris {
		is_string(uri)
		_leads_to(uri, arn)
	}
} else := false

# An integration names the function by its ARN, or by the path under which it is invoked.
_leads_to(uri, arn) if uri == arn

_leads_to(uri, arn) if endswith(uri, concat("", ["/functions/", arn, "/invocations"]))
