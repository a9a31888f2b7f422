package m2.e_test

import data.lib.fixture_test as fixture

# The lanes that read what the tables damage by contract; the whole gate has tables of its own.
_edge_lanes := {"M2E"}

_api(aspect) := ["aws", "apigatewayv2", "apis", "a1b2c3", aspect]

_items(aspect) := array.concat(_api(aspect), ["value", "items"])

_function := ["aws", "lambda", "functions", "ig-handler", "configuration"]

_table := ["aws", "dynamodb", "tables", "ig-idempotency"]

_time_to_live(field) := array.concat(_table, ["time_to_live", "value", "TimeToLiveDescription", field])

_no_route := {
	["M2E-B4", "IG_INGEST_PATH", "the API has a route for the path", "violated"],
	["M2E-B4", "IG_INGEST_PATH", "its route leads to the function", "violated"],
}

_elsewhere := {["M2E-B4", name, "its route leads to the function", "violated"] |
	some name in ["IG_INGEST_PATH", "IG_HEALTHCHECK_PATH"]
}

_other_key := {["M2E-B4", "DDB_IG_IDEMPOTENCY_PARTITION_KEY", "it is the whole key of the table", "violated"]}

_integrated(uri) := fixture.put(_ready, array.concat(_items("integrations"), [0, "integrationUri"]), uri)

_routed(route_key) := fixture.put(_ready, array.concat(_items("routes"), [0, "routeKey"]), route_key)

