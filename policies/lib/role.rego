# METADATA
# title: Roles
# description: References into the facts of a role, named by its handle, and the policy documents that they hold.
package lib.role

import data.lib.aws
import data.lib.fact

# Every aspect of the role.
refs(name) := [aws.role(name, aspect, []) | some aspect in ["role", "attached_policies", "inline_policies"]]

attached(name) := aws.role(name, "attached_policies", ["AttachedPolicies"])

inline(name) := aws.role(name, "inline_policies", ["Policies"])

# The documents of its policies; null for a policy without one, which permits nobody knows what.
documents(name) := [document |
	some policy in array.concat(fact.list(attached(name)), fact.list(inline(name)))
	document := object.get(_object(policy), "Document", null)
]

_object(value) := value if {
	is_object(value)
} else := {}
