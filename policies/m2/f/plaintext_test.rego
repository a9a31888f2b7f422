package m2.f_test

import data.lib.fixture_test as fixture

_function := ["aws", "lambda", "functions", "ig-handler", "configuration"]

_variable(name) := array.concat(_function, ["value", "Environment", "Variables", name])

_sources := ["plaintext_scan", "value", "sources"]

# The scan without a look at some places.
_without_a_look_at(sources) := fixture.put(_ready, _sources, [source |
	some source in object.get(_ready, _sources, [])
	name := source.source
	not name in sources
])

_output(stack, name, sensitive) := fixture.put(
	_ready,
	["terraform", "stacks", stack, "outputs", "value", "values", name],
	{"value": "redacted", "sensitive": sensitive},
)

_shown(stack) := {["M2F-B4", stack, "no output that is shown bears the name of a secret", "violated"]}

_inline := {["M2F-B5", "LAMBDA_IG_HANDLER_NAME", "no variable carries a secret itself", "violated"]}

# What stands where it must not, what it turns red, and nothing else.
_leaks := {
	"a secret that the scan found": {
		"document": fixture.put(_ready, ["plaintext_scan", "value", "findings"], [{
			"source": "terraform.stacks.core.outputs",
			"at": "/values/x",
			"kind": "credential",
		}]),
		"expected": {["M2F-B4", "plaintext_scan", "no secret stands in plain text", "violated"]},
	},
	"a place that could not be scanned": {
		"document": fixture.put(_ready, array.concat(_sources, [0, "scanned"]), false),
		"expected": {
			["M2F-B4", "plaintext_scan", "no place was left unread", "unreadable"],
			["M2F-B4", "LAMBDA_IG_HANDLER_NAME", "its environment was scanned", "unreadable"],
		},
	},
	"an environment that was not looked at": {
		"document": _without_a_look_at({"aws.lambda.functions.ig-handler.configuration"}),
		"expected": {["M2F-B4", "LAMBDA_IG_HANDLER_NAME", "its environment was scanned", "unreadable"]},
	},
	"a log that was not looked at": {
		"document": _without_a_look_at({"terraform.stacks.ops.init"}),
		"expected": {["M2F-B4", "ops", "what Terraform shows of it was scanned", "unreadable"]},
	},
	"places of which one is malformed": {
		"document": fixture.put(
			_without_a_look_at({"aws.lambda.functions.ig-handler.configuration"}),
			array.concat(_sources, [0]),
			"aws.lambda.functions.ig-handler.configuration",
		),
		"expected": {["M2F-B4", "LAMBDA_IG_HANDLER_NAME", "its environment was scanned", "unreadable"]},
	},
	"an output that is shown": {"document": _output("ops", "db_password", false), "expected": _shown("ops")},
	"an output that is sensitive": {"document": _output("ops", "db_password", true), "expected": set()},
	"an output that is malformed": {
		"document": fixture.put(_ready, ["terraform", "stacks", "ops", "outputs", "value", "values", "api_key"], "x"),
		"expected": _shown("ops"),
	},
	"an output of the edge's stack": {
		"document": _output("runtime", "ig_api_key", false),
		"expected": _shown("runtime") | {["M2F-B5", "runtime", "no output carries a secret of the edge", "violated"]},
	},
	"a variable named like a secret": {
		"document": fixture.put(_ready, _variable("IG_API_KEY"), "redacted:hmac-sha256:00"),
		"expected": _inline,
	},
	"a variable that says it is a path and is none": {
		"document": fixture.put(_ready, _variable("SSM_DATABRICKS_TOKEN_PATH"), "redacted:hmac-sha256:00"),
		"expected": _inline,
	},
	"a variable that says it is an ARN and is none": {
		"document": fixture.put(_ready, _variable("IG_API_KEY_ARN"), "redacted:hmac-sha256:00"),
		"expected": _inline,
	},
	"a variable that says it is a path, in small letters": {
		"document": fixture.put(_ready, _variable("token_path"), "redacted:hmac-sha256:00"),
		"expected": _inline,
	},
	"a variable with paths that nobody pins": {
		"document": fixture.put(_ready, _variable("API_KEY_PATHS"), "redacted:hmac-sha256:00"),
		"expected": _inline,
	},
	"a variable with the path of another secret": {
		"document": fixture.put(_ready, _variable("SSM_DATABRICKS_TOKEN_PATH"), "/fraud-platform/dev_full/databricks/token"),
		"expected": set(),
	},
	"a variable with the name of a key": {
		"document": fixture.put(_ready, _variable("DDB_IG_IDEMPOTENCY_PARTITION_KEY"), "redacted:hmac-sha256:00"),
		"expected": set(),
	},
	"a function that is given another path": {
		"document": fixture.put(_ready, _variable("SSM_IG_API_KEY_PATH"), "redacted:hmac-sha256:00"),
		"expected": {["M2F-B5", "SSM_IG_API_KEY_PATH", "the function is given it", "violated"]} | _inline,
	},
	"a function that is not given the mode": {
		"document": fixture.without(_ready, _variable("IG_AUTH_MODE")),
		"expected": {["M2F-B5", "IG_AUTH_MODE", "the function is given it", "violated"]},
	},
	"a mode of no contract": {
		"document": fixture.pinned(_ready, "IG_AUTH_MODE", "none"),
		"expected": {
			["M2F-B5", "IG_AUTH_MODE", "it is one of the contract's modes", "violated"],
			["M2F-B5", "IG_AUTH_MODE", "the function is given it", "violated"],
		},
	},
	"a header that is none": {"document": fixture.pinned(_ready, "IG_AUTH_HEADER_NAME", "a b"), "expected": _no_header},
	"a header that is no text": {"document": fixture.pinned(_ready, "IG_AUTH_HEADER_NAME", 7), "expected": _no_header},
}

_no_header := {
	["M2F-B5", "IG_AUTH_HEADER_NAME", "it is the name of a header", "violated"],
	["M2F-B5", "IG_AUTH_HEADER_NAME", "the function is given it", "violated"],
}

test_each_leak_blocks_exactly_as_its_table_says if {
	found := {name: fixture.difference(leak.document, _lanes, leak.expected) | some name, leak in _leaks}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _leaks}
}

test_what_was_run_must_have_been_scanned if {
	document := fixture.put(_ready, ["terraform", "stacks", "ops", "apply"], {
		"status": "present",
		"value": {"exit_code": 0, "log": ""},
		"receipts": [],
	})
	fixture.difference(document, _lanes, {[
		"M2F-B4",
		"ops",
		"what Terraform shows of it was scanned",
		"unreadable",
	]}) == data.lib.fixture_test.as_expected
}
