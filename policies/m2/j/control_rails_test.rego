package m2.j_test

import data.lib.fixture_test as fixture

_handle(name) := data.lib.fixture_test.handles[name].value

_stages := ["aws", "apigatewayv2", "apis", _handle("APIGW_IG_API_ID"), "stages"]

_stage(path) := array.concat(array.concat(_stages, ["value", "items", 0]), path)

_handler := ["aws", "lambda", "functions", _handle("LAMBDA_IG_HANDLER_NAME"), "configuration"]

_configured(path) := array.concat(array.concat(_handler, ["value"]), path)

_forgetting := ["aws", "dynamodb", "tables", _handle("DDB_IG_IDEMPOTENCY_TABLE"), "time_to_live"]

_routes := ["aws", "apigatewayv2", "apis", _handle("APIGW_IG_API_ID"), "routes"]

_route(path) := array.concat(array.concat(_routes, ["value", "items", 0]), path)

_authorizers := ["aws", "apigatewayv2", "apis", _handle("APIGW_IG_API_ID"), "authorizers"]

_authorizer(path) := array.concat(array.concat(_authorizers, ["value", "items", 0]), path)

_other_stage := [
	"M2J-B5",
	"APIGW_IG_STAGE",
	"the API has no other stage, which would be outside the envelope",
	"violated",
]

_unguarded := {[
	"M2J-B5",
	"IG_AUTH_HEADER_NAME",
	"every route but the health check asks an authorizer that reads this header and nothing else",
	"violated",
]}

_time_to_live(field) := array.concat(_forgetting, ["value", "TimeToLiveDescription", field])

_queue := ["aws", "sqs", "queues", _handle("IG_DLQ_QUEUE_NAME"), "queue"]

_application := ["aws", "kinesisanalyticsv2", "applications", _handle("FLINK_APP_SR_READY_V0"), "application"]

_cluster := ["aws", "kafka", "clusters", _handle("MSK_CLUSTER_ARN"), "cluster"]

_limit := "the stage throttles at this limit, and no route of it at another"

_rate := ["M2J-B5", "IG_RATE_LIMIT_RPS", _limit, "violated"]

_burst := ["M2J-B5", "IG_RATE_LIMIT_BURST", _limit, "violated"]

_dead_letters := ["M2J-B5", "IG_DLQ_QUEUE_NAME", "the handler sends its dead letters to the queue", "violated"]

_ungoverned(name) := ["M2J-B3", name, "it is pinned to the contract's governance", "violated"]

_substitute(name) := ["M2J-B7", name, "it is pinned to the managed service", "violated"]

_untold(name) := ["M2J-B5", name, "the handler is told this value", "violated"]

_no_evidence_path := [
	"M2J-B3",
	"PHASE_RUNTIME_PATH_EVIDENCE_PATH_PATTERN",
	"every phase execution leaves evidence of its own",
	"violated",
]

_not_flink := ["M2J-B7", "FLINK_APP_SR_READY_V0", "the application, where there is one, runs managed Flink", "violated"]

