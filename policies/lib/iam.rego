# METADATA
# title: IAM policy documents
# description: |
#   What a set of policy documents certainly permits. The analysis errs on the side of `no`: an Allow with a condition
#   that is not known to be met grants nothing, a Deny counts whatever its condition says, and a document that cannot be understood permits nothing
#   at all.
package lib.iam

# The actions that the documents do not certainly permit on the resource, sorted.
missing(documents, actions, resource) := missing_under(documents, actions, resource, {})

# The same for a request of which the values of some condition keys, in lower case, are known.
missing_under(documents, actions, resource, context) := sort({action |
	some action in actions
	not _permits(documents, action, resource, context)
})

# The actions that a resource's own policy may take away from the principal, sorted.
denied_by_resource(document, principal, actions, resource) := sort({action |
	some action in actions
	some statement in _statements(document)
	_may_concern(statement, principal)
	_takes_away(statement, action, resource)
})

# The documents that cannot be understood: not an object, or without statements.
opaque(documents) := [document | some document in documents; count(_statements(document)) == 0]

# Whom a trust policy lets in, sorted, each as "<kind> <name>". A statement that is not an Allow of `sts:AssumeRole` is
# listed as what it is, so that only a policy that is understood as a whole can be as expected. Conditions only narrow.
trusted(document) := sort({principal |
	some statement in _statements(document)
	some principal in _let_in(statement)
})

# The statements that allow everything on everything. Everything but a few things counts, whatever the condition.
boundless(documents) := [statement |
	some document in documents
	some statement in _statements(document)
	object.get(statement, "Effect", null) == "Allow"
	_is_boundless(statement, "Action", "NotAction", {""})
	_is_boundless(statement, "Resource", "NotResource", {"", "arn", "arn:aws"})
]

_let_in(statement) := {"another statement than an Allow of sts:AssumeRole"} if {
	not _lets_in(statement)
} else := {sprintf("%v %v", [kind, name]) |
	some kind, names in _principals(statement)
	some name in _list(names)
}

_lets_in(statement) if {
	object.get(statement, "Effect", null) == "Allow"
	_surely_covers(statement, "Action", "NotAction", "sts:assumerole")
}

_principals(statement) := named if {
	named := object.get(statement, "Principal", null)
	is_object(named)
} else := {"Principal": object.get(statement, "Principal", "unknown")}

_is_boundless(statement, positive, _, stems) if {
	some pattern in _patterns(statement, positive)
	contains(pattern, "*")
	trim(pattern, "*?:") in stems
}

_is_boundless(statement, _, negative, _) if negative in object.keys(statement)

_permits(documents, action, resource, context) if {
	count(opaque(documents)) == 0
	some document in documents
	some statement in _statements(document)
	_grants(statement, action, resource, context)
	not _is_denied(documents, action, resource)
}

_is_denied(documents, action, resource) if {
	some document in documents
	some statement in _statements(document)
	_takes_away(statement, action, resource)
}

_grants(statement, action, resource, context) if {
	object.get(statement, "Effect", null) == "Allow"
	_is_met(object.get(statement, "Condition", {}), context)
	_surely_covers(statement, "Action", "NotAction", lower(action))
	_surely_covers(statement, "Resource", "NotResource", resource)
}

# A condition on anything but what is known of the request may fail.
_is_met(condition, context) if {
	is_object(condition)
	every operator, required in condition {
		operator in {"StringEquals", "StringLike"}
		is_object(required)
		count([key | some key, values in required; not _is_among(operator, object.get(context, lower(key), null), values)]) == 0
	}
}

_is_among("StringEquals", text, values) if {
	is_string(text)
	text in _list(values)
}

_is_among("StringLike", text, values) if {
	is_string(text)
	some pattern in _texts(values)
	_matches(pattern, text)
}

_surely_covers(statement, positive, _, text) if {
	some pattern in _patterns(statement, positive)
	_matches(pattern, text)
}

_surely_covers(statement, _, negative, text) if {
	count(_patterns(statement, negative)) > 0
	count([pattern | some pattern in _patterns(statement, negative); _may_match(pattern, text)]) == 0
}

# Whatever is not an Allow is taken for a Deny.
_takes_away(statement, action, resource) if {
	object.get(statement, "Effect", null) != "Allow"
	_may_cover(statement, "Action", "NotAction", lower(action))
	_may_cover(statement, "Resource", "NotResource", resource)
}

_may_cover(statement, positive, _, text) if {
	some pattern in _patterns(statement, positive)
	_may_match(pattern, text)
}

_may_cover(statement, _, negative, text) if {
	count(_patterns(statement, negative)) > 0
	count([pattern | some pattern in _patterns(statement, negative); _matches(pattern, text)]) == 0
}

# A statement that says neither what it is about nor what it is not about may be about anything.
_may_cover(statement, positive, negative, _) if {
	count(_patterns(statement, positive)) == 0
	count(_patterns(statement, negative)) == 0
}

# A statement concerns a principal unless it surely names others only.
_may_concern(statement, principal) if not _names_others_only(object.get(statement, "Principal", "*"), principal)

_names_others_only(named, principal) if {
	is_object(named)
	is_string(principal)
	account := split(principal, ":")[4]
	hits := [name | some name in _texts(object.get(named, "AWS", [])); name in {"*", principal, account}]
	roots := [name | some name in _texts(object.get(named, "AWS", [])); endswith(name, ":root")]
	count(hits) + count(roots) == 0
}

_statements(document) := [statement |
	some statement in _list(object.get(document, "Statement", []))
	is_object(statement)
] if {
	is_object(document)
} else := []

# Actions are compared without regard to case, resources as they are.
_patterns(statement, key) := [lower(pattern) | some pattern in _texts(object.get(statement, key, []))] if {
	key in {"Action", "NotAction"}
} else := _texts(object.get(statement, key, []))

_texts(value) := [text | some text in _list(value); is_string(text)]

_list(value) := value if {
	is_array(value)
} else := [value]

# Whether a pattern of IAM's kind is about the text.
matches(pattern, text) if {
	_matches(pattern, text)
} else := false

# IAM's own wildcards: `*` is any text, `?` any one character, across every delimiter.
_matches(pattern, _) if pattern == "*"

_matches(pattern, text) if {
	not _has_wildcard(pattern)
	pattern == text
}

_matches(pattern, text) if {
	pattern != "*"
	_has_wildcard(pattern)
	regex.match(_expression(pattern), text)
}

# A policy variable may stand for anything.
_may_match(pattern, text) if _matches(pattern, text)

_may_match(pattern, _) if contains(pattern, "${")

_has_wildcard(pattern) if contains(pattern, "*")

_has_wildcard(pattern) if contains(pattern, "?")

_expression(pattern) := sprintf("(?s)^%v$", [replace(replace(_literal(pattern), "*", ".*"), "?", ".")])

# The backslash first: each of the others is replaced by itself behind one.
_literal(pattern) := strings.replace_n(
	{
		".": `\.`, "+": `\+`, "(": `\(`, ")": `\)`, "[": `\[`, "]": `\]`,
		"{": `\{`, "}": `\}`, "^": `\^`, "$": `\$`, "|": `\|`,
	},
	replace(pattern, `\`, `\\`),
)
