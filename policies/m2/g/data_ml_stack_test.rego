package m2.g_test

import data.lib.fixture_test as fixture

# The lanes that read what the tables damage by contract; the whole gate has tables of its own.
_lanes := {"M2G"}

_ready := data.lib.fixture_test.ready

_of(step) := ["terraform", "stacks", "data_ml", step]

_role(name) := ["aws", "iam", "roles", sprintf("arn:aws:iam::123456789012:role/%v", [name]), "role"]

_endpoint(aspect) := ["aws", "sagemaker", "endpoints", "online", aspect]

_description(path) := ["aws", "ssm", "parameters", sprintf("/fraud-platform/dev_full/%v", [path]), "metadata"]

_trust(name) := array.concat(_role(name), ["value", "AssumeRolePolicyDocument"])

_external_id := {"StringEquals": {"sts:ExternalId": "workspace"}}

# The role of Databricks under other statements.
_trusting(statement) := fixture.put(_ready, _trust("databricks"), {"Statement": statement})

_allowing(principal, condition) := {
	"Effect": "Allow",
	"Action": "sts:AssumeRole",
	"Principal": principal,
	"Condition": condition,
}

_wide := {[
	"M2G-B3",
	"ROLE_DATABRICKS_CROSS_ACCOUNT_ACCESS",
	"it trusts one account, and only under an external id",
	"violated",
]}

_live(endpoints) := fixture.put(_ready, array.concat(_endpoint("live"), ["value", "Endpoints"]), endpoints)

_running(name) := {"EndpointName": name, "EndpointStatus": "InService"}

_too_many := ["M2G-B5", "SM_ENDPOINT_COUNT_V0", "no more endpoints are live", "violated"]

_another := ["M2G-B5", "SM_ENDPOINT_NAME", "no other endpoint is live", "violated"]

_too_late := {["M2G-B5", "DBX_AUTO_TERMINATE_MINUTES", "idle clusters end in time", "violated"]}

_ending(minutes) := fixture.pinned(_ready, "DBX_AUTO_TERMINATE_MINUTES", minutes)

# What a damage must turn red, and nothing else.
_damaged := {
	"an output that differs from its handle": {
		"document": fixture.pinned(_ready, "DBX_WORKSPACE_URL", "https://other.cloud.databricks.com"),
		"expected": {["M2G-B1", "DBX_WORKSPACE_URL", "the stack's output dbx_workspace_url is as pinned", "violated"]},
	},
	"a SageMaker role that trusts another service": {
		"document": fixture.put(_ready, array.concat(_trust("sagemaker"), ["Statement", 0, "Principal", "Service"]), [
			"sagemaker.amazonaws.com", "ec2.amazonaws.com",
		]),
		"expected": {["M2G-B3", "ROLE_SAGEMAKER_EXECUTION", "it trusts its own service and nobody else", "violated"]},
	},
	"a role that is not there": {
		"document": fixture.absent(_ready, _role("sagemaker")),
		"expected": {
			["M2G-B3", "ROLE_SAGEMAKER_EXECUTION", "AWS knows the role", "absent"],
			["M2G-B3", "ROLE_SAGEMAKER_EXECUTION", "it trusts its own service and nobody else", "absent"],
		},
	},
	"an account by its number": {
		"document": _trusting([_allowing({"AWS": "414351767826"}, _external_id)]),
		"expected": set(),
	},
	"a single statement": {
		"document": _trusting(_allowing({"AWS": "414351767826"}, _external_id)),
		"expected": set(),
	},
	"a role of the account": {
		"document": _trusting([_allowing({"AWS": "arn:aws:iam::414351767826:role/unity"}, _external_id)]),
		"expected": set(),
	},
	"two accounts": {
		"document": _trusting([_allowing({"AWS": ["414351767826", "123456789012"]}, _external_id)]),
		"expected": _wide,
	},
	"everybody": {"document": _trusting([_allowing({"AWS": "*"}, _external_id)]), "expected": _wide},
	"a service beside the account": {
		"document": _trusting([_allowing({"AWS": "414351767826", "Service": "ec2.amazonaws.com"}, _external_id)]),
		"expected": _wide,
	},
	"no external id": {"document": _trusting([_allowing({"AWS": "414351767826"}, {})]), "expected": _wide},
	"an empty external id": {
		"document": _trusting([_allowing({"AWS": "414351767826"}, {"StringEquals": {"sts:ExternalId": ""}})]),
		"expected": _wide,
	},
	"nobody": {"document": _trusting([]), "expected": _wide},
	"a trust policy that is malformed": {
		"document": fixture.put(_ready, _trust("databricks"), "malformed"),
		"expected": _wide,
	},
	"a parameter that is not there": {
		"document": fixture.absent(_ready, _description("mlflow/tracking_uri")),
		"expected": {["M2G-B4", "SSM_MLFLOW_TRACKING_URI_PATH", "the parameter is there", "absent"]},
	},
	"the endpoint is live": {"document": _live([_running("online")]), "expected": set()},
	"another endpoint is live": {"document": _live([_running("other")]), "expected": {_another}},
	"two endpoints are live": {
		"document": _live([_running("online"), _running("other")]),
		"expected": {_too_many, _another},
	},
	"endpoints that go": {
		"document": _live([_running("online"), {"EndpointName": "other", "EndpointStatus": "Deleting"}]),
		"expected": set(),
	},
	"an endpoint that is malformed": {"document": _live(["malformed"]), "expected": {_another}},
	"no endpoint allowed": {
		"document": fixture.pinned(_live([_running("online")]), "SM_ENDPOINT_COUNT_V0", 0),
		"expected": {_too_many},
	},
	"a limit that is no whole number": {
		"document": fixture.pinned(_ready, "SM_ENDPOINT_COUNT_V0", 1.5),
		"expected": {_too_many},
	},
	"a limit that is no number": {
		"document": fixture.pinned(_ready, "SM_ENDPOINT_COUNT_V0", "1"),
		"expected": {_too_many},
	},
	"clusters of any kind": {
		"document": fixture.pinned(_ready, "DBX_COMPUTE_POLICY", "any"),
		"expected": {["M2G-B5", "DBX_COMPUTE_POLICY", "it is pinned to job clusters only", "violated"]},
	},
	"clusters that idle an hour": {"document": _ending(60), "expected": set()},
	"clusters that idle longer": {"document": _ending(61), "expected": _too_late},
	"clusters that never idle": {"document": _ending(0), "expected": _too_late},
	"clusters that idle for half a minute more": {"document": _ending(20.5), "expected": _too_late},
	"clusters that idle for a text": {"document": _ending("20"), "expected": _too_late},
}

