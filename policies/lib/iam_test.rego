package lib.iam_test

import data.lib.iam

_cluster := "arn:aws:kafka:eu-west-2:1:cluster/c/u"

_actions := ["kafka-cluster:Connect", "kafka-cluster:WriteData"]

_document(statements) := {"Version": "2012-10-17", "Statement": statements}

_allow(changes) := object.union({"Effect": "Allow", "Action": "kafka-cluster:*", "Resource": "*"}, changes)

_deny(changes) := object.union({"Effect": "Deny", "Action": "kafka-cluster:WriteData", "Resource": "*"}, changes)

_without(statement, key) := object.remove(statement, [key])

_all := ["kafka-cluster:Connect", "kafka-cluster:WriteData"]

_write := ["kafka-cluster:WriteData"]

# The statements of one document, and the actions that they do not certainly permit.
_statements := {
	"none": {"given": [], "missing": _all},
	"a statement that is no list": {"given": _allow({}), "missing": []},
	"everything": {"given": [_allow({"Action": "*"})], "missing": []},
	"a list of actions": {"given": [_allow({"Action": ["kafka-cluster:Connect", "s3:*"]})], "missing": _write},
	"actions in another case": {"given": [_allow({"Action": "KAFKA-CLUSTER:*"})], "missing": []},
	"an action by one wildcard character": {"given": [_allow({"Action": "kafka-cluster:Connec?"})], "missing": _write},
	"a question mark is exactly one character": {"given": [_allow({"Action": "kafka-cluster:Connect?"})], "missing": _all},
	"a pattern matches as a whole": {"given": [_allow({"Action": "cluster:*"})], "missing": _all},
	"an action without a wildcard": {"given": [_allow({"Action": "kafka-cluster"})], "missing": _all},
	"the very resource": {"given": [_allow({"Resource": _cluster})], "missing": []},
	"resources by wildcards across delimiters": {"given": [_allow({"Resource": "arn:aws:kafka:*/u"})], "missing": []},
	"another resource": {"given": [_allow({"Resource": "arn:aws:kafka:*:cluster/d/*"})], "missing": _all},
	"resources keep their case": {"given": [_allow({"Resource": "arn:aws:kafka:*:CLUSTER/*"})], "missing": _all},
	"a dot is no wildcard": {"given": [_allow({"Resource": "arn.aws.kafka*"})], "missing": _all},
	"text that looks like an expression": {
		"given": [_allow({"Resource": "arn:aws:kafka:[a-z]*(|)+^$\\*"})],
		"missing": _all,
	},
	"a policy variable grants nothing": {"given": [_allow({"Resource": "arn:aws:kafka:${aws:region}*"})], "missing": _all},
	"no resource": {"given": [_without(_allow({}), "Resource")], "missing": _all},
	"no action": {"given": [_without(_allow({}), "Action")], "missing": _all},
	"an action that is no text": {"given": [_allow({"Action": [1, null]})], "missing": _all},
	"a condition": {"given": [_allow({"Condition": {"Bool": {"x": "true"}}})], "missing": _all},
	"an empty condition": {"given": [_allow({"Condition": {}})], "missing": []},
	"everything but something else": {
		"given": [_without(_allow({"NotAction": "iam:*"}), "Action")],
		"missing": [],
	},
	"everything but one of them": {
		"given": [_without(_allow({"NotAction": ["iam:*", "kafka-cluster:Write*"]}), "Action")],
		"missing": _write,
	},
	"every resource but another": {
		"given": [_without(_allow({"NotResource": "arn:aws:s3:::*"}), "Resource")],
		"missing": [],
	},
	"every resource but this one": {
		"given": [_without(_allow({"NotResource": _cluster}), "Resource")],
		"missing": _all,
	},
	"every resource but a variable one": {
		"given": [_without(_allow({"NotResource": "${x}"}), "Resource")],
		"missing": _all,
	},
	"a denial": {"given": [_allow({}), _deny({})], "missing": _write},
	"a denial under a condition": {
		"given": [_allow({}), _deny({"Condition": {"Bool": {"x": "true"}}})],
		"missing": _write,
	},
	"a denial of another resource": {"given": [_allow({}), _deny({"Resource": "arn:aws:s3:::*"})], "missing": []},
	"a denial of a variable resource": {"given": [_allow({}), _deny({"Resource": "arn:${x}"})], "missing": _write},
	"a denial of all but one": {
		"given": [_allow({}), _without(_deny({"NotAction": "kafka-cluster:Connect"}), "Action")],
		"missing": _write,
	},
	"a denial on all but this resource": {
		"given": [_allow({}), _without(_deny({"NotResource": _cluster}), "Resource")],
		"missing": [],
	},
	"a denial of who knows what": {"given": [_allow({}), {"Effect": "Deny"}], "missing": _all},
	"a statement without an effect": {"given": [_allow({}), _without(_deny({}), "Effect")], "missing": _write},
}

