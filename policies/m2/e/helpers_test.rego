package m2.e_test

import data.lib.fixture_test as fixture

test_only_roles_with_a_value_are_asked_for if {
	document := json.patch(_ready, [
		{"op": "add", "path": ["handles", "ROLE_EKS_EXTRA"], "value": {"value": "arn:x", "line": 1}},
		{"op": "add", "path": ["handles", "ROLE_EKS_BARE"], "value": {"line": 2}},
	])
	more := data.m2.e._eks_roles with input as document
	today := data.m2.e._eks_roles with input as _ready
	more - today == {"ROLE_EKS_EXTRA"}
}

_used(uses) := [policy, cluster, other, holds, fails] if {
	policy := _is_asked_for(data.contract.m2.runtime.eks.use_policy, uses)
	cluster := _is_asked_for(data.contract.m2.runtime.eks.cluster_arn, uses)
	other := _is_asked_for("ROLE_EKS_EXTRA", uses)
	holds := data.m2.e._holds_where_used(true) with data.m2.e._uses_cluster as uses
	fails := data.m2.e._holds_where_used(false) with data.m2.e._uses_cluster as uses
}

_is_asked_for(name, uses) if {
	data.m2.e._is_asked_for(name) with data.m2.e._uses_cluster as uses
} else := false

test_a_cluster_that_is_not_used_has_nothing_to_hold if {
	_used(true) == [true, true, false, true, false]
	_used(false) == [true, false, false, true, true]
}

test_a_grant_of_everything_is_not_outweighed_by_what_nobody_understands if {
	everything := {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
	checks := data.m2.e.b3 with input as _ready with data.lib.role.documents as [everything, null]
	found := {[check.ok, check.actual["not understood"], count(check.actual.boundless)] |
		some check in checks
		check.claim == "no statement allows everything on everything"
	}
	found == {[false, 1, 1]}
}
