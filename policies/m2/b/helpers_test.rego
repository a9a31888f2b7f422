package m2.b_test

import data.lib.fixture_test as fixture

test_outputs_that_are_none_are_shown_as_none if {
	shown := [values |
		some given in [{"a": {"value": 1}}, ["a"], null]
		document := fixture.put(_ready, ["terraform", "stacks", "core", "outputs", "value", "values"], given)
		values := data.m2.b._output_values with input as document
	]
	shown == [{"a": {"value": 1}}, {}, {}]
}

_two_policies := {name: ["x", "y"] | some name, _ in data.contract.m2.core.baseline_policies}

test_every_policy_that_is_not_attached_is_told if {
	checks := data.m2.b.b4 with input as _ready with data.contract.m2.core.baseline_policies as _two_policies
	found := {check.actual | some check in checks; check.claim == "the baseline policies are attached"}
	found == {"not attached: x, y"}
}

test_what_is_no_policy_is_not_held if {
	at := array.concat(_nodes, ["attached_policies", "value", "AttachedPolicies"])
	document := fixture.put(_ready, at, ["x", null, {"PolicyName": "y"}])
	held := data.m2.b._held("ROLE_EKS_NODEGROUP_DEV_FULL") with input as document
	"y" in held
	not "x" in held
}
