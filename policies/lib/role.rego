# METADATA
# title: Roles
# description: |
#   References into the facts of a role, named by its handle, the policy documents that they hold, and whom it trusts.
package lib.role

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.iam

# Every aspect of the role.
refs(name) := [aws.role(name, aspect, []) | some aspect in ["role", "attached_policies", "inline_policies"]]

# What says which actions it may take.
policies(name) := [attached(name), inline(name)]

attached(name) := aws.role(name, "attached_policies", ["AttachedPolicies"])

inline(name) := aws.role(name, "inline_policies", ["Policies"])

# The documents of its policies; null for a policy without one, and for a list that is none: those permit nobody knows what.
documents(name) := array.concat(_documents(attached(name)), _documents(inline(name)))

_documents(ref) := [document |
	some policy in fact.value(ref)
	document := object.get(fact.members(policy), "Document", null)
] if {
	is_array(fact.value(ref))
} else := [null]

# Beside its policies, the document of the boundary that they are held to: none, or one list of one.
boundaries(name) := [[object.get(fact.members(boundary), "Document", null)]] if {
	boundary := fact.value(aws.role(name, "role", ["PermissionsBoundary"]))
	boundary != null
} else := []

# AWS knows the role under its handle.
known(name) := check.equals_handle(name, "AWS knows the role", aws.role(name, "role", ["Arn"]), name)

# The role trusts exactly these principals, each as "<kind> <name>".
trusts(name, principals) := check.of({
	"subject": name,
	"claim": "it trusts its own service and nobody else",
	"refs": [trust(name)],
	"handles": [],
	"holds": trusted == sort(principals),
	"expected": sort(principals),
	"actual": trusted,
}) if {
	trusted := iam.trusted(fact.value(trust(name)))
}

trust(name) := aws.role(name, "role", ["AssumeRolePolicyDocument"])
