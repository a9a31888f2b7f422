# METADATA
# title: Data and ML stack
# description: |
#   The `data_ml` stack is applied and settled; its roles are there and trust whom they should; the paths to Databricks,
#   MLflow and SageMaker lead somewhere; and nothing that costs money runs without being asked for.
# custom:
#   lane: M2.G
#   next: M2.H
#   upstream: [M2.E]
#   stacks: [data_ml]
#   definition_of_done:
#     - item: "`data_ml` plan/apply succeeds."
#       codes: [M2G-B1, M2G-B2]
#     - item: required data_ml handles materialized or explicit blockers raised.
#       codes: [M2G-B1, M2G-B3, M2G-B4]
#     - item: default cost-safe posture checks pass.
#       codes: [M2G-B5]
#     - item: M2.G evidence snapshot committed.
#       codes: [M2G-B6]
#   artifacts:
#     - m2g_data_ml_output.json
#     - m2g_blocker_register.json
#     - m2g_execution_summary.json
#     - terraform_init.log
#     - terraform_validate.log
#     - terraform_plan.log
#     - terraform_apply.log
package m2.g

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.iam
import data.lib.role
import data.lib.secret
import data.lib.stack

# METADATA
# title: Data and ML stack is a skeleton
# description: |
#   The state of the `data_ml` stack holds no managed resource, or no output, or lacks an output that a handle is pinned
#   from.
# custom:
#   code: M2G-B1
#   severity: S1
#   taxonomy: M2-B2
#   remediation: Write the stack's resources and outputs and apply it.
b1 contains claim if some claim in stack.materialized(_stack)

b1 contains stack.outputs_handle(_stack, name, output) if some name, output in _data_ml.outputs

# METADATA
# title: Data and ML stack does not initialise, validate, plan, apply or output
# description: |
#   A receipt of init, validate, plan or output is missing or non-zero (plan may end with 0 or 2), or the plan shows
#   changes that no successful apply of that very plan follows. A read-only run whose plan is clean needs no apply.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/cli/commands/plan#detailed-exitcode
# custom:
#   code: M2G-B2
#   severity: S1
#   taxonomy: M2-B2
#   remediation: >-
#     Read the log of the failed command in the evidence. If the plan shows changes, review them and run the gate with
#     `--terraform apply`, or undo the drift by hand.
b2 contains claim if some claim in stack.commands(_stack)

# METADATA
# title: Role of the data and ML stack unresolved
# description: |
#   `ROLE_SAGEMAKER_EXECUTION` or `ROLE_DATABRICKS_CROSS_ACCOUNT_ACCESS` is not pinned, not what the stack outputs, or not
#   known to AWS; the first trusts another than SageMaker, or the second lets in more than one account, or without an
#   external id.
# related_resources:
#   - ref: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
# custom:
#   code: M2G-B3
#   severity: S1
#   taxonomy: M2-B3
#   remediation: Apply the data_ml stack and pin the handle to its output; narrow the role's trust policy.
b3 contains stack.outputs_handle(_stack, name, output) if some name, output in _data_ml.roles

b3 contains role.known(name) if some name, _ in _data_ml.roles

b3 contains role.trusts(_data_ml.service_role.handle, _data_ml.service_role.trusted)

b3 contains check.of({
	"subject": _data_ml.cross_account_role,
	"claim": "it trusts one account, and only under an external id",
	"refs": [role.trust(_data_ml.cross_account_role)],
	"handles": [],
	"holds": _is_narrow,
	"expected": "the principals of one account, and an sts:ExternalId in every statement",
	"actual": {"trusted": _trusted, "statements without an external id": count(_unconditional)},
})

# METADATA
# title: Path of the data and ML stack absent or unreadable
# description: No parameter is at a path of Databricks, MLflow or SageMaker, or its description cannot be read.
# custom:
#   code: M2G-B4
#   severity: S1
#   taxonomy: M2-B4
#   remediation: Apply the data_ml stack, which owns these parameters, or correct the handle.
b4 contains secret.there(name) if some name in _data_ml.paths

