# METADATA
# title: Core stack
# description: |
#   The `core` stack is applied and settled, gives later stacks what they build on, and what it manages is encrypted,
#   versioned, closed, tagged and permitted as pinned.
# custom:
#   lane: M2.B
#   next: M2.C
#   upstream: [M2.A]
#   stacks: [core]
#   definition_of_done:
#     - item: "`core` plan/apply succeeds."
#       codes: [M2B-B1, M2B-B2]
#     - item: required core outputs are materialized.
#       codes: [M2B-B1, M2B-B3]
#     - item: baseline tags/policies pass conformance checks.
#       codes: [M2B-B4]
#     - item: M2.B evidence snapshot committed.
#       codes: [M2B-B5]
#   artifacts:
#     - m2b_core_plan_snapshot.json
#     - m2b_core_apply_snapshot.json
#     - m2b_core_output_handle_matrix.json
#     - m2b_core_policy_tag_conformance.json
#     - m2b_post_apply_stability_check.json
#     - m2b_blocker_register.json
#     - m2b_execution_summary.json
package m2.b

import data.lib.aws
import data.lib.bucket
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.role
import data.lib.stack
import data.lib.tags

# METADATA
# title: Core stack is a skeleton
# description: The state of the `core` stack holds no managed resource, or no output that later stacks could build on.
# custom:
#   code: M2B-B1
#   severity: S1
#   taxonomy: M2-B2
#   remediation: Write the stack's resources and outputs and apply it.
b1 contains claim if some claim in stack.materialized(_stack)

# METADATA
# title: Core stack does not initialise, validate, plan, apply or output
# description: |
#   A receipt of init, validate, plan or output is missing or non-zero (plan may end with 0 or 2), or the plan shows
#   changes that no successful apply of that very plan follows. A read-only run whose plan is clean needs no apply.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/cli/commands/plan#detailed-exitcode
# custom:
#   code: M2B-B2
#   severity: S1
#   taxonomy: M2-B2
#   remediation: >-
#     Read the log of the failed command in the fact document. If the plan shows changes, review them and run the gate
#     with `--terraform apply`, or undo the drift by hand.
b2 contains claim if some claim in stack.commands(_stack)

# METADATA
# title: Required core output missing or different
# description: |
#   An output that later stacks are pinned to is missing, or differs from its handle. Lists are compared without regard
#   to order. A sensitive output cannot be compared and blocks.
# custom:
#   code: M2B-B3
#   severity: S1
#   taxonomy: M2-B2
#   remediation: Restore the output in the core stack, or pin the handle to what the stack outputs now.
b3 contains check.of({
	"subject": name,
	"claim": sprintf("the output %v is as pinned", [output]),
	"refs": [ref],
	"handles": [name],
	"holds": _is_output(output, handle.value(name)),
	"expected": handle.value(name),
	"actual": {true: "sensitive", false: fact.value(ref)}[_is_sensitive(output)],
}) if {
	some name, output in data.contract.m2.core.outputs
	ref := _output(output)
}

# METADATA
# title: Core surfaces have drifted from their pinned posture
# description: |
#   A core bucket cannot be reached, or is not encrypted, versioned and closed to the public; the KMS alias does not
#   lead to an enabled key; a baseline policy is not attached; a core resource lacks a pinned tag; or the last plan
#   still shows changes. The registry must pin each switch of the posture to true. Drift of what Terraform manages also
#   shows in the plan, so M2B-B2 mostly blocks beside this code.
# custom:
#   code: M2B-B4
#   severity: S1
#   taxonomy: M2-B2
#   remediation: Apply the core stack again, so that it restores what drifted; or correct its configuration.
b4 contains check.pinned_as(switch, "it is pinned to true", true) if {
	some switch in data.contract.m2.core.switches
}

b4 contains check.exists(name, "the bucket can be reached", aws.bucket(name, "head", [])) if {
	some name in data.contract.m2.core.buckets
}

b4 contains claim if {
	some name in data.contract.m2.core.buckets
	some claim in bucket.posture(name)
}

b4 contains check.equals(
	data.contract.m2.core.kms_alias,
	claim,
	aws.key(data.contract.m2.core.kms_alias, "key", ["KeyMetadata", field]),
	expected,
) if {
	some claim, [field, expected] in {
		"the alias leads to an enabled key": ["Enabled", true],
		"the key is ready for use": ["KeyState", "Enabled"],
	}
}

b4 contains check.of({
	"subject": name,
	"claim": "the baseline policies are attached",
	"refs": [_attached(name), _inline(name)],
	"handles": array.concat([name], [part | some policy in policies; some part in handle.named_by(policy)]),
	"holds": count(_unattached(name, policies)) == 0,
	"expected": [handle.expand(policy) | some policy in policies],
	"actual": sprintf("not attached: %v", [concat(", ", _unattached(name, policies))]),
}) if {
	some name, policies in data.contract.m2.core.baseline_policies
}

b4 contains role.known(name) if some name, _ in data.contract.m2.core.baseline_policies

b4 contains tags.carried(name, aws.bucket(name, "tagging", ["Tags"])) if some name in data.contract.m2.core.buckets

b4 contains tags.carried(data.contract.m2.core.kms_alias, aws.key(data.contract.m2.core.kms_alias, "tags", ["Tags"]))

b4 contains tags.carried(name, aws.role(name, "role", ["Tags"])) if {
	some name, _ in data.contract.m2.core.baseline_policies
}

b4 contains tags.carried_in_inventory(name, kind) if some name, kind in data.contract.m2.core.tagged_network

b4 contains stack.settled(_stack)

_stack := "core"

_output(output) := stack.answer(_stack, "outputs", ["values", output, "value"])

_is_output(output, pinned) if {
	not _is_sensitive(output)
	check.same_elements(fact.value(_output(output)), pinned)
} else := false

_is_sensitive(output) if {
	fact.value(stack.answer(_stack, "outputs", ["values", output, "sensitive"])) == true
} else := false

_attached(name) := aws.role(name, "attached_policies", ["AttachedPolicies"])

_inline(name) := aws.role(name, "inline_policies", ["Policies"])

# The baseline policies that the role lacks. One that the contract names by ARN must be that very policy; one that it
# names by name may be attached or inline.
_unattached(name, policies) := [policy |
	some template in policies
	policy := handle.expand(template)
	policy != null
	not policy in _held(name)
]

_held(name) := {held |
	some policy in array.concat(fact.list(_attached(name)), fact.list(_inline(name)))
	is_object(policy)
	some key in ["PolicyArn", "PolicyName"]
	held := object.get(policy, key, null)
}
