package lib.role_test

import data.lib.role

_document(aspects) := {
	"handles": {"ROLE": {"value": "arn:aws:iam::123456789012:role/x", "line": 1}},
	"aws": {"iam": {"roles": {"arn:aws:iam::123456789012:role/x": {aspect: observation |
		some aspect, value in aspects
		observation := {"status": "present", "value": value, "receipts": []}
	}}}},
}

_attached(policies) := {"attached_policies": {"AttachedPolicies": policies}}

_inline(policies) := {"inline_policies": {"Policies": policies}}

test_the_documents_of_a_role_are_those_of_all_its_policies if {
	policies := object.union(_attached([{"Document": "a"}]), _inline([{"Document": "b"}, {"PolicyName": "x"}, "strange"]))
	found := role.documents("ROLE") with input as _document(policies)
	found == ["a", "b", null, null]
}

test_policies_that_are_not_known_are_a_document_that_nobody_understands if {
	found := role.documents("ROLE") with input as _document(object.union(_attached([]), _inline("strange")))
	found == [null]
	nothing := role.documents("ROLE") with input as {}
	nothing == [null, null]
}

_bounded_by(boundary) := found if {
	found := role.boundaries("ROLE") with input as _document({"role": {"PermissionsBoundary": boundary}})
}

test_a_boundary_is_one_more_document_that_must_allow if {
	_bounded_by({"Document": "a"}) == [["a"]]
	_bounded_by({"PermissionsBoundaryArn": "arn:x"}) == [[null]]
	_bounded_by("strange") == [[null]]
	_bounded_by(null) == []
	nothing := role.boundaries("ROLE") with input as {}
	nothing == []
}

test_what_is_known_of_a_role_are_three_reads if {
	[ref.at[4] | some ref in role.refs("ROLE")] == ["role", "attached_policies", "inline_policies"] with input as _document({})
	[ref.at[4] | some ref in role.policies("ROLE")] == ["attached_policies", "inline_policies"] with input as _document({})
}

_trusts(services) := found if {
	policy := {"Statement": [{
		"Effect": "Allow",
		"Action": "sts:AssumeRole",
		"Principal": {"Service": services},
	}]}
	document := _document({"role": {"AssumeRolePolicyDocument": policy}})
	check := role.trusts("ROLE", ["Service b.amazonaws.com", "Service a.amazonaws.com"]) with input as document
	found := [check.ok, check.expected, check.actual]
}

test_a_role_trusts_its_service_and_nobody_else if {
	both := ["Service a.amazonaws.com", "Service b.amazonaws.com"]
	_trusts(["b.amazonaws.com", "a.amazonaws.com"]) == [true, both, both]
	_trusts(["a.amazonaws.com"]) == [false, both, ["Service a.amazonaws.com"]]
}
