package m2.e

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.receipt
import data.lib.report
import data.lib.role
import data.lib.snapshot
import data.lib.stack

# METADATA
# title: Evidence of the runtime stack is missing or inconsistent
# description: |
#   An observation of this lane lacks the calls that it came from, a call ended otherwise than the observation says, what
#   Terraform said at one step contradicts another, or what the evidence shows beside it could not be read. A read behind a handle that is not pinned has no receipt, so
#   such a handle blocks here, too.
# custom:
#   code: M2E-B7
#   severity: S2
#   taxonomy: M2-B8
#   remediation: Collect again with the permissions named by the unreadable facts; never edit a fact document by hand.
b7 contains receipt.identifies("run")

b7 contains claim if some claim in stack.consistent(_stack)

b7 contains stack.reread(_stack)

b7 contains receipt.backs(ref) if some ref in _observed

# Nothing is judged by these; but a run that could not read them has not seen all of the lane.
b7 contains check.known(ref.subject, sprintf("its %v could be read", [replace(ref.at[4], "_", " ")]), ref) if {
	some ref in _shown
}

_shown := array.concat(
	[aws.function(_edge.function, aspect, []) | some aspect in ["policy", "event_invoke_config"]],
	[ref | some ref in [aws.eks_cluster(_eks.cluster, "nodegroups", [])]; _uses_cluster],
)

_observed := array.concat(
	[ref |
		some refs in [_stack_refs, _api_refs, [_function([])], _table_refs, _cluster_refs, _shown]
		some ref in refs
	],
	[ref | some name in _roles; some ref in role.refs(name)],
)

_roles := sort(_eks_roles | {name | some name, _ in data.contract.m2.runtime.roles})

_stack_refs := [stack.step(_stack, step, []) |
	some step in ["init", "validate", "plan", "apply", "post_apply_plan", "outputs", "state"]
]

_api_refs := [aws.api(_edge.api, aspect, []) | some aspect in ["api", "stages", "routes", "integrations"]]

_table_refs := [aws.table(_edge.table, aspect, []) | some aspect in ["table", "time_to_live"]]

_cluster_refs := [ref | some ref in [aws.eks_cluster(_eks.cluster, "cluster", [])]; _uses_cluster]

observations contains claim if some claim in snapshot.observations(_stack)

observations contains claim if some claim in snapshot.unsettled(_stack)

observations contains claim if {
	some claim in snapshot.differing_outputs(_stack, data.contract.m2.runtime.outputs)
}

artifacts := {
	"m2e_runtime_plan_snapshot.json": report.artifact("M2.E", snapshot.plan(_stack, b2)),
	"m2e_runtime_apply_snapshot.json": report.artifact("M2.E", snapshot.apply(_stack, b1)),
	"m2e_runtime_role_conformance_matrix.json": report.artifact("M2.E", _role_conformance),
	"m2e_api_edge_runtime_snapshot.json": report.artifact("M2.E", _api_edge),
	"m2e_runtime_path_governance_snapshot.json": report.artifact("M2.E", _path_governance),
	"m2e_blocker_register.json": report.blocker_register("M2.E"),
	"m2e_execution_summary.json": report.execution_summary("M2.E"),
}

_role_conformance := {
	"roles": {name: row |
		some name in _roles
		row := {
			"handle": report.handles([name])[name],
			"service": object.get(data.contract.m2.runtime.roles, name, null),
			"facts": report.readings(role.refs(name)),
			"conformance": report.checks({claim | some claim in b3 | b6; claim.subject == name}),
		}
	},
	"eks": {
		"handles": report.handles([_eks.use_policy, _eks.cluster, _eks.cluster_arn]),
		"uses_cluster": _uses_cluster,
		"facts": report.readings([aws.eks_cluster(_eks.cluster, "cluster", [])]),
		"conformance": report.checks(b6),
	},
}

_api_edge := {
	"handles": report.handles(array.concat(
		[
			_edge.mode.handle,
			_edge.api,
			_edge.api_name,
			_edge.stage,
			_edge.function,
			_edge.table,
			_edge.partition_key,
			_edge.ttl_field,
		],
		[name | some name, _ in _edge.routes],
	)),
	"api": report.readings(_api_refs),
	"function": report.readings([_function([])]),
	"table": report.readings(_table_refs),
	"conformance": report.checks(b4),
}

_path_governance := {
	"handles": report.handles(array.concat(
		[_path.evidence_pattern.handle],
		array.concat([name | some name, _ in _path.allowed], [other | some _, other in _path.same]),
	)),
	"contract": _path,
	"conformance": report.checks(b5),
}
