# METADATA
# title: Runtime stack, roles and edge
# description: |
#   The `runtime` stack is applied; its roles trust their own service only and may not do everything; the ingress edge
#   is the managed one and whole; a phase runs on one pinned path; and EKS is there as far as it is used.
# custom:
#   lane: M2.E
#   next: M2.F
#   upstream: [M2.D]
#   stacks: [runtime]
#   definition_of_done:
#     - item: "`runtime` plan/apply succeeds."
#       codes: [M2E-B1, M2E-B2]
#     - item: required role handles are materialized or explicit blockers raised.
#       codes: [M2E-B3, M2E-B6]
#     - item: managed runtime identity baseline checks pass (API edge + selective EKS).
#       codes: [M2E-B4, M2E-B6]
#     - item: runtime-path governance handles are materialized and conformance-checked.
#       codes: [M2E-B5]
#     - item: M2.E evidence snapshot committed.
#       codes: [M2E-B7]
#   artifacts:
#     - m2e_runtime_plan_snapshot.json
#     - m2e_runtime_apply_snapshot.json
#     - m2e_runtime_role_conformance_matrix.json
#     - m2e_api_edge_runtime_snapshot.json
#     - m2e_runtime_path_governance_snapshot.json
#     - m2e_blocker_register.json
#     - m2e_execution_summary.json
package m2.e

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.iam
import data.lib.role
import data.lib.stack

# METADATA
# title: Runtime stack is a skeleton
# description: The state of the `runtime` stack holds no managed resource, or no output.
# custom:
#   code: M2E-B1
#   severity: S1
#   taxonomy: M2-B2
#   remediation: Write the stack's resources and outputs and apply it.
b1 contains claim if some claim in stack.materialized(_stack)

# METADATA
# title: Runtime stack does not initialise, validate, plan, apply or output
# description: |
#   A receipt of init, validate, plan or output is missing or non-zero (plan may end with 0 or 2), or the plan shows
#   changes that no successful apply of that very plan follows. A read-only run whose plan is clean needs no apply.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/cli/commands/plan#detailed-exitcode
# custom:
#   code: M2E-B2
#   severity: S1
#   taxonomy: M2-B2
#   remediation: >-
#     Read the log of the failed command in the fact document. If the plan shows changes, review them and run the gate
#     with `--terraform apply`, or undo the drift by hand.
b2 contains claim if some claim in stack.commands(_stack)

# METADATA
# title: Runtime role not as pinned
# description: |
#   A role that the runtime stands on is not pinned or not there, trusts another than its own service, or has a
#   statement that allows everything on everything. A condition in the trust policy only narrows it; a statement that
#   allows all but a few things counts as one that allows everything.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
# custom:
#   code: M2E-B3
#   severity: S1
#   taxonomy: M2-B3
#   remediation: >-
#     Pin the handle to the runtime stack's output; let the role's trust policy name its one service, and its policies
#     the actions and resources that it needs.
b3 contains check.equals_handle(name, "AWS knows the role", aws.role(name, "role", ["Arn"]), name) if {
	some name, _ in data.contract.m2.runtime.roles
}

b3 contains check.of({
	"subject": name,
	"claim": "it trusts its own service and nobody else",
	"refs": [_trust(name)],
	"handles": [],
	"holds": trusted == [sprintf("Service %v", [service])],
	"expected": [sprintf("Service %v", [service])],
	"actual": trusted,
}) if {
	some name, service in data.contract.m2.runtime.roles
	trusted := iam.trusted(fact.value(_trust(name)))
}

b3 contains check.of({
	"subject": name,
	"claim": "no statement allows everything on everything",
	"refs": [role.attached(name), role.inline(name)],
	"handles": [],
	"holds": count(boundless) + count(opaque) == 0,
	"expected": {"boundless": [], "not understood": 0},
	"actual": {"boundless": boundless, "not understood": count(opaque)},
}) if {
	some name, _ in data.contract.m2.runtime.roles
	boundless := iam.boundless(role.documents(name))
	opaque := iam.opaque(role.documents(name))
}

# METADATA
# title: EKS roles or cluster not as pinned
# description: |
#   A `ROLE_EKS_*` handle of the registry is not pinned, or AWS knows no such role; or the cluster is not active, or has
#   another ARN than the pinned one, where `RUNTIME_EKS_USE_POLICY` needs it. A name that the registry only mentions is
#   no handle.
# custom:
#   code: M2E-B6
#   severity: S1
#   taxonomy: M2-B3
#   remediation: >-
#     Pin the handle to what the core or the runtime stack outputs, and apply that stack; or pin
#     `RUNTIME_EKS_USE_POLICY` to a policy that uses no cluster.
b6 contains check.equals_handle(name, "AWS knows the role", aws.role(name, "role", ["Arn"]), name) if {
	some name in _eks_roles
}

b6 contains check.of({
	"subject": _eks.cluster,
	"claim": "the cluster is active, where it is used",
	"refs": [ref | some ref in [_cluster("status")]; _uses_cluster],
	"handles": [_eks.use_policy],
	"holds": _holds_where_used(check.same(fact.value(_cluster("status")), _eks.cluster_status)),
	"expected": _eks.cluster_status,
	"actual": fact.value(_cluster("status")),
})

b6 contains check.of({
	"subject": _eks.cluster_arn,
	"claim": "the cluster has the ARN, where it is used",
	"refs": [ref | some ref in [_cluster("arn")]; _uses_cluster],
	"handles": [name | some name in [_eks.use_policy, _eks.cluster_arn]; _is_asked_for(name)],
	"holds": _holds_where_used(check.same(fact.value(_cluster("arn")), handle.value(_eks.cluster_arn))),
	"expected": handle.value(_eks.cluster_arn),
	"actual": fact.value(_cluster("arn")),
})

_stack := "runtime"

_trust(name) := aws.role(name, "role", ["AssumeRolePolicyDocument"])

_eks := data.contract.m2.runtime.eks

_eks_roles := {name | some name in _eks.roles} | {name |
	some name in handle.mentioned(_eks.role_prefix)
	handle.raw(name) != null
}

_cluster(field) := aws.eks_cluster(_eks.cluster, "cluster", ["cluster", field])

# A policy that the contract does not know may need anything.
default _uses_cluster := true

_uses_cluster := false if handle.value(_eks.use_policy) in _eks.policies_without_cluster

_holds_where_used(holds) := true if {
	not _uses_cluster
} else := holds

_is_asked_for(name) if name == _eks.use_policy

_is_asked_for(name) if {
	name == _eks.cluster_arn
	_uses_cluster
}