test_each_damage_blocks_exactly_as_its_table_says if {
	found := {name: fixture.difference(damage.document, _lanes, damage.expected) | some name, damage in _damaged}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _damaged}
}

# The codes that an observation decides, when it cannot be read.
_decides := {
	_of("init"): {"M2G-B2"},
	_of("validate"): {"M2G-B2"},
	_of("plan"): {"M2G-B2", "M2G-B5"},
	_of("outputs"): {"M2G-B1", "M2G-B2", "M2G-B3", "M2G-B6"},
	_of("state"): {"M2G-B1", "M2G-B6"},
	_role("sagemaker"): {"M2G-B3"},
	_role("databricks"): {"M2G-B3"},
	_description("databricks/token"): {"M2G-B4"},
	_endpoint("endpoint"): {"M2G-B6"},
	_endpoint("live"): {"M2G-B5"},
}

test_each_unreadable_fact_turns_exactly_its_readers_red if {
	unread := fixture.unread(_decides, _lanes)
	{at: fixture.codes_of(blocking) | some at, blocking in unread} == _decides
	{at: blocking | some at, blocking in unread; at != _endpoint("endpoint")} == {at: readers |
		some at, _ in _decides
		at != _endpoint("endpoint")
		readers := fixture.readers(at, _lanes, "unreadable")
	}
}

test_an_endpoint_that_cannot_be_read_is_not_known if {
	fixture.blockers_of(fixture.unreadable(_ready, _endpoint("endpoint")), _lanes) == {[
		"M2G-B6",
		"SM_ENDPOINT_NAME",
		"whether the endpoint is there can be read",
		"unreadable",
	]}
}

test_each_unpinned_handle_blocks if {
	codes := {name: fixture.codes(fixture.pinned(_ready, name, "TO_PIN"), _lanes) |
		some name in [
			"ROLE_SAGEMAKER_EXECUTION", "ROLE_DATABRICKS_CROSS_ACCOUNT_ACCESS", "DBX_WORKSPACE_URL", "DBX_COMPUTE_POLICY",
			"DBX_AUTO_TERMINATE_MINUTES", "SM_ENDPOINT_NAME", "SM_ENDPOINT_COUNT_V0", "SSM_MLFLOW_TRACKING_URI_PATH",
			"TF_STACK_DATA_ML_DIR",
		]
	}
	codes == {
		"ROLE_SAGEMAKER_EXECUTION": {"M2G-B3", "M2G-B6"},
		"ROLE_DATABRICKS_CROSS_ACCOUNT_ACCESS": {"M2G-B3", "M2G-B6"},
		"DBX_WORKSPACE_URL": {"M2G-B1"},
		"DBX_COMPUTE_POLICY": {"M2G-B5"},
		"DBX_AUTO_TERMINATE_MINUTES": {"M2G-B5"},
		"SM_ENDPOINT_NAME": {"M2G-B5", "M2G-B6"},
		"SM_ENDPOINT_COUNT_V0": {"M2G-B5"},
		"SSM_MLFLOW_TRACKING_URI_PATH": {"M2G-B4", "M2G-B6"},
		"TF_STACK_DATA_ML_DIR": {"M2G-B1", "M2G-B2", "M2G-B3", "M2G-B5", "M2G-B6"},
	}
}
