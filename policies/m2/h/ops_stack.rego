# METADATA
# title: Operations stack
# description: |
#   The `ops` stack is applied and settled; its role and its paths are there; the budget, its alerts, the alarms and the
#   dashboards tell somebody; what was spent is tied to an outcome; and requests that cannot be traced are refused.
# custom:
#   lane: M2.H
#   next: M2.I
#   upstream: [M2.G]
#   stacks: [ops]
#   definition_of_done:
#     - item: "`ops` plan/apply succeeds."
#       codes: [M2H-B1, M2H-B2, M2H-B3, M2H-B4, M2H-B5]
#     - item: budget/alarm/dashboard handles queryable.
#       codes: [M2H-B6]
#     - item: cost guardrail path contracts validated.
#       codes: [M2H-B6]
#     - item: correlation governance surfaces are validated.
#       codes: [M2H-B8]
#     - item: M2.H evidence snapshot committed.
#       codes: [M2H-B7]
#   artifacts:
#     - m2h_ops_output.json
#     - m2h_blocker_register.json
#     - m2h_execution_summary.json
#     - terraform_init.log
#     - terraform_validate.log
#     - terraform_plan.log
#     - terraform_apply.log
package m2.h

import data.lib.role
import data.lib.secret
import data.lib.stack

# METADATA
# title: Operations stack is a skeleton
# description: The state of the `ops` stack holds no managed resource, or no output.
# custom:
#   code: M2H-B1
#   severity: S1
#   taxonomy: M2-B2
#   remediation: Write the stack's resources and outputs and apply it.
b1 contains claim if some claim in stack.materialized(_stack)

# METADATA
# title: Operations stack does not initialise, validate, plan, apply or output
# description: |
#   A receipt of init, validate, plan or output is missing or non-zero (plan may end with 0 or 2), or the plan shows
#   changes that no successful apply of that very plan follows. A read-only run whose plan is clean needs no apply.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/cli/commands/plan#detailed-exitcode
# custom:
#   code: M2H-B2
#   severity: S1
#   taxonomy: M2-B2
#   remediation: >-
#     Read the log of the failed command in the evidence. If the plan shows changes, review them and run the gate with
#     `--terraform apply`, or undo the drift by hand.
b2 contains claim if some claim in stack.commands(_stack)

# METADATA
# title: Role of Airflow unresolved
# description: |
#   `ROLE_MWAA_EXECUTION` is not pinned, not what the stack outputs, not known to AWS, or trusts others than Airflow's own
#   two services.
# custom:
#   code: M2H-B3
#   severity: S1
#   taxonomy: M2-B3
#   remediation: Apply the ops stack and pin the handle to its output; narrow the role's trust policy.
b3 contains stack.outputs_handle(_stack, _ops.role.handle, _ops.role.output)

b3 contains role.known(_ops.role.handle)

b3 contains role.trusts(_ops.role.handle, _ops.role.trusted)

# METADATA
# title: Path of the operations stack absent or unreadable
# description: No parameter is at a path of Airflow, Aurora or Redis, or its description cannot be read.
# custom:
#   code: M2H-B4
#   severity: S1
#   taxonomy: M2-B4
#   remediation: Apply the ops stack, which owns these parameters, or correct the handle.
b4 contains secret.there(name) if some name in _ops.paths

# METADATA
# title: Operations stack not settled
# description: |
#   The last plan still shows changes: the one after the apply, or the first where nothing was applied.
# custom:
#   code: M2H-B5
#   severity: S1
#   taxonomy: M2-B2
#   remediation: Apply the ops stack again; a plan that never settles has a resource that something else changes.
b5 contains stack.settled(_stack)

_stack := "ops"

_ops := data.contract.m2.ops
