package m2.f_test

import data.lib.fixture_test as fixture

# The lanes that read what the tables damage by contract; the whole gate has tables of its own.
_lanes := {"M2F"}

_ready := data.lib.fixture_test.ready

_folder := "/fraud-platform/dev_full"

_description(path) := ["aws", "ssm", "parameters", sprintf("%v/%v", [_folder, path]), "metadata"]

_simulation(role) := ["aws", "iam", "simulations", sprintf("arn:aws:iam::123456789012:role/%v", [role]), "parameter_reads"]

_rows(role) := array.concat(_simulation(role), ["value", "EvaluationResults"])

_role(name, aspect) := ["aws", "iam", "roles", sprintf("arn:aws:iam::123456789012:role/%v", [name]), aspect]

_policies(role) := array.concat(_role(role, "inline_policies"), ["value", "Policies"])

_encrypted_by(key) := fixture.put(_ready, array.concat(_description("ig/api_key"), ["value", "KeyId"]), key)

_with_key_under(condition) := fixture.put(_ready, _policies("ig"), [{"PolicyName": "key", "Document": {
	"Version": "2012-10-17",
	"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": condition},
}}])

_bounded(document) := fixture.put(_ready, array.concat(_role("ig", "role"), ["value", "PermissionsBoundary"]), {
	"PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary",
	"Document": document,
})

_inventory := ["aws", "ssm", "inventories", _folder, "parameters"]

# The same results with what another decision on one path changes.
_deciding(role, path, changes) := fixture.put(_ready, _rows(role), [changed |
	some row in object.get(_ready, _rows(role), [])
	changed := _changed(row, path, changes)
])

_changed(row, path, changes) := object.union(row, changes) if {
	endswith(row.EvalResourceName, path)
} else := row

# The same results, in which one action on one path is allowed.
_allowing(role, path, action) := fixture.put(_ready, _rows(role), [changed |
	some row in object.get(_ready, _rows(role), [])
	changed := _allowed(row, path, action)
])

_allowed(row, path, action) := object.union(row, {"EvalDecision": "allowed"}) if {
	endswith(row.EvalResourceName, path)
	row.EvalActionName == action
} else := row

_elsewhere(handle_name) := {["M2F-B1", handle_name, "it is a path below the platform's folder", "violated"]}

_another(handle_name) := fixture.put(_ready, ["handles", handle_name], {"value": "/fraud-platform/dev_full/x", "line": 1})

_moved(path) := fixture.pinned(
	fixture.put(_ready, ["aws", "ssm", "parameters", path], object.get(_ready, _at_endpoint, {})),
	"SSM_REDIS_ENDPOINT_PATH",
	path,
)

_at_endpoint := array.slice(_description("redis/endpoint"), 0, 4)

_undecided(role, path, claim, cause) := ["M2F-B3", role, sprintf("%v %v", [claim, path]), cause]