test_each_set_of_statements_permits_as_its_table_says if {
	found := {name: iam.missing([_document(case.given)], _actions, _cluster) | some name, case in _statements}
	found == {name: case.missing | some name, case in _statements}
}

test_a_denial_in_another_document_counts if {
	iam.missing([_document([_allow({})]), _document([_deny({})])], _actions, _cluster) == _write
}

# Conditions of a statement, and whether a request with a known `kms:ViaService` certainly meets them.
_conditions := {
	"none": {"given": {}, "met": true},
	"the known value": {"given": {"StringEquals": {"kms:ViaService": "ssm.eu-west-2.amazonaws.com"}}, "met": true},
	"one of several": {"given": {"StringEquals": {"KMS:viaservice": ["s3", "ssm.eu-west-2.amazonaws.com"]}}, "met": true},
	"a pattern": {"given": {"StringLike": {"kms:ViaService": "ssm.*.amazonaws.com"}}, "met": true},
	"a pattern that is none": {"given": {"StringEquals": {"kms:ViaService": "ssm.*.amazonaws.com"}}, "met": false},
	"another value": {"given": {"StringEquals": {"kms:ViaService": "s3.eu-west-2.amazonaws.com"}}, "met": false},
	"an unknown key": {"given": {"StringLike": {"aws:PrincipalTag/team": "*"}}, "met": false},
	"an unknown key beside the known": {
		"given": {"StringEquals": {"kms:ViaService": "ssm.eu-west-2.amazonaws.com", "aws:x": "y"}},
		"met": false,
	},
	"another operator": {"given": {"StringNotEquals": {"kms:ViaService": "s3.eu-west-2.amazonaws.com"}}, "met": false},
	"no condition at all": {"given": ["x"], "met": false},
	"an empty list of conditions": {"given": [], "met": false},
	"another operator of nothing": {"given": {"IpAddress": {}}, "met": false},
	"a pattern for anything, of an unknown key": {"given": {"StringLike": {"aws:x": "*"}}, "met": false},
	"nothing, of an unknown key": {"given": {"StringEquals": {"aws:x": null}}, "met": false},
	"an operator of nothing": {"given": {"StringEquals": "x"}, "met": false},
}

test_a_condition_is_met_only_by_what_is_known if {
	context := {"kms:viaservice": "ssm.eu-west-2.amazonaws.com"}
	found := {name: met |
		some name, case in _conditions
		statement := _allow({"Action": "kms:Decrypt", "Resource": "*", "Condition": case.given})
		met := iam.missing_under([_document([statement])], ["kms:Decrypt"], _cluster, context) == []
	}
	found == {name: case.met | some name, case in _conditions}
}

test_no_document_permits_nothing if iam.missing([], _actions, _cluster) == _all

test_one_document_that_cannot_be_understood_spoils_all if {
	every document in ["text", null, {}, {"Statement": []}, {"Statement": "x"}] {
		iam.missing([_document([_allow({})]), document], _actions, _cluster) == _all
	}
}

_role := "arn:aws:iam::1:role/r"

# Principals of a denial in a resource's own policy, and whether it may concern the role.
_principals := {
	"anyone": {"given": {"Principal": "*"}, "denied": true},
	"any AWS principal": {"given": {"Principal": {"AWS": "*"}}, "denied": true},
	"the role": {"given": {"Principal": {"AWS": [_role, "arn:aws:iam::1:role/other"]}}, "denied": true},
	"its account": {"given": {"Principal": {"AWS": "1"}}, "denied": true},
	"the role, and another account's root": {
		"given": {"Principal": {"AWS": [_role, "arn:aws:iam::2:root"]}},
		"denied": true,
	},
	"its account's root": {"given": {"Principal": {"AWS": "arn:aws:iam::1:root"}}, "denied": true},
	"another role": {"given": {"Principal": {"AWS": "arn:aws:iam::1:role/other"}}, "denied": false},
	"a service": {"given": {"Principal": {"Service": "kafka.amazonaws.com"}}, "denied": false},
	"all but another": {"given": {"NotPrincipal": {"AWS": "arn:aws:iam::1:role/other"}}, "denied": true},
	"no principal": {"given": {}, "denied": true},
}

test_denials_of_a_resource_concern_who_they_may if {
	found := {name: denied |
		some name, case in _principals
		document := _document([object.union({"Effect": "Deny", "Action": "*", "Resource": "*"}, case.given)])
		denied := iam.denied_by_resource(document, _role, _actions, _cluster) == _all
	}
	found == {name: case.denied | some name, case in _principals}
}

