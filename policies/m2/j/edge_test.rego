package m2.j_test

import data.lib.fixture_test as fixture

test_a_placeholder_is_part_of_a_text if {
	data.m2.j._has_placeholder("runs/{run}/x", "{run}")
	data.m2.j._has_placeholder("runs/x", "{run}") == false
	data.m2.j._has_placeholder(7, "{run}") == false
	data.m2.j._has_placeholder(["{run}"], "{run}") == false
}

_limits_of(stages) := found if {
	document := fixture.put(_ready, array.concat(_stages, ["value", "items"]), stages)
	found := data.m2.j._limits("throttlingRateLimit") with input as document
}

_named(name, settings) := object.union({"stageName": name}, settings)

_stage_name := _handle("APIGW_IG_STAGE")

_default(limit) := {"defaultRouteSettings": {"throttlingRateLimit": limit}, "routeSettings": {}}

test_limits_are_those_of_the_pinned_stage_and_its_routes if {
	_limits_of([_named(_stage_name, _default(200))]) == [200]
	_limits_of([_named(_stage_name, {})]) == [null]
	_limits_of([_named(_stage_name, _default(200)), _named("other", _default(7))]) == [200]
	_limits_of([_named(_stage_name, _default(200)), "strange", null]) == [200]
	_limits_of([]) == []
	settings := {"GET /a": {"throttlingRateLimit": 7}, "GET /b": {"throttlingBurstLimit": 8}, "GET /c": "strange"}
	routed := object.union(_default(200), {"routeSettings": settings})
	_limits_of([_named(_stage_name, routed)]) == [7, 200, "settings that are none"]
	_limits_of([_named("other", routed)]) == []
	strange := object.union(_default(200), {"routeSettings": ["strange"]})
	_limits_of([_named(_stage_name, strange)]) == [200, "settings that are none"]
	_limits_of([_named(_stage_name, _default(200)), _named("other", routed)]) == [200]
}

_guard := {"authorizationType": "CUSTOM", "authorizerId": "z1"}

_asked := ["$request.header.x-ig-api-key"]

_reads(route, authorizers) := found if {
	document := fixture.put(_ready, array.concat(_authorizers, ["value", "items"]), authorizers)
	found := data.m2.j._reads(route) with input as document
}

_asking := _ready.aws.apigatewayv2.apis[_handle("APIGW_IG_API_ID")].authorizers.value.items[0]

test_a_route_reads_what_its_authorizer_asks_for if {
	_reads(_guard, [_asking]) == _asked
	twice := object.union(_asking, {"identitySource": ["$request.header.A", "$request.header.a", 7]})
	_reads(_guard, [twice]) == ["$request.header.a"]
	_reads(_guard, [object.union(_asking, {"authorizerId": "z2", "identitySource": ["$context.x"]}), _asking]) == _asked
	_reads(_guard, ["strange", null, _asking]) == _asked
}

test_a_route_without_such_an_authorizer_reads_nothing if {
	every route in [
		"strange",
		{},
		{"authorizationType": "NONE", "authorizerId": "z1"},
		{"authorizationType": "CUSTOM"},
		{"authorizationType": "CUSTOM", "authorizerId": 7},
	] {
		_reads(route, [_asking, object.union(_asking, {"authorizerId": 7})]) == []
	}
	every changes in [
		{"authorizerId": "z2"},
		{"authorizerType": "JWT"},
		{"authorizerUri": null},
		{"authorizerUri": "arn:aws:apigateway:eu-west-2:lambda:path/functions/x"},
		{"identitySource": "$request.header.x-ig-api-key"},
		{"identitySource": [7]},
	] {
		_reads(_guard, [object.union(_asking, changes)]) == []
	}
}

_is_of_account(uri, caller) := found if {
	document := fixture.put(_ready, ["run", "caller_identity", "value", "Account"], caller)
	found := data.m2.j._is_of_account(uri) with input as document
}

_function(account) := sprintf("arn:aws:lambda:eu-west-2:%v:function:gate", [account])

test_an_authorizer_is_a_function_of_the_account if {
	_is_of_account(_function("123456789012"), "123456789012")
	every uri in [
		_function("210987654321"),
		"arn:aws:sqs:eu-west-2:123456789012:function:gate",
		"x:123456789012:function:",
		7,
		null,
	] {
		_is_of_account(uri, "123456789012") == false
	}
	_is_of_account(_function("123456789012"), null) == false
	_is_of_account(_function("null"), null) == false
	_is_of_account(_function("123456789012"), 123456789012) == false
}

test_an_api_without_routes_is_not_guarded if {
	data.m2.j._is_guarded with input as _ready
	every routes in [[], [7], "strange"] {
		found := data.m2.j._is_guarded with input as fixture.put(_ready, array.concat(_routes, ["value", "items"]), routes)
		found == false
	}
}

test_a_queue_is_known_by_the_name_in_its_arn if {
	data.m2.j._is_named_queue("arn:aws:sqs:eu-west-2:123456789012:dead", "dead")
	data.m2.j._is_named_queue("arn:aws:sqs:eu-west-2:123456789012:undead", "dead") == false
	data.m2.j._is_named_queue("arn:aws:sqs:eu-west-2:123456789012:dead", null) == false
	data.m2.j._is_named_queue("dead", "dead") == false
	data.m2.j._is_named_queue(null, "dead") == false
}

test_an_environment_holds_texts if {
	[data.m2.j._text(value) | some value in ["x", null, 7, true]] == ["x", null, "7", "true"]
}
