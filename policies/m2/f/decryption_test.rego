package m2.f_test

import data.lib.fixture_test as fixture

_key_document(arn) := {
	"handles": {
		"KMS_KEY_ALIAS_PLATFORM": {"value": "alias/platform", "line": 1},
		"A_PATH": {"value": "/a/b", "line": 2},
		"B_PATH": {"value": "c", "line": 3},
		"NO_PATH": {"value": 7, "line": 4},
	},
	"aws": {"kms": {"aliases": {"alias/platform": {"key": {
		"status": "present",
		"value": {"KeyMetadata": {"Arn": arn, "KeyId": "1234"}},
		"receipts": [],
	}}}}},
}

_platform_key := "arn:aws:kms:eu-west-2:123456789012:key/1234"

_is_platform_key(id, arn) := found if {
	found := data.m2.f._names_platform_key(id) with input as _key_document(arn)
}

test_the_platforms_key_has_four_names if {
	every id in ["alias/platform", "arn:aws:kms:eu-west-2:123456789012:alias/platform", _platform_key, "1234"] {
		_is_platform_key(id, _platform_key)
	}
	every id in [
		"alias/other",
		"arn:aws:kms:eu-west-2:123456789012:alias/other",
		"arn:aws:ssm:eu-west-2:123456789012:alias/platform",
		null,
		7,
	] {
		_is_platform_key(id, _platform_key) == false
	}
	_is_platform_key(null, null) == false
	every arn in ["arn:aws:kms", "arn:aws:kms:eu-west-2:123456789012"] {
		_is_platform_key("arn:aws:kms:eu-west-2:123456789012:alias/platform", arn) == false
	}
}

test_aws_own_key_has_an_alias_and_its_arn if {
	arn := "arn:aws:kms:eu-west-2:123456789012:alias/aws/ssm"
	found := {id |
		some id in ["alias/aws/ssm", arn, "alias/other/alias/aws/ssm", "x", 7, null]
		data.m2.f._is_key_of_aws(id)
	}
	found == {"alias/aws/ssm", arn}
	data.m2.f._is_key_of_aws(null) == false
}

_request(path, arn) := found if {
	found := data.m2.f._request(path) with input as _key_document(arn)
}

test_a_request_is_of_the_keys_account_and_region if {
	_request("A_PATH", _platform_key) == {
		"kms:viaservice": "ssm.eu-west-2.amazonaws.com",
		"kms:calleraccount": "123456789012",
		"kms:encryptioncontext:parameter_arn": "arn:aws:ssm:eu-west-2:123456789012:parameter/a/b",
	}
	_request("B_PATH", _platform_key)["kms:encryptioncontext:parameter_arn"] == "arn:aws:ssm:eu-west-2:123456789012:parameter/c"
	_request("NO_PATH", _platform_key)["kms:encryptioncontext:parameter_arn"] == null
	every arn in ["arn:aws:kms:eu-west-2:123456789012", "arn:aws:kms:eu-west-2:123456789012:key:1234", null, 7] {
		_request("A_PATH", arn) == {}
	}
}

_needs(type, key) := found if {
	metadata := {"status": "present", "value": {"Type": type, "KeyId": key}, "receipts": []}
	document := object.union(_key_document(_platform_key), {"aws": {"ssm": {"parameters": {"/a/b": {"metadata": metadata}}}}})
	found := data.m2.f._needs_key("A_PATH") with input as document
} else := false

test_what_is_encrypted_with_a_key_of_its_own_needs_that_key if {
	_needs("SecureString", "alias/platform")
	_needs("SecureString", "alias/other")
	_needs("SecureString", null)
	_needs(null, null)
	_needs("SecureString", "alias/aws/ssm") == false
	_needs("String", "alias/platform") == false
	_needs("StringList", "alias/platform") == false
}

test_only_paths_with_a_value_are_judged if {
	document := json.patch(_ready, [
		{"op": "add", "path": ["handles", "SSM_EXTRA_PATH"], "value": {"value": "/x", "line": 1}},
		{"op": "add", "path": ["handles", "SSM_BARE_PATH"], "value": {"line": 2}},
		{"op": "add", "path": ["handles", "SSM_EXTRA"], "value": {"value": "/x", "line": 3}},
	])
	more := data.m2.f._path_handles with input as document
	today := data.m2.f._path_handles with input as _ready
	more - today == {"SSM_EXTRA_PATH"}
}

_below_the_folder(path) := found if {
	found := data.m2.f._path_faults(path) with data.lib.handle.folder as "/platform"
}