# What a damage must turn red, and nothing else.
_damaged := {
	"an answer that lists nothing": {
		"document": fixture.put(_ready, array.concat(_inventory, ["value", "Parameters"]), null),
		"expected": {["M2F-B7", "PROJECT_SLUG", "the parameters below the platform's folder can be listed", "violated"]},
	},
	"a parameter that is not there": {
		"document": fixture.absent(_ready, _description("redis/endpoint")),
		"expected": {
			["M2F-B2", "SSM_REDIS_ENDPOINT_PATH", "the parameter is there", "absent"],
			_undecided("ROLE_EKS_RUNTIME_PLATFORM_BASE", "SSM_REDIS_ENDPOINT_PATH", "it may decrypt", "absent"),
		},
	},
	"a credential that is not there": {
		"document": fixture.absent(_ready, _description("ig/api_key")),
		"expected": {
			["M2F-B2", "SSM_IG_API_KEY_PATH", "the parameter is there", "absent"],
			["M2F-B2", "SSM_IG_API_KEY_PATH", "the parameter is encrypted", "absent"],
			_undecided("ROLE_LAMBDA_IG_EXECUTION", "SSM_IG_API_KEY_PATH", "it may decrypt", "absent"),
		},
	},
	"a credential that is not encrypted": {
		"document": fixture.put(_ready, array.concat(_description("ig/api_key"), ["value", "Type"]), "String"),
		"expected": {["M2F-B2", "SSM_IG_API_KEY_PATH", "the parameter is encrypted", "violated"]},
	},
	"an address that is encrypted": {
		"document": fixture.put(
			fixture.put(_ready, array.concat(_description("redis/endpoint"), ["value", "Type"]), "SecureString"),
			array.concat(_description("redis/endpoint"), ["value", "KeyId"]),
			"alias/platform",
		),
		"expected": set(),
	},
	"a credential under the platform's key by its id": {
		"document": _encrypted_by("key-1"),
		"expected": set(),
	},
	"a credential under the platform's alias by its ARN": {
		"document": _encrypted_by("arn:aws:kms:eu-west-2:123456789012:alias/platform"),
		"expected": set(),
	},
	"a credential under the key that AWS manages by its ARN": {
		"document": fixture.put(_encrypted_by("arn:aws:kms:eu-west-2:123456789012:alias/aws/ssm"), _policies("ig"), []),
		"expected": set(),
	},
	"a key that is bound to the account and the parameter": {
		"document": _with_key_under({
			"StringEquals": {"kms:CallerAccount": "123456789012", "kms:ViaService": "ssm.eu-west-2.amazonaws.com"},
			"StringLike": {"kms:EncryptionContext:PARAMETER_ARN": "arn:aws:ssm:*:*:parameter/fraud-platform/dev_full/*"},
		}),
		"expected": set(),
	},
	"a key that is bound to another parameter": {
		"document": _with_key_under({"StringLike": {"kms:EncryptionContext:PARAMETER_ARN": "arn:aws:ssm:*:*:parameter/other/*"}}),
		"expected": {_undecided("ROLE_LAMBDA_IG_EXECUTION", "SSM_IG_API_KEY_PATH", "it may decrypt", "violated")},
	},
	"a boundary that leaves the key": {
		"document": _bounded({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}),
		"expected": set(),
	},
	"a boundary that takes the key away": {
		"document": _bounded({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}}),
		"expected": {_undecided("ROLE_LAMBDA_IG_EXECUTION", "SSM_IG_API_KEY_PATH", "it may decrypt", "violated")},
	},
	"a boundary without its document": {
		"document": _bounded(null),
		"expected": {_undecided("ROLE_LAMBDA_IG_EXECUTION", "SSM_IG_API_KEY_PATH", "it may decrypt", "violated")},
	},
	"a credential under the key that AWS manages": {
		"document": fixture.put(_encrypted_by("alias/aws/ssm"), _policies("ig"), []),
		"expected": set(),
	},
	"a credential under another key": {
		"document": _encrypted_by("alias/other"),
		"expected": {_undecided("ROLE_LAMBDA_IG_EXECUTION", "SSM_IG_API_KEY_PATH", "it may decrypt", "violated")},
	},
	"a credential under a key that is not named": {
		"document": fixture.without(_ready, array.concat(_description("ig/api_key"), ["value", "KeyId"])),
		"expected": {_undecided("ROLE_LAMBDA_IG_EXECUTION", "SSM_IG_API_KEY_PATH", "it may decrypt", "violated")},
	},
	"a role that may not use the key": {
		"document": fixture.put(_ready, _policies("base"), []),
		"expected": {
			_undecided("ROLE_EKS_RUNTIME_PLATFORM_BASE", "SSM_AURORA_USERNAME_PATH", "it may decrypt", "violated"),
			_undecided("ROLE_EKS_RUNTIME_PLATFORM_BASE", "SSM_AURORA_PASSWORD_PATH", "it may decrypt", "violated"),
		},
	},
	"a handle beyond the inventory": {
		"document": _another("SSM_EXTRA_PATH"),
		"expected": {["M2F-B1", "SSM_EXTRA_PATH", "it belongs to the required inventory", "violated"]},
	},
	"a handle beyond the inventory that is still open": {
		"document": fixture.pinned(_ready, "SSM_EXTRA_PATH", "TO_PIN"),
		"expected": {["M2F-B1", "SSM_EXTRA_PATH", "it belongs to the required inventory", "unpinned"]},
	},
	"a name that the registry only mentions": {
		"document": fixture.put(_ready, ["handles", "SSM_EXTRA_PATH"], {"line": 1}),
		"expected": set(),
	},
	"a handle of another kind": {"document": _another("SSM_EXTRA"), "expected": set()},
	"a role that is denied what it needs": {
		"document": _deciding("flink", "msk/bootstrap_brokers", {"EvalDecision": "explicitDeny"}),
		"expected": {_undecided("ROLE_FLINK_EXECUTION", "SSM_MSK_BOOTSTRAP_BROKERS_PATH", "it may read", "violated")},
	},
	"a role that may read a credential of others": {
		"document": _deciding("invoke", "databricks/token", {"EvalDecision": "allowed"}),
		"expected": {_undecided("ROLE_APIGW_IG_INVOKE", "SSM_DATABRICKS_TOKEN_PATH", "it may not read", "violated")},
	},
	"a role that may read a credential of others by another action": {
		"document": _allowing("invoke", "databricks/token", "ssm:GetParametersByPath"),
		"expected": {_undecided("ROLE_APIGW_IG_INVOKE", "SSM_DATABRICKS_TOKEN_PATH", "it may not read", "violated")},
	},
	"a role that may read what it needs by another action only": {
		"document": _allowing("flink", "msk/bootstrap_brokers", "ssm:GetParameters"),
		"expected": set(),
	},
	"a simulation that leaves out an action": {
		"document": fixture.put(_ready, _rows("invoke"), [row |
			some row in object.get(_ready, _rows("invoke"), [])
			row.EvalActionName != "ssm:GetParameterHistory"
		]),
		"expected": {_undecided("ROLE_APIGW_IG_INVOKE", path, "it may not read", "unreadable") |
			some path in data.contract.m2.secrets.secure
		},
	},
	"a role that may read an address of others": {
		"document": _deciding("invoke", "redis/endpoint", {"EvalDecision": "allowed"}),
		"expected": set(),
	},
	"a simulation that decides twice": {
		"document": fixture.put(_ready, _rows("ig"), array.concat(object.get(_ready, _rows("ig"), []), [{
			"EvalActionName": "ssm:GetParameter",
			"EvalResourceName": "arn:aws:ssm:eu-west-2:123456789012:parameter/fraud-platform/dev_full/ig/api_key",
			"EvalDecision": "implicitDeny",
		}])),
		"expected": {_undecided("ROLE_LAMBDA_IG_EXECUTION", "SSM_IG_API_KEY_PATH", "it may read", "violated")},
	},
	"a simulation without a decision": {
		"document": _deciding("invoke", "ig/api_key", {"EvalDecision": null}),
		"expected": {_undecided("ROLE_APIGW_IG_INVOKE", "SSM_IG_API_KEY_PATH", "it may not read", "violated")},
	},
	"a simulation of another action": {
		"document": _deciding("ig", "ig/api_key", {"EvalActionName": "ssm:PutParameter"}),
		"expected": {_undecided("ROLE_LAMBDA_IG_EXECUTION", "SSM_IG_API_KEY_PATH", "it may read", "unreadable")},
	},
	"a simulation of another resource": {
		"document": _deciding("ig", "ig/api_key", {"EvalResourceName": "*"}),
		"expected": {_undecided("ROLE_LAMBDA_IG_EXECUTION", "SSM_IG_API_KEY_PATH", "it may read", "unreadable")},
	},
	"a simulation that says nothing": {
		"document": fixture.put(_ready, _rows("invoke"), ["malformed"]),
		"expected": {_undecided("ROLE_APIGW_IG_INVOKE", path, "it may not read", "unreadable") |
			some path in data.contract.m2.secrets.secure
		},
	},
	"another backend": {
		"document": fixture.pinned(_ready, "SECRETS_BACKEND", "vault"),
		"expected": {["M2F-B6", "SECRETS_BACKEND", "it is pinned to the contract's value", "violated"]},
	},
	"secrets that may be output": {
		"document": fixture.pinned(_ready, "SECRETS_PLAINTEXT_OUTPUT_ALLOWED", true),
		"expected": {["M2F-B6", "SECRETS_PLAINTEXT_OUTPUT_ALLOWED", "it is pinned to the contract's value", "violated"]},
	},
	"a simulation without its call": {
		"document": fixture.put(_ready, array.concat(_simulation("ig"), ["receipts"]), []),
		"expected": {[
			"M2F-B7",
			"ROLE_LAMBDA_IG_EXECUTION",
			"the receipts of parameter reads are there and agree with it",
			"evidence",
		]},
	},
}

