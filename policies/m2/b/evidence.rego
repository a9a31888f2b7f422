package m2.b

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.receipt
import data.lib.report
import data.lib.snapshot
import data.lib.stack

# METADATA
# title: Evidence of the core stack is missing or inconsistent
# description: |
#   An observation of this lane lacks the calls that it came from, a call ended otherwise than the observation says,
#   what Terraform said at one step contradicts another, or a read that only the evidence needs could not be made. A
#   read behind a handle that is not pinned has no receipt, so such a handle blocks here, too.
# custom:
#   code: M2B-B5
#   severity: S2
#   taxonomy: M2-B8
#   remediation: Collect again with the permissions named by the unreadable facts; never edit a fact document by hand.
b5 contains receipt.identifies("run")

b5 contains claim if some claim in stack.consistent(_stack)

b5 contains receipt.backs(ref) if some ref in _observed

b5 contains check.known(name, "the bucket's region can be read", aws.bucket(name, "location", [])) if {
	some name in data.contract.m2.core.buckets
}

b5 contains check.known(
	data.contract.m2.core.kms_alias,
	"the key's rotation can be read",
	aws.key(data.contract.m2.core.kms_alias, "rotation", []),
)

_observed := array.concat(
	array.concat(_stack_refs, [ref | some name in data.contract.m2.core.buckets; some ref in _bucket_refs(name)]),
	array.concat(
		array.concat(_key_refs, [aws.inventory([])]),
		[ref | some name, _ in data.contract.m2.core.baseline_policies; some ref in _role_refs(name)],
	),
)

_stack_refs := [stack.step(_stack, step, []) | some step in array.concat(_planning, _applying)]

_planning := ["init", "validate", "plan"]

_applying := ["apply", "post_apply_plan", "outputs", "state"]

_bucket_refs(name) := [aws.bucket(name, aspect, []) |
	some aspect in ["head", "location", "encryption", "versioning", "public_access_block", "tagging"]
]

_key_refs := [aws.key(data.contract.m2.core.kms_alias, aspect, []) | some aspect in ["key", "rotation", "tags"]]

_role_refs(name) := [aws.role(name, aspect, []) | some aspect in ["role", "attached_policies", "inline_policies"]]

observations contains claim if some claim in snapshot.observations(_stack)

observations contains {
	"subject": data.contract.m2.core.kms_alias,
	"message": "automatic rotation of the key is off",
	"facts": [fact.pointer(ref)],
} if {
	ref := aws.key(data.contract.m2.core.kms_alias, "rotation", ["KeyRotationEnabled"])
	fact.value(ref) == false
}

artifacts := {
	"m2b_core_plan_snapshot.json": report.artifact("M2.B", snapshot.plan(_stack, b2)),
	"m2b_core_apply_snapshot.json": report.artifact("M2.B", snapshot.apply(_stack, b1)),
	"m2b_core_output_handle_matrix.json": report.artifact("M2.B", _output_matrix),
	"m2b_core_policy_tag_conformance.json": report.artifact("M2.B", _conformance),
	"m2b_post_apply_stability_check.json": report.artifact("M2.B", _stability),
	"m2b_blocker_register.json": report.blocker_register("M2.B"),
	"m2b_execution_summary.json": report.execution_summary("M2.B"),
}

_output_matrix := {
	"outputs": {name: row |
		some name, output in data.contract.m2.core.outputs
		row := {
			"output": output,
			"output_value": fact.value(_output(output)),
			"sensitive": fact.value(stack.answer(_stack, "outputs", ["values", output, "sensitive"])),
			"handle_value": handle.value(name),
			"consumers": object.get(data.contract.m2.core.consumers, name, []),
			"fact": fact.pointer(_output(output)),
			"conformance": report.checks({claim | some claim in b3; claim.subject == name}),
		}
	},
	"other_outputs": sort(object.keys(_output_values) - {output | some output in data.contract.m2.core.outputs}),
	"receipts": receipt.recorded(stack.step(_stack, "outputs", [])),
}

default _output_values := {}

_output_values := values if {
	values := fact.value(stack.answer(_stack, "outputs", ["values"]))
	is_object(values)
}

_conformance := {
	"buckets": {name: report.readings(_bucket_refs(name)) | some name in data.contract.m2.core.buckets},
	"kms": report.readings(_key_refs),
	"roles": {name: report.readings(_role_refs(name)) | some name, _ in data.contract.m2.core.baseline_policies},
	"inventory": report.reading(aws.inventory([])),
	"tags": report.handles(data.contract.m2.tags),
	"baseline_policies": data.contract.m2.core.baseline_policies,
	"conformance": report.checks({claim | some claim in b4; claim.subject != _stack}),
}

_stability := {
	"standing_plan": stack.last_plan(_stack),
	"plan": report.reading(stack.step(_stack, "plan", [])),
	"apply": report.reading(stack.step(_stack, "apply", [])),
	"post_apply_plan": report.reading(stack.step(_stack, "post_apply_plan", [])),
	"stability": report.checks({stack.settled(_stack)}),
}