# What a change of the edge turns red, and nothing else.
_edges := {
	"an edge on EKS": {
		"document": fixture.pinned(_ready, "IG_EDGE_MODE", "eks"),
		"expected": {
			["M2E-B4", "IG_EDGE_MODE", "it is pinned to the managed edge", "violated"],
			["M2E-B5", "RUNTIME_DEFAULT_INGRESS_EDGE", "it agrees with IG_EDGE_MODE", "violated"],
		},
	},
	"no API": {
		"document": fixture.absent(_ready, _api("api")),
		"expected": {
			["M2E-B4", "APIGW_IG_API_ID", "AWS reports an API under it", "absent"],
			["M2E-B4", "APIGW_IG_API_NAME", "the API bears the name", "absent"],
		},
	},
	"an API of another name": {
		"document": fixture.put(_ready, array.concat(_api("api"), ["value", "name"]), "other"),
		"expected": {["M2E-B4", "APIGW_IG_API_NAME", "the API bears the name", "violated"]},
	},
	"another stage": {
		"document": fixture.put(_ready, _items("stages"), [{"stageName": "v2"}, "malformed"]),
		"expected": {["M2E-B4", "APIGW_IG_STAGE", "the API has the stage", "violated"]},
	},
	"no routes": {
		"document": fixture.put(_ready, _items("routes"), ["malformed"]),
		"expected": _no_route | {
			["M2E-B4", "IG_HEALTHCHECK_PATH", "the API has a route for the path", "violated"],
			["M2E-B4", "IG_HEALTHCHECK_PATH", "its route leads to the function", "violated"],
		},
	},
	"a route of another method": {"document": _routed("GET /ingest/push"), "expected": _no_route},
	"a route of another path": {"document": _routed("POST /ingest/push/x"), "expected": _no_route},
	"a route that names the stage": {"document": _routed("POST /v1/ingest/push"), "expected": set()},
	"a path of no stage": {
		"document": fixture.pinned(_ready, "IG_INGEST_PATH", "/v11/ingest/push"),
		"expected": _no_route,
	},
	"a path that is no text": {"document": fixture.pinned(_ready, "IG_INGEST_PATH", 1), "expected": _no_route},
	"a route without a target": {
		"document": fixture.without(_ready, array.concat(_items("routes"), [0, "target"])),
		"expected": {["M2E-B4", "IG_INGEST_PATH", "its route leads to the function", "violated"]},
	},
	"routes to an integration that is not there": {
		"document": fixture.put(_ready, _items("integrations"), []),
		"expected": _elsewhere,
	},
	"an integration that names the function itself": {
		"document": _integrated("arn:aws:lambda:eu-west-2:123456789012:function:ig-handler"),
		"expected": set(),
	},
	"an integration with another function": {
		"document": _integrated("arn:aws:lambda:eu-west-2:123456789012:function:ig-handler-2"),
		"expected": _elsewhere,
	},
	"an integration with the web": {"document": _integrated("https://example.com/"), "expected": _elsewhere},
	"an integration with nothing": {"document": _integrated(null), "expected": _elsewhere},
	"no function": {
		"document": fixture.absent(_ready, _function),
		"expected": {
			["M2E-B4", "LAMBDA_IG_HANDLER_NAME", "AWS reports a function under it", "absent"],
			["M2E-B4", "LAMBDA_IG_HANDLER_NAME", "the function is in service", "absent"],
			["M2E-B4", "LAMBDA_IG_HANDLER_NAME", "the function runs as its role", "absent"],
			["M2E-B4", "LAMBDA_IG_HANDLER_NAME", "its last update took effect", "absent"],
			["M2E-B4", "IG_INGEST_PATH", "its route leads to the function", "absent"],
			["M2E-B4", "IG_HEALTHCHECK_PATH", "its route leads to the function", "absent"],
		},
	},
	"a function under another role": {
		"document": fixture.put(_ready, array.concat(_function, ["value", "Role"]), "arn:aws:iam::123456789012:role/other"),
		"expected": {["M2E-B4", "LAMBDA_IG_HANDLER_NAME", "the function runs as its role", "violated"]},
	},
	"a function whose update failed": {
		"document": fixture.put(_ready, array.concat(_function, ["value", "LastUpdateStatus"]), "Failed"),
		"expected": {["M2E-B4", "LAMBDA_IG_HANDLER_NAME", "its last update took effect", "violated"]},
	},
	"a function that failed": {
		"document": fixture.put(_ready, array.concat(_function, ["value", "State"]), "Failed"),
		"expected": {["M2E-B4", "LAMBDA_IG_HANDLER_NAME", "the function is in service", "violated"]},
	},
	"a function without an ARN": {
		"document": fixture.without(_ready, array.concat(_function, ["value", "FunctionArn"])),
		"expected": _elsewhere,
	},
	"a table being deleted": {
		"document": fixture.put(_ready, array.concat(_table, ["table", "value", "Table", "TableStatus"]), "DELETING"),
		"expected": {["M2E-B4", "DDB_IG_IDEMPOTENCY_TABLE", "the table is in service", "violated"]},
	},
	"a table with another key": {
		"document": fixture.pinned(_ready, "DDB_IG_IDEMPOTENCY_PARTITION_KEY", "id"),
		"expected": _other_key,
	},
	"a table with a sort key": {
		"document": fixture.put(
			_ready,
			array.concat(_table, ["table", "value", "Table", "KeySchema", 1]),
			{"AttributeName": "at", "KeyType": "RANGE"},
		),
		"expected": _other_key,
	},
	"items that never expire": {
		"document": fixture.put(_ready, _time_to_live("TimeToLiveStatus"), "DISABLED"),
		"expected": {["M2E-B4", "DDB_IG_IDEMPOTENCY_TTL_FIELD", "items of the table expire", "violated"]},
	},
	"items that expire by another field": {
		"document": fixture.put(_ready, _time_to_live("AttributeName"), "at"),
		"expected": {["M2E-B4", "DDB_IG_IDEMPOTENCY_TTL_FIELD", "items of the table expire by the field", "violated"]},
	},
}

test_each_edge_blocks_exactly_as_its_table_says if {
	found := {name: fixture.difference(case.document, _edge_lanes, case.expected) | some name, case in _edges}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _edges}
}