test_each_fault_of_a_path_is_told if {
	_below_the_folder("/platform/x") == set()
	_below_the_folder(7) == {"not a text"}
	_below_the_folder("/other/x") == {"not below the platform's folder"}
	_below_the_folder("/platforms/x") == {"not below the platform's folder"}
	every path in ["/platform/./x", "/platform/../x", "/platform/x/.."] {
		_below_the_folder(path) == {"a relative segment"}
	}
	every path in ["/platform/x y", "/platform//x", "/platform/x/"] {
		_below_the_folder(path) == {"not a path of letters, digits and `.-_` in named segments"}
	}
	_below_the_folder("/platform/x..y") == set()
}

test_nothing_is_below_a_folder_that_is_none if {
	data.m2.f._is_below("/platform/x", "/platform")
	data.m2.f._is_below("/platform", "/platform") == false
	data.m2.f._is_below("/x", null) == false
	data.m2.f._is_below("/platformx", "/platform") == false
}

test_a_parameter_is_known_by_its_arn if {
	found := {arn: data.m2.f._parameter(arn) |
		some arn in [
			"arn:aws:ssm:eu-west-2:123456789012:parameter/a/b",
			"arn:aws:ssm:eu-west-2:123456789012:document/a/b",
			"arn:aws:ssm:eu-west-2:123456789012:parameter/a:b",
			"arn:aws:ssm",
		]
	}
	found == {
		"arn:aws:ssm:eu-west-2:123456789012:parameter/a/b": "/a/b",
		"arn:aws:ssm:eu-west-2:123456789012:document/a/b": null,
		"arn:aws:ssm:eu-west-2:123456789012:parameter/a:b": null,
		"arn:aws:ssm": null,
	}
	[data.m2.f._parameter(arn) | some arn in [null, 7]] == [null, null]
}

test_every_decision_on_a_path_is_shown if {
	decisions := {"ROLE": {"A_PATH": {
		"ssm:GetParameter": {"allowed", "implicitDeny"},
		"ssm:GetParameters": {null},
		"ssm:GetParametersByPath": set(),
	}}}
	found := data.m2.f._described("ROLE", "A_PATH") with data.m2.f._decisions as decisions
	found == {
		"ssm:GetParameter": "allowed, implicitDeny",
		"ssm:GetParameters": "null",
		"ssm:GetParametersByPath": "",
	}
}

test_what_a_simulation_says_is_read_of_objects if {
	role := "ROLE_FLINK_EXECUTION"
	rows := ["strange", null, {"EvalActionName": "ssm:GetParameter", "EvalResourceName": "arn:x", "EvalDecision": "allowed"}]
	found := data.m2.f._simulated[role] with input as _ready
		with data.lib.fact.list as rows
	found == [rows[2]]
}

test_a_header_has_a_name_of_letters if {
	found := {name | some name in ["X-IG-Api-Key", "x y", "", "x:", 7, null]
		data.m2.f._is_header(name)
	}
	found == {"X-IG-Api-Key"}
	data.m2.f._is_header("x y") == false
}

_scanned_of(sources) := [scanned, unscanned] if {
	document := fixture.put(_ready, ["plaintext_scan", "value", "sources"], sources)
	scanned := data.m2.f._scanned with input as document
	unscanned := data.m2.f._unscanned with input as document
}

test_a_source_was_scanned_if_the_scan_says_so if {
	sources := [
		{"source": "a", "scanned": true},
		{"source": "b", "scanned": false},
		{"source": "c"},
		{"source": "d", "scanned": "true"},
		"e",
	]
	_scanned_of(sources) == [{"a"}, ["b", "c", "d"]]
}

_listed_parameters(parameters) := fixture.put(
	_ready,
	["aws", "ssm", "inventories", "/fraud-platform/dev_full", "parameters", "value", "Parameters"],
	parameters,
)

test_parameters_that_no_handle_names_are_told_in_order if {
	document := _listed_parameters([{"Name": "/y"}, {"Name": "/x"}, {"Name": 7}, {}, "strange"])
	observations := data.m2.f.observations with input as document
	observations == {{
		"subject": "PROJECT_SLUG",
		"message": "parameters below the platform's folder that no handle names: /x, /y",
		"facts": ["/aws/ssm/inventories/~1fraud-platform~1dev_full/parameters/value/Parameters"],
	}}
}

test_the_inventory_shows_what_is_required_and_what_is_pinned if {
	document := fixture.without(fixture.pinned(_ready, "SSM_EXTRA_PATH", "/x"), ["handles", "SSM_IG_API_KEY_PATH"])
	inventory := data.m2.f._inventory with input as document
	inventory.handles.SSM_EXTRA_PATH.value == "/x"
	inventory.handles.SSM_IG_API_KEY_PATH == null
}