test_each_damage_blocks_exactly_as_its_table_says if {
	found := {name: fixture.difference(damage.document, _lanes, damage.expected) | some name, damage in _damaged}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _damaged}
}

# Paths, and whether they are below the platform's folder. What else a moved path blocks is not looked at.
_paths := {
	"/fraud-platform/dev_full/redis/other-1.x": set(),
	"/fraud-platform/prod/redis/endpoint": _elsewhere("SSM_REDIS_ENDPOINT_PATH"),
	"/fraud-platform/dev_full": _elsewhere("SSM_REDIS_ENDPOINT_PATH"),
	"/fraud-platform/dev_full/../prod/endpoint": _elsewhere("SSM_REDIS_ENDPOINT_PATH"),
	"/fraud-platform/dev_full/redis/": _elsewhere("SSM_REDIS_ENDPOINT_PATH"),
	"/fraud-platform/dev_full/{name}": _elsewhere("SSM_REDIS_ENDPOINT_PATH"),
	"/fraud-platform/dev_full/msk/bootstrap_brokers": {
		["M2F-B1", name, "no other handle pins the path", "violated"] |
		some name in ["SSM_REDIS_ENDPOINT_PATH", "SSM_MSK_BOOTSTRAP_BROKERS_PATH"]
	},
}