# What a damage must turn red beside what it turns red in the lanes before.
_derailed := {
	"several paths at once": {
		"document": fixture.pinned(_ready, "PHASE_RUNTIME_PATH_MODE", "any"),
		"expected": {_ungoverned("PHASE_RUNTIME_PATH_MODE")},
	},
	"a switch within the phase": {
		"document": fixture.pinned(_ready, "RUNTIME_PATH_SWITCH_IN_PHASE_ALLOWED", true),
		"expected": {_ungoverned("RUNTIME_PATH_SWITCH_IN_PHASE_ALLOWED")},
	},
	"one path of evidence for all": {
		"document": fixture.pinned(_ready, "PHASE_RUNTIME_PATH_EVIDENCE_PATH_PATTERN", "evidence/path.json"),
		"expected": {_no_evidence_path},
	},
	"a path of evidence that is a number": {
		"document": fixture.pinned(_ready, "PHASE_RUNTIME_PATH_EVIDENCE_PATH_PATTERN", 7),
		"expected": {_no_evidence_path},
	},
	"another rate": {
		"document": fixture.put(_ready, _stage(["defaultRouteSettings", "throttlingRateLimit"]), 201),
		"expected": {_rate},
	},
	"another burst": {
		"document": fixture.put(_ready, _stage(["defaultRouteSettings", "throttlingBurstLimit"]), 399),
		"expected": {_burst},
	},
	"no throttling": {
		"document": fixture.without(_ready, _stage(["defaultRouteSettings"])),
		"expected": {_rate, _burst},
	},
	"a route with a rate of its own": {
		"document": fixture.put(_ready, _stage(["routeSettings"]), {"POST /ingest/push": {"throttlingRateLimit": 10000}}),
		"expected": {_rate},
	},
	"a route with the same rate": {
		"document": fixture.put(_ready, _stage(["routeSettings"]), {"POST /ingest/push": {"throttlingRateLimit": 200}}),
		"expected": set(),
	},
	"another stage": {
		"document": fixture.put(_ready, _stage(["stageName"]), "v2"),
		"expected": {_rate, _burst, _other_stage},
	},
	"stages that are none": {
		"document": fixture.put(_ready, array.concat(_stages, ["value", "items"]), [7]),
		"expected": {_rate, _burst, _other_stage},
	},
	"another timeout": {
		"document": fixture.put(_ready, _configured(["Timeout"]), 31),
		"expected": {["M2J-B5", "IG_REQUEST_TIMEOUT_SECONDS", "the handler is stopped after these seconds", "violated"]},
	},
	"larger requests": {
		"document": fixture.put(_ready, _configured(["Environment", "Variables", "IG_MAX_REQUEST_BYTES"]), "2097152"),
		"expected": {_untold("IG_MAX_REQUEST_BYTES")},
	},
	"a number where texts are": {
		"document": fixture.put(_ready, _configured(["Environment", "Variables", "IG_INTERNAL_RETRY_MAX_ATTEMPTS"]), 3),
		"expected": {_untold("IG_INTERNAL_RETRY_MAX_ATTEMPTS")},
	},
	"no retry budget": {
		"document": fixture.without(_ready, _configured(["Environment", "Variables", "IG_INTERNAL_RETRY_BACKOFF_MS"])),
		"expected": {_untold("IG_INTERNAL_RETRY_BACKOFF_MS")},
	},
	"another header": {
		"document": fixture.put(_ready, _configured(["Environment", "Variables", "IG_AUTH_HEADER_NAME"]), "X-Other"),
		"expected": {_untold("IG_AUTH_HEADER_NAME")},
	},
	"an ingest route that lets anybody in": {
		"document": fixture.put(_ready, _route(["authorizationType"]), "NONE"),
		"expected": _unguarded,
	},
	"an ingest route whose authorizer is none of the API's": {
		"document": fixture.put(_ready, _route(["authorizerId"]), "other"),
		"expected": _unguarded,
	},
	"an ingest route without an authorizer": {
		"document": fixture.without(_ready, _route(["authorizerId"])),
		"expected": _unguarded,
	},
	"another way in that asks nobody": {
		"document": fixture.put(_ready, array.concat(_routes, ["value", "items"]), array.concat(
			object.get(_ready, array.concat(_routes, ["value", "items"]), []),
			[{"routeKey": "ANY /ingest/push", "authorizationType": "NONE"}],
		)),
		"expected": _unguarded,
	},
	"a route that is none": {
		"document": fixture.put(_ready, array.concat(_routes, ["value", "items"]), array.concat(
			object.get(_ready, array.concat(_routes, ["value", "items"]), []),
			[7],
		)),
		"expected": _unguarded,
	},
	"an authorizer that reads another header": {
		"document": fixture.put(_ready, _authorizer(["identitySource"]), ["$request.header.X-Other"]),
		"expected": _unguarded,
	},
	"an authorizer that reads another header, too": {
		"document": fixture.put(
			_ready,
			_authorizer(["identitySource"]),
			["$request.header.X-IG-Api-Key", "$request.header.X-Other"],
		),
		"expected": _unguarded,
	},
	"an authorizer that reads nothing": {
		"document": fixture.put(_ready, _authorizer(["identitySource"]), "$request.header.X-IG-Api-Key"),
		"expected": _unguarded,
	},
	"an authorizer of another kind": {
		"document": fixture.put(_ready, _authorizer(["authorizerType"]), "JWT"),
		"expected": _unguarded,
	},
	"an authorizer that asks nobody": {
		"document": fixture.without(_ready, _authorizer(["authorizerUri"])),
		"expected": _unguarded,
	},
	"an authorizer in another account": {
		"document": fixture.put(
			_ready,
			_authorizer(["authorizerUri"]),
			"arn:aws:apigateway:eu-west-2:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-2:999999999999:function:x/invocations",
		),
		"expected": _unguarded,
	},
	"another stage of the API": {
		"document": fixture.put(_ready, array.concat(_stages, ["value", "items", "-"]), {"stageName": "$default"}),
		"expected": {_other_stage},
	},
	"settings of routes that are none": {
		"document": fixture.put(_ready, _stage(["routeSettings"]), "x"),
		"expected": {_rate, _burst},
	},
	"settings of a route that are none": {
		"document": fixture.put(_ready, _stage(["routeSettings"]), {"POST /ingest/push": "unlimited"}),
		"expected": {_rate, _burst},
	},
	"authorizers that are none": {
		"document": fixture.put(_ready, array.concat(_authorizers, ["value", "items"]), [7]),
		"expected": _unguarded,
	},
	"the header in other letters": {
		"document": fixture.put(_ready, _authorizer(["identitySource"]), ["$request.header.x-ig-api-key"]),
		"expected": set(),
	},
	"requests that are never forgotten": {
		"document": fixture.put(_ready, _time_to_live("TimeToLiveStatus"), "DISABLED"),
		"expected": {["M2J-B5", "DDB_IG_IDEMPOTENCY_TABLE", "requests are forgotten after their time", "violated"]},
	},
	"requests that are forgotten by another field": {
		"document": fixture.put(_ready, _time_to_live("AttributeName"), "expires"),
		"expected": {["M2J-B5", "DDB_IG_IDEMPOTENCY_TTL_FIELD", "the table forgets requests by this field", "violated"]},
	},
	"no queue for dead letters": {
		"document": fixture.absent(_ready, _queue),
		"expected": {
			["M2J-B5", "IG_DLQ_QUEUE_NAME", "the queue for dead letters is there", "absent"],
			["M2J-B5", "IG_DLQ_QUEUE_NAME", "the handler sends its dead letters to the queue", "absent"],
		},
	},
	"a queue without an ARN": {
		"document": fixture.without(_ready, array.concat(_queue, ["value", "Attributes", "QueueArn"])),
		"expected": {["M2J-B5", "IG_DLQ_QUEUE_NAME", "the queue for dead letters is there", "violated"], _dead_letters},
	},
	"dead letters that go elsewhere": {
		"document": fixture.put(_ready, _configured(["DeadLetterConfig", "TargetArn"]), "arn:aws:sqs:eu-west-2:1:other"),
		"expected": {_dead_letters},
	},
	"dead letters that go nowhere": {
		"document": fixture.without(_ready, _configured(["DeadLetterConfig"])),
		"expected": {_dead_letters},
	},
	"another kind of dead letters": {
		"document": fixture.pinned(_ready, "IG_DLQ_MODE", "sns"),
		"expected": {["M2J-B5", "IG_DLQ_MODE", "it is pinned to the contract's mode", "violated"]},
	},
	"a broker of one's own": {
		"document": fixture.pinned(_ready, "KAFKA_BACKEND", "LOCAL_REDPANDA"),
		"expected": {_substitute("KAFKA_BACKEND")},
	},
	"a tracking server of one's own": {
		"document": fixture.pinned(_ready, "MLFLOW_HOSTING_MODE", "self_hosted"),
		"expected": {_substitute("MLFLOW_HOSTING_MODE")},
	},
	"a provisioned cluster": {
		"document": fixture.put(_ready, array.concat(_cluster, ["value", "clusterInfo", "clusterType"]), "PROVISIONED"),
		"expected": {["M2J-B7", "MSK_CLUSTER_ARN", "the cluster is managed and serverless", "violated"]},
	},
	"an application that does not exist yet": {
		"document": fixture.absent(_ready, _application),
		"expected": set(),
	},
	"an application of another engine": {
		"document": fixture.put(
			_ready,
			array.concat(_application, ["value", "ApplicationDetail", "RuntimeEnvironment"]),
			"ZEPPELIN-FLINK-3_0",
		),
		"expected": {_not_flink},
	},
	"an application of no engine": {
		"document": fixture.without(_ready, array.concat(_application, ["value", "ApplicationDetail"])),
		"expected": {_not_flink},
	},
}

