package m2.j

import data.lib.aws
import data.lib.check
import data.lib.edge
import data.lib.fact
import data.lib.handle

# METADATA
# title: Runtime-path governance not proven
# description: |
#   M2.E does not prove the governance of the runtime path, or a handle pins another one: one active path per phase run,
#   which has to be pinned, must not be switched within a phase, and is only left with a new phase execution id.
# custom:
#   code: M2J-B3
#   severity: S1
#   taxonomy: M2-B9
#   remediation: Pin the `PHASE_RUNTIME_PATH_*` and `RUNTIME_*` handles as the contract says, and resolve M2E-B5.
b3 contains _proven("M2E-B5", "the runtime path is governed", data.m2.e.b5)

b3 contains check.pinned_as(name, "it is pinned to the contract's governance", value) if {
	some name, value in data.contract.m2.rollup.runtime_path
}

b3 contains check.of({
	"subject": pattern.handle,
	"claim": "every phase execution leaves evidence of its own",
	"refs": [],
	"handles": [pattern.handle],
	"holds": _has_placeholder(handle.value(pattern.handle), pattern.placeholder),
	"expected": sprintf("a path with %v in it", [pattern.placeholder]),
	"actual": handle.value(pattern.handle),
}) if {
	pattern := data.contract.m2.rollup.runtime_path_evidence
}

# METADATA
# title: READY authority not proven
# description: |
#   M2.D does not prove that Step Functions alone commits READY.
# custom:
#   code: M2J-B4
#   severity: S1
#   taxonomy: M2-B10
#   remediation: Resolve M2D-B5.
b4 contains _proven("M2D-B5", "Step Functions alone commits READY", data.m2.d.b5)

# METADATA
# title: Ingress edge envelope not proven
# description: |
#   A limit of the ingress edge is another on the live resources than its handle pins: the stage's throttling, the
#   handler's timeout, the size of a request, the retry budget, how long a request is remembered, where dead letters go,
#   or how callers authenticate.
# related_resources:
#   - ref: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
#   - ref: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
# custom:
#   code: M2J-B5
#   severity: S1
#   taxonomy: M2-B11
#   remediation: Apply the runtime stack so that the edge has the pinned limits, or correct the `IG_*` handle.
b5 contains check.pinned_as(name, "it is pinned to the contract's mode", value) if {
	some name, value in _edge.modes
}

b5 contains check.of({
	"subject": name,
	"claim": "the stage throttles at this limit, and no route of it at another",
	"refs": [_stages],
	"handles": [name, _edge.stage],
	"holds": check.same(_limits(field), [handle.value(name)]),
	"expected": [handle.value(name)],
	"actual": _limits(field),
}) if {
	some name, field in _edge.throttling
}

b5 contains check.of({
	"subject": _edge.stage,
	"claim": "the API has no other stage, which would be outside the envelope",
	"refs": [_stages],
	"handles": [_edge.stage],
	"holds": check.same(_stage_names, [handle.value(_edge.stage)]),
	"expected": [handle.value(_edge.stage)],
	"actual": _stage_names,
})

b5 contains check.equals_handle(
	_edge.timeout,
	"the handler is stopped after these seconds",
	_handler(["Timeout"]),
	_edge.timeout,
)

b5 contains check.of({
	"subject": name,
	"claim": "the handler is told this value",
	"refs": [_handler(["Environment", "Variables", name])],
	"handles": [name],
	"holds": check.same(fact.value(_handler(["Environment", "Variables", name])), _text(handle.value(name))),
	"expected": _text(handle.value(name)),
	"actual": fact.value(_handler(["Environment", "Variables", name])),
}) if {
	some name in _edge.environment
}

b5 contains check.of({
	"subject": _edge.auth_header,
	"claim": "every route but the health check asks an authorizer that reads this header and nothing else",
	"refs": [_routes, _authorizers, _caller],
	"handles": [_edge.auth_header, _edge.health.path, _edge.stage],
	"holds": _is_guarded,
	"expected": [_identity_source],
	"actual": _guards,
})

b5 contains check.equals(
	_edge.table,
	"requests are forgotten after their time",
	_time_to_live("TimeToLiveStatus"),
	"ENABLED",
)

b5 contains check.equals_handle(
	_edge.ttl_field,
	"the table forgets requests by this field",
	_time_to_live("AttributeName"),
	_edge.ttl_field,
)

b5 contains check.of({
	"subject": _edge.dead_letter_queue,
	"claim": "the queue for dead letters is there",
	"refs": [_queue],
	"handles": [],
	"holds": _is_named_queue(fact.value(_queue), handle.value(_edge.dead_letter_queue)),
	"expected": handle.value(_edge.dead_letter_queue),
	"actual": fact.value(_queue),
})

