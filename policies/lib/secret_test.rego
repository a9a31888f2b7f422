package lib.secret_test

import data.lib.secret

# Names, and whether they say that what they name is a secret.
_names := {
	"password": true,
	"db-password": true,
	"IG_API_KEY": true,
	"api_key_v2": true,
	"access_key_id": true,
	"signing_key": true,
	"apikey": true,
	"IG_APIKEYS": true,
	"IG_KEY_1": true,
	"IG_KEY_PRIMARY": true,
	"CLIENT_SECRET2": true,
	"api_key_v2_path": false,
	"edge2": false,
	"keys": true,
	"token_of_databricks": true,
	"SSM_IG_API_KEY_PATH": false,
	"secret_arn": false,
	"keyboard": false,
	"key_alias": false,
	"monkey": false,
	"DDB_IG_IDEMPOTENCY_PARTITION_KEY": false,
	"ddb_ig_idempotency_partition_key": false,
	"": false,
}

test_names_say_whether_they_name_a_secret if {
	{name | some name, _ in _names; secret.is_named_by(name)} == {name | some name, is_secret in _names; is_secret}
}

test_names_say_whether_they_lead_to_a_secret if {
	leading := {name |
		some name in [
			"SSM_IG_API_KEY_PATH", "token-arn", "db_password_paths", "KMS_KEY_ARN", "evidence_path", "api_key", "path", "",
			"db_password_copy",
		]
		secret.leads_to_one(name)
	}
	leading == {"SSM_IG_API_KEY_PATH", "token-arn", "db_password_paths"}
}

test_outputs_named_like_secrets_must_be_sensitive if {
	shown := secret.shown_outputs("core") with input as {"terraform": {"stacks": {"core": {"outputs": {
		"status": "present",
		"value": {"exit_code": 0, "values": {
			"b_token": {"value": "x", "sensitive": false},
			"a_token": {"value": "x"},
			"c_token": {"value": "x", "sensitive": true},
			"d_token": "malformed",
			"arn": {"value": "x", "sensitive": false},
		}},
	}}}}}
	shown == ["a_token", "b_token", "d_token"]
}

test_no_outputs_show_nothing if {
	secret.shown_outputs("core") == [] with input as {}
}

test_a_parameter_is_there_where_it_bears_its_path if {
	described := {"ssm": {"parameters": {"/a": {"metadata": {"status": "present", "value": {"Name": "/a"}}}}}}
	document := {"handles": {"P": {"value": "/a", "line": 1}}, "aws": described}
	found := secret.there("P") with input as document
	found.ok
	missing := secret.there("P") with input as {"handles": document.handles}
	missing.ok == false
}