# What blocks under the rails' own codes, without what follows from the lanes before. The other codes of the rollup judge
# all lanes, which no case of a table needs.
_own(document) := {blocker |
	some blocker in fixture.rail_blockers(document)
	code := blocker[1]
	not code in {"M2D-B5", "M2E-B5", "M2H-B8"}
}

test_each_derailment_blocks_exactly_as_its_table_says if {
	found := {name: fixture.compared(_own(damage.document), damage.expected) | some name, damage in _derailed}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _derailed}
}

# The codes of the rollup that a fact decides, when it cannot be read.
_decides := {
	_stages: {"M2J-B5"},
	_routes: {"M2J-B5"},
	_authorizers: {"M2J-B5"},
	_handler: {"M2J-B5"},
	_forgetting: {"M2J-B5"},
	_queue: {"M2J-B5"},
	_application: {"M2J-B7"},
	_cluster: {"M2J-B7"},
}

test_without_the_account_nobody_knows_whose_authorizer_it_is if {
	unread := _own(fixture.unreadable(_ready, ["run", "caller_identity"]))
	{[blocker[0], blocker[3]] | some blocker in unread} == {["M2J-B5", "unreadable"]}
}

test_each_unreadable_fact_turns_exactly_its_readers_red if {
	unread := {at: _own(fixture.unreadable(_ready, at)) | some at, _ in _decides}
	{at: fixture.codes_of(blocking) | some at, blocking in unread} == _decides
	{blocker[3] | some blocking in unread; some blocker in blocking} == {"unreadable"}
}