b5 contains check.of({
	"subject": _edge.dead_letter_queue,
	"claim": "the handler sends its dead letters to the queue",
	"refs": [_queue, _handler(["DeadLetterConfig", "TargetArn"])],
	"handles": [],
	"holds": check.same(fact.value(_handler(["DeadLetterConfig", "TargetArn"])), fact.value(_queue)),
	"expected": fact.value(_queue),
	"actual": fact.value(_handler(["DeadLetterConfig", "TargetArn"])),
})

# METADATA
# title: Correlation contract not proven
# description: |
#   M2.H does not prove that what crosses runtimes can be correlated, and is refused where it cannot.
# custom:
#   code: M2J-B6
#   severity: S1
#   taxonomy: M2-B12
#   remediation: Resolve M2H-B8.
b6 contains _proven("M2H-B8", "correlation across runtimes fails closed", data.m2.h.b8)

_proven(code, claim, found_checks) := _follows(code, claim, found_checks, [found |
	some found in found_checks
	found.ok != true
])

_has_placeholder(pattern, placeholder) if {
	is_string(pattern)
	contains(pattern, placeholder)
} else := false

_edge := data.contract.m2.rollup.edge

# What the envelope of the edge is read from.
_edge_refs := [
	aws.api(_edge.api, "stages", []),
	aws.api(_edge.api, "routes", []),
	aws.api(_edge.api, "authorizers", []),
	aws.function(_edge.handler, "configuration", []),
	aws.table(_edge.table, "time_to_live", []),
	aws.queue(_edge.dead_letter_queue, "queue", []),
]

_stages := aws.api(_edge.api, "stages", ["items"])

_routes := aws.api(_edge.api, "routes", ["items"])

_authorizers := aws.api(_edge.api, "authorizers", ["items"])

_handler(field) := aws.function(_edge.handler, "configuration", field)

_queue := aws.queue(_edge.dead_letter_queue, "queue", ["Attributes", "QueueArn"])

_time_to_live(field) := aws.table(_edge.table, "time_to_live", ["TimeToLiveDescription", field])

# The limits that apply anywhere on the pinned stage: its default, and what a route has of its own.
_limits(field) := sort({limit |
	some stage in fact.list(_stages)
	is_object(stage)
	check.same(object.get(stage, "stageName", null), handle.value(_edge.stage))
	limit := object.get(stage, ["defaultRouteSettings", field], null)
} | {limit |
	some stage in fact.list(_stages)
	is_object(stage)
	check.same(object.get(stage, "stageName", null), handle.value(_edge.stage))
	some limit in _route_limits(object.get(stage, "routeSettings", {}), field)
})

_route_limits(routes, field) := {limit |
	some settings in routes
	limit := _route_limit(settings, field)
	limit != null
} if {
	is_object(routes)
} else := {"settings that are none"}

_route_limit(settings, field) := object.get(settings, field, null) if {
	is_object(settings)
} else := "settings that are none"

_stage_names := [object.get(fact.members(stage), "stageName", null) | some stage in fact.list(_stages)]

# Header names are the same in whatever case.
_identity_source := lower(sprintf("$request.header.%v", [handle.value(_edge.auth_header)]))

# What each route reads before it lets a caller in: nothing where it lets anybody in. The health check may.
_guards := [{"route": key, "reads": _reads(route)} |
	some route in fact.list(_routes)
	key := object.get(fact.members(route), "routeKey", null)
	not key in _health_keys
]

_health_keys := edge.route_keys(_edge.health.path, _edge.stage, _edge.health.method)

_reads(route) := sort({lower(source) |
	some authorizer in fact.list(_authorizers)
	is_object(authorizer)
	object.get(authorizer, "authorizerId", null) == route.authorizerId
	object.get(authorizer, "authorizerType", null) == "REQUEST"
	_is_of_account(object.get(authorizer, "authorizerUri", null))
	sources := object.get(authorizer, "identitySource", [])
	is_array(sources)
	some source in sources
	is_string(source)
}) if {
	is_object(route)
	object.get(route, "authorizationType", null) == "CUSTOM"
	is_string(object.get(route, "authorizerId", null))
} else := []

_caller := aws.caller_identity(["Account"])

# The authorizer is a function in the account of this run.
_is_of_account(uri) if {
	is_string(uri)
	account := fact.value(_caller)
	is_string(account)
	regex.match(`:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]+`, uri)
	contains(uri, sprintf(":%v:function:", [account]))
} else := false

default _is_guarded := false

_is_guarded if {
	count(_guards) > 0
	every guard in _guards {
		guard.reads == [_identity_source]
	}
}

# An environment holds texts only.
_text(value) := value if {
	is_string(value)
} else := null if {
	value == null
} else := json.marshal(value)

_is_named_queue(arn, name) if {
	is_string(arn)
	is_string(name)
	endswith(arn, concat("", [":", name]))
} else := false