# METADATA
# title: Stack not settled, or compute is on by default
# description: |
#   The last plan still shows changes; more SageMaker endpoints are live than `SM_ENDPOINT_COUNT_V0`, or another than
#   `SM_ENDPOINT_NAME`, anywhere in the account's region; `DBX_COMPUTE_POLICY` is not job clusters only; or
#   `DBX_AUTO_TERMINATE_MINUTES` does not end idle clusters in time. An endpoint counts until it is being deleted.
# custom:
#   code: M2G-B5
#   severity: S1
#   taxonomy: M2-B2
#   remediation: Apply the stack again; delete the endpoints that nobody asked for; pin the Databricks handles.
b5 contains stack.settled(_stack)

b5 contains check.of({
	"subject": _data_ml.endpoint_limit,
	"claim": "no more endpoints are live",
	"refs": [_endpoints],
	"handles": [_data_ml.endpoint_limit],
	"holds": _is_within(_live, handle.value(_data_ml.endpoint_limit)),
	"expected": handle.value(_data_ml.endpoint_limit),
	"actual": _live,
})

b5 contains check.of({
	"subject": _data_ml.endpoint,
	"claim": "no other endpoint is live",
	"refs": [_endpoints],
	"handles": [],
	"holds": check.same(_others, []),
	"expected": [],
	"actual": _others,
})

b5 contains check.pinned_as(
	_data_ml.compute_policy.handle,
	"it is pinned to job clusters only",
	_data_ml.compute_policy.value,
)

b5 contains check.of({
	"subject": _data_ml.auto_terminate.handle,
	"claim": "idle clusters end in time",
	"refs": [],
	"handles": [_data_ml.auto_terminate.handle],
	"holds": _is_in_time(handle.value(_data_ml.auto_terminate.handle)),
	"expected": sprintf("a whole number from 1 to %v", [_data_ml.auto_terminate.maximum]),
	"actual": handle.value(_data_ml.auto_terminate.handle),
})

_stack := "data_ml"

_data_ml := data.contract.m2.data_ml

_trust_policy := fact.value(role.trust(_data_ml.cross_account_role))

_trusted := iam.trusted(_trust_policy)

default _is_narrow := false

_is_narrow if {
	accounts := [_account(principal) | some principal in _trusted]
	count({account | some account in accounts}) == 1
	not null in accounts
	count(_unconditional) == 0
}

# Who is an AWS principal, by the account that it belongs to; null for everybody else.
_account(principal) := regex.find_n(`[0-9]{12}`, principal, 1)[0] if {
	regex.match(`^AWS ([0-9]{12}|arn:aws:iam::[0-9]{12}:(root|(role|user)/[^*?]+))$`, principal)
} else := null

_unconditional := [statement |
	some statement in _statements
	external_id := object.get(statement, ["Condition", "StringEquals", "sts:ExternalId"], "")
	external_id in {"", null, []}
]

_statements := statements if {
	statements := object.get(_document, "Statement", [])
	is_array(statements)
} else := [object.get(_document, "Statement", null)]

_document := _trust_policy if {
	is_object(_trust_policy)
} else := {}

_endpoints := aws.endpoint(_data_ml.endpoint, "live", ["Endpoints"])

# The names of the endpoints that live; null where there is no list of them.
_live := sort([object.get(fact.members(endpoint), "EndpointName", null) |
	some endpoint in fact.value(_endpoints)
	not object.get(fact.members(endpoint), "EndpointStatus", null) in _data_ml.gone_statuses
]) if {
	is_array(fact.value(_endpoints))
} else := null

_others := [name | some name in _live; name != handle.value(_data_ml.endpoint)] if {
	is_array(_live)
} else := null

_is_within(found, limit) if {
	is_array(found)
	is_number(limit)
	floor(limit) == limit
	count(found) <= limit
} else := false

_is_in_time(minutes) if {
	is_number(minutes)
	floor(minutes) == minutes
	minutes >= 1
	minutes <= _data_ml.auto_terminate.maximum
} else := false
