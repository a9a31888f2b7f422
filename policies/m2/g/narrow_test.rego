package m2.g_test

import data.lib.fixture_test as fixture

_root := "arn:aws:iam::210987654321:root"

_conditional := {"StringEquals": {"sts:ExternalId": "unguessable"}}

_is_narrow(policy) := found if {
	found := data.m2.g._is_narrow with data.m2.g._trust_policy as policy
}

test_trust_is_narrow_if_one_account_must_know_the_external_id if {
	_is_narrow({"Statement": [_allowing({"AWS": _root}, _conditional)]})
	_is_narrow({"Statement": [_allowing({"AWS": [_root, "210987654321"]}, _conditional)]})
	_is_narrow({"Statement": _allowing({"AWS": _root}, _conditional)})
	every policy in [
		{"Statement": []},
		{},
		null,
		"strange",
		{"Statement": [_allowing({"AWS": [_root, "arn:aws:iam::123456789012:root"]}, _conditional)]},
		{"Statement": [_allowing({"AWS": [_root, "*"]}, _conditional)]},
		{"Statement": [_allowing({"AWS": _root}, {})]},
		{"Statement": [_allowing({"AWS": _root}, _conditional), _allowing({"AWS": _root}, {})]},
		{"Statement": _allowing({"AWS": _root}, {})},
		{"Statement": [_allowing({"AWS": _root}, {"StringEquals": {"sts:ExternalId": ""}})]},
		{"Statement": [_allowing({"AWS": _root}, {"StringEquals": {"sts:ExternalId": []}})]},
		{"Statement": [_allowing({"AWS": _root}, {"StringEquals": {"sts:ExternalId": null}})]},
	] {
		_is_narrow(policy) == false
	}
}

test_an_account_is_that_of_the_principal if {
	found := {principal: data.m2.g._account(principal) |
		some principal in [
			"AWS 210987654321",
			"AWS arn:aws:iam::210987654321:root",
			"AWS arn:aws:iam::210987654321:role/123456789012",
			"AWS arn:aws:iam::210987654321:role/*",
			"AWS *",
			"Service x.amazonaws.com",
			"anybody",
		]
	}
	found == {
		"AWS 210987654321": "210987654321",
		"AWS arn:aws:iam::210987654321:root": "210987654321",
		"AWS arn:aws:iam::210987654321:role/123456789012": "210987654321",
		"AWS arn:aws:iam::210987654321:role/*": null,
		"AWS *": null,
		"Service x.amazonaws.com": null,
		"anybody": null,
	}
}

_lives(endpoints) := [live, others] if {
	live := data.m2.g._live with input as _ready with data.lib.fact.value as endpoints
	others := data.m2.g._others with input as _ready with data.m2.g._live as live
}

test_an_endpoint_lives_until_it_is_gone if {
	endpoints := [
		{"EndpointName": "b", "EndpointStatus": "InService"},
		{"EndpointName": "a", "EndpointStatus": "Creating"},
		{"EndpointName": "gone", "EndpointStatus": "Deleting"},
		{"EndpointStatus": "InService"},
	]
	_lives(endpoints)[0] == [null, "a", "b"]
	_lives("strange") == [null, null]
}

test_other_endpoints_are_not_the_pinned_one if {
	others := data.m2.g._others with input as _ready with data.m2.g._live as ["online", "other"]
	others == ["other"]
	nothing := data.m2.g._others with input as _ready with data.m2.g._live as null
	nothing == null
}

test_a_limit_is_a_whole_number if {
	data.m2.g._is_within(["a"], 1)
	data.m2.g._is_within([], 0)
	data.m2.g._is_within(["a", "b"], 1) == false
	data.m2.g._is_within(["a"], 1.5) == false
	data.m2.g._is_within(["a"], "1") == false
	data.m2.g._is_within(null, 1) == false
	data.m2.g._is_within({"a": 1}, 1) == false
}

test_idle_clusters_end_within_a_whole_number_of_minutes if {
	maximum := data.contract.m2.data_ml.auto_terminate.maximum
	found := [data.m2.g._is_in_time(minutes) | some minutes in [1, maximum, 0, -1, maximum + 1, 1.5, "1", null]]
	found == [true, true, false, false, false, false, false, false]
}