test_each_hole_blocks_with_evidence if {
	causes := {at: {check.cause | some check in checks} |
		some at, _ in _decides
		checks := data.m2.j.b8 with input as fixture.without(_ready, at)
	}
	{at | some at, found in causes; "evidence" in found} == {at | some at, _ in _decides}
}

test_a_value_without_its_call_blocks if {
	document := fixture.put(_ready, array.concat(_handler, ["receipts"]), [])
	checks := data.m2.j.b8 with input as document
	{[check.subject, check.claim, check.cause] | some check in checks; not check.ok} == {[
		"LAMBDA_IG_HANDLER_NAME",
		"the receipts of configuration are there and agree with it",
		"evidence",
	]}
}

test_each_unpinned_handle_blocks if {
	codes := {name: fixture.codes_of(_own(fixture.pinned(_ready, name, "TO_PIN"))) |
		some name in [
			"PHASE_RUNTIME_PATH_MODE", "PHASE_RUNTIME_PATH_EVIDENCE_PATH_PATTERN", "IG_RATE_LIMIT_RPS", "IG_AUTH_MODE",
			"APIGW_IG_API_ID", "APIGW_IG_STAGE", "LAMBDA_IG_HANDLER_NAME", "IG_DLQ_QUEUE_NAME", "AIRFLOW_MODE",
			"FLINK_APP_SR_READY_V0", "SSM_IG_API_KEY_PATH",
		]
	}
	codes == {
		"PHASE_RUNTIME_PATH_MODE": {"M2J-B3"},
		"PHASE_RUNTIME_PATH_EVIDENCE_PATH_PATTERN": {"M2J-B3"},
		"IG_RATE_LIMIT_RPS": {"M2J-B5"},
		"IG_AUTH_MODE": {"M2J-B5"},
		"APIGW_IG_API_ID": {"M2J-B5"},
		"APIGW_IG_STAGE": {"M2J-B5"},
		"LAMBDA_IG_HANDLER_NAME": {"M2J-B5"},
		"IG_DLQ_QUEUE_NAME": {"M2J-B5"},
		"AIRFLOW_MODE": {"M2J-B7"},
		"FLINK_APP_SR_READY_V0": {"M2J-B7"},
		"SSM_IG_API_KEY_PATH": {"M2J-B5"},
	}
}

# A rail is proven by the lane that owns it.
test_each_rail_follows_its_lane if {
	failing := {
		"subject": "X",
		"claim": "y",
		"ok": false,
		"cause": "unreadable",
		"expected": 1,
		"actual": 2,
		"facts": ["/x"],
	}
	path := data.m2.j.b3 with input as _ready with data.m2.e.b5 as {failing}
	ready := data.m2.j.b4 with input as _ready with data.m2.d.b5 as {failing}
	correlation := data.m2.j.b6 with input as _ready with data.m2.h.b8 as {failing}
	{[check.subject, check.cause, check.actual, check.facts] |
		some checks in [path, ready, correlation]
		some check in checks
		not check.ok
	} == {
		["M2E-B5", "unreadable", ["X: y"], ["/x"]],
		["M2D-B5", "unreadable", ["X: y"], ["/x"]],
		["M2H-B8", "unreadable", ["X: y"], ["/x"]],
	}
}

test_a_lane_without_checks_proves_nothing if {
	ready := data.m2.j.b4 with input as _ready with data.m2.d.b5 as set()
	{[check.ok, check.cause] | some check in ready} == {[false, "evidence"]}
	open := data.m2.j.b2 with input as _ready with data.m2.d.b5 as set()
	{[check.subject, check.cause] | some check in open; not check.ok} == {["M2D-B5", "evidence"]}
	derivation := data.m2.j.b8 with input as _ready with data.m2.d.b5 as set()
	{[check.subject, check.actual] | some check in derivation; not check.ok} == {["M2.D", ["M2D-B5"]]}
}
