package m2.d_test

import data.lib.fixture_test as fixture

# The lanes that read what the tables damage by contract; the whole gate has tables of its own.
_owner_lanes := {"M2D"}

_contract := data.contract.m2.topics.owners

_row := {
	"topic": "FP_BUS_AUDIT_V1",
	"owner": "ROLE_EKS_RUNTIME_PLATFORM_BASE",
	"producers": ["ROLE_LAMBDA_IG_EXECUTION"],
	"consumers": ["ROLE_EKS_RUNTIME_PLATFORM_BASE"],
}

_others := [row | some row in _contract; row.topic != _row.topic]

_changed(changes) := array.concat(_others, [object.union(_row, changes)])

_one_row(topic) := ["M2D-B4", topic, "exactly one row names its owner", "violated"]

_unknown := {["M2D-B4", "FP_BUS_AUDIT_V1", "its owner, its producers and its consumers are known roles", "violated"]}

_astray := {["M2D-B4", "m2.topics.owners", "every row is about a topic of the registry", "violated"]}

_open := {["M2D-B4", "FP_BUS_AUDIT_V1", "its roles are pinned, or routed to where they are made", "unpinned"]}

# Owner matrices as an operator may override them, and what they block.
_matrices := {
	"the contract's own": {"rows": _contract, "expected": set()},
	"a row that routes nothing, and whose roles are pinned": {"rows": _changed({}), "expected": set()},
	"no row": {"rows": _others, "expected": {_one_row("FP_BUS_AUDIT_V1")}},
	"two rows": {"rows": array.concat(_contract, [_row]), "expected": {_one_row("FP_BUS_AUDIT_V1")}},
	"no matrix": {"rows": [], "expected": {_one_row(topic) | some topic in data.contract.m2.topics.required}},
	"a matrix that is no list": {
		"rows": "none",
		"expected": {_one_row(topic) | some topic in data.contract.m2.topics.required},
	},
	"a row of a topic that is not required": {
		"rows": array.concat(_contract, [object.union(_row, {"topic": "FP_BUS_EXTRA_V1"})]),
		"expected": _astray,
	},
	"a row of a handle that is no topic": {
		"rows": array.concat(_contract, [object.union(_row, {"topic": "MSK_CLUSTER_ARN"})]),
		"expected": _astray,
	},
	"a row without a topic": {
		"rows": array.concat(_contract, [object.remove(_row, ["topic"])]),
		"expected": _astray,
	},
	"a row that is no object": {"rows": array.concat(_contract, ["malformed"]), "expected": _astray},
	"an unknown role": {"rows": _changed({"consumers": ["ROLE_NOBODY"]}), "expected": _unknown},
	"a handle that is no role": {"rows": _changed({"consumers": ["MSK_CLUSTER_ARN"]}), "expected": _unknown},
	"an ARN in place of a handle": {
		"rows": _changed({"owner": "arn:aws:iam::123456789012:role/base"}),
		"expected": _unknown,
	},
	"anyone": {"rows": _changed({"producers": ["ROLE_LAMBDA_IG_EXECUTION", "*"]}), "expected": _unknown},
	"an empty principal": {"rows": _changed({"producers": [" "]}), "expected": _unknown},
	"a principal that is no text": {"rows": _changed({"producers": [7]}), "expected": _unknown},
	"no consumers": {"rows": _changed({"consumers": []}), "expected": _unknown},
	"consumers that are no list": {"rows": _changed({"consumers": "ROLE_FLINK_EXECUTION"}), "expected": _unknown},
	"no owner": {
		"rows": array.concat(_others, [object.remove(_row, ["owner"])]),
		"expected": _unknown,
	},
	"a list of owners": {"rows": _changed({"owner": ["ROLE_FLINK_EXECUTION"]}), "expected": _unknown},
}

_difference(document, rows, expected) := found if {
	found := fixture.difference(document, _owner_lanes, expected) with data.contract.m2.topics.owners as rows
}

test_each_matrix_blocks_exactly_as_its_table_says if {
	found := {name: _difference(_ready, case.rows, case.expected) | some name, case in _matrices}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _matrices}
}

# Open roles block their own lanes; the matrix says whether they block the topic, too.
_of_topics(document, rows) := found if {
	blocking := fixture.blockers_of(document, _owner_lanes) with data.contract.m2.topics.owners as rows
	found := {blocker | some blocker in blocking; startswith(blocker[0], "M2D")}
}

_open_role := fixture.pinned(_ready, "ROLE_LAMBDA_IG_EXECUTION", "TO_PIN")

test_an_open_role_needs_a_row_that_routes_it if {
	_of_topics(_open_role, _contract) == set()
	_of_topics(_open_role, _changed({"routed_to": "M2.E"})) == set()
	_of_topics(_open_role, _changed({})) == _open
	_of_topics(_open_role, _changed({"routed_to": "M2.F"})) == _open
}

test_a_role_that_the_registry_does_not_mention_is_unknown_even_if_routed if {
	document := fixture.without(_ready, ["handles", "ROLE_LAMBDA_IG_EXECUTION"])
	_of_topics(document, _changed({"routed_to": "M2.E"})) & _unknown == _unknown
}