test_a_principal_without_an_arn_is_concerned_by_every_denial if {
	document := _document([object.union(_deny({}), {"Principal": {"AWS": "arn:aws:iam::1:role/other"}})])
	iam.denied_by_resource(document, null, _actions, _cluster) == _write
}

test_a_resource_without_a_policy_denies_nothing if {
	iam.denied_by_resource(null, _role, _actions, _cluster) == []
}

_assume := {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}

_something_else := "another statement than an Allow of sts:AssumeRole"

# Statements of a trust policy, and whom they let in.
_trusts := {
	"all but other actions": {
		"given": [object.union(_without(_assume, "Action"), {"NotAction": "s3:*"})],
		"trusted": ["Service lambda.amazonaws.com"],
	},
	"its service": {"given": [_assume], "trusted": ["Service lambda.amazonaws.com"]},
	"under a condition": {
		"given": [object.union(_assume, {"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}})],
		"trusted": ["Service lambda.amazonaws.com"],
	},
	"among other actions": {
		"given": [object.union(_assume, {"Action": ["sts:TagSession", "sts:AssumeRole"]})],
		"trusted": ["Service lambda.amazonaws.com"],
	},
	"two services": {
		"given": [object.union(_assume, {"Principal": {"Service": ["states.amazonaws.com", "lambda.amazonaws.com"]}})],
		"trusted": ["Service lambda.amazonaws.com", "Service states.amazonaws.com"],
	},
	"an account": {
		"given": [object.union(_without(_assume, "Principal"), {"Principal": {"AWS": "1"}})],
		"trusted": ["AWS 1"],
	},
	"anyone": {"given": [object.union(_assume, {"Principal": "*"})], "trusted": ["Principal *"]},
	"everyone but one": {"given": [_without(_assume, "Principal")], "trusted": ["Principal unknown"]},
	"a denial": {
		"given": [_assume, object.union(_assume, {"Effect": "Deny"})],
		"trusted": ["Service lambda.amazonaws.com", _something_else],
	},
	"another action": {"given": [object.union(_assume, {"Action": "sts:TagSession"})], "trusted": [_something_else]},
	"nothing": {"given": [], "trusted": []},
}

test_each_trust_policy_lets_in_whom_its_table_says if {
	found := {name: iam.trusted(_document(case.given)) | some name, case in _trusts}
	found == {name: case.trusted | some name, case in _trusts}
}

test_a_trust_policy_that_cannot_be_understood_lets_nobody_in if {
	every document in [null, "text", {}, {"Statement": "x"}] {
		iam.trusted(document) == []
	}
}

# Statements, and whether they allow everything on everything.
_grants := {
	"everything": {"given": _allow({"Action": "*"}), "boundless": true},
	"everything in lists": {"given": _allow({"Action": ["s3:*", "*"], "Resource": ["x", "*"]}), "boundless": true},
	"every action of every service": {"given": _allow({"Action": "*:*"}), "boundless": true},
	"every ARN": {"given": _allow({"Action": "*", "Resource": "arn:aws:*:*:*"}), "boundless": true},
	"every ARN of every partition": {"given": _allow({"Action": "*", "Resource": "arn:*"}), "boundless": true},
	"actions of one character": {"given": _allow({"Action": "?"}), "boundless": false},
	"everything under a condition": {
		"given": _allow({"Action": "*", "Condition": {"Bool": {"x": "true"}}}),
		"boundless": true,
	},
	"everything but one action": {
		"given": _without(_allow({"NotAction": "iam:*"}), "Action"),
		"boundless": true,
	},
	"everything on all but one resource": {
		"given": _without(_allow({"Action": "*", "NotResource": "x"}), "Resource"),
		"boundless": true,
	},
	"one service": {"given": _allow({}), "boundless": false},
	"everything on one service's resources": {
		"given": _allow({"Action": "*", "Resource": "arn:aws:s3:::*"}),
		"boundless": false,
	},
	"a denial of everything": {"given": _deny({"Action": "*"}), "boundless": false},
	"no action": {"given": _without(_allow({}), "Action"), "boundless": false},
}

test_each_grant_is_boundless_as_its_table_says if {
	found := {name: boundless |
		some name, case in _grants
		boundless := count(iam.boundless([_document([case.given])])) == 1
	}
	found == {name: case.boundless | some name, case in _grants}
}

test_wildcards_alone_are_special if {
	special := split(`.+()[]{}^$|\`, "")
	wrong := [character |
		some character in special
		pattern := concat("", ["a", character, "*"])
		found := [iam.matches(pattern, concat("", ["a", character, "b"])), iam.matches(pattern, "axb")]
		found != [true, false]
	]
	wrong == []
}