test_each_path_is_judged_by_its_form if {
	found := {path: _of("M2F-B1", _moved(path)) | some path, _ in _paths}
	found == _paths
	_of("M2F-B1", fixture.pinned(_ready, "SSM_REDIS_ENDPOINT_PATH", 7)) == _elsewhere("SSM_REDIS_ENDPOINT_PATH")
}

_of(code, document) := {blocker |
	some blocker in fixture.blockers_of(document, _lanes)
	blocker[0] == code
}

# The codes that an observation decides, when it cannot be read.
_decides := {
	_description("redis/endpoint"): {"M2F-B2", "M2F-B3"},
	_description("ig/api_key"): {"M2F-B2", "M2F-B3"},
	_description("msk/bootstrap_brokers"): {"M2F-B2", "M2F-B3"},
	_role("ig", "role"): {"M2F-B3"},
	_role("ig", "inline_policies"): {"M2F-B3"},
	_role("mwaa", "attached_policies"): {"M2F-B3"},
	["aws", "kms", "aliases", "alias/platform", "key"]: {"M2F-B3"},
	_simulation("ig"): {"M2F-B3"},
	_simulation("orchestrator"): {"M2F-B3"},
	_inventory: {"M2F-B7"},
	["plaintext_scan"]: {"M2F-B4"},
	["terraform", "stacks", "ops", "outputs"]: {"M2F-B4"},
	["terraform", "stacks", "runtime", "outputs"]: {"M2F-B4", "M2F-B5"},
	["aws", "lambda", "functions", "ig-handler", "configuration"]: {"M2F-B5"},
}

test_each_unreadable_fact_turns_exactly_its_readers_red if {
	unread := fixture.unread(_decides, _lanes)
	{at: fixture.codes_of(blocking) | some at, blocking in unread} == _decides
	unread == {at: fixture.readers(at, _lanes, "unreadable") | some at, _ in _decides}
}

test_each_unpinned_handle_blocks if {
	codes := {name: fixture.codes(fixture.pinned(_ready, name, "TO_PIN"), _lanes) |
		some name in [
			"SSM_REDIS_ENDPOINT_PATH", "SSM_IG_API_KEY_PATH", "PROJECT_SLUG", "ENV_NAME", "ROLE_FLINK_EXECUTION",
			"ROLE_APIGW_IG_INVOKE", "SECRETS_BACKEND", "SECRETS_PLAINTEXT_OUTPUT_ALLOWED", "IG_AUTH_MODE",
			"IG_AUTH_HEADER_NAME", "LAMBDA_IG_HANDLER_NAME", "TF_STACK_OPS_DIR", "KMS_KEY_ALIAS_PLATFORM",
		]
	}
	codes == {
		"SSM_REDIS_ENDPOINT_PATH": {"M2F-B1", "M2F-B2", "M2F-B3", "M2F-B7"},
		"SSM_IG_API_KEY_PATH": {"M2F-B1", "M2F-B2", "M2F-B3", "M2F-B5", "M2F-B7"},
		"PROJECT_SLUG": {"M2F-B1", "M2F-B7"},
		"ENV_NAME": {"M2F-B1", "M2F-B7"},
		"ROLE_FLINK_EXECUTION": {"M2F-B3", "M2F-B7"},
		"ROLE_APIGW_IG_INVOKE": {"M2F-B3", "M2F-B7"},
		"SECRETS_BACKEND": {"M2F-B6"},
		"SECRETS_PLAINTEXT_OUTPUT_ALLOWED": {"M2F-B6"},
		"IG_AUTH_MODE": {"M2F-B5"},
		"IG_AUTH_HEADER_NAME": {"M2F-B5"},
		"LAMBDA_IG_HANDLER_NAME": {"M2F-B4", "M2F-B5", "M2F-B7"},
		"TF_STACK_OPS_DIR": {"M2F-B4", "M2F-B7"},
		"KMS_KEY_ALIAS_PLATFORM": {"M2F-B3"},
	}
}
