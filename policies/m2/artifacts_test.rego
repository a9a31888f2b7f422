package m2_test

import data.lib.fixture_test as fixture

_found := [
	{"subject": "y", "claim": "c", "ok": true, "facts": ["/aws/y"], "actual": 1},
	{"subject": "x", "claim": "d", "ok": false, "facts": ["/aws/x"], "actual": null},
	{"subject": "x", "claim": "c", "ok": false, "facts": ["/receipts/x"], "actual": ["none"]},
]

_factgate := {
	"tool": {"name": "factgate", "version": "0.1.0"},
	"policies_digest": "sha256:33",
	"verdict": {"lanes": {"M2.A": {
		"lane": "M2.A",
		"status": "BLOCKED",
		"blocked_by": [],
		"next_gate": "BLOCKED",
		"phase_execution_id": "m2a_20260222T204011Z",
		"codes": [{"code": "M2A-B1", "title": "t", "checks": _found}],
		"blockers": [
			{"code": "M2A-B2", "subject": "x", "taxonomy": "M2-B1"},
			{"code": "M2A-B1", "subject": "x", "taxonomy": "M2-B1"},
			{"code": "M2A-B1", "subject": "y", "taxonomy": "M2-B1"},
			{"code": "M2A-B5", "subject": "z", "taxonomy": "M2-B8", "waived": {"owner": "o", "reason": "r"}},
		],
		"observations": [{"subject": "run", "message": "m", "facts": []}],
		"definition_of_done": [{"item": "i", "done": false, "codes": ["M2A-B1"]}],
	}}},
}

_names := {
	"a": {
		"m2a_backend_conformance_snapshot.json",
		"m2a_stack_backend_matrix.json",
		"m2a_blocker_register.json",
		"m2a_execution_summary.json",
	},
	"b": {
		"m2b_core_plan_snapshot.json",
		"m2b_core_apply_snapshot.json",
		"m2b_core_output_handle_matrix.json",
		"m2b_core_policy_tag_conformance.json",
		"m2b_post_apply_stability_check.json",
		"m2b_blocker_register.json",
		"m2b_execution_summary.json",
	},
	"c": {
		"m2c_streaming_plan_snapshot.json",
		"m2c_streaming_apply_snapshot.json",
		"m2c_msk_identity_snapshot.json",
		"m2c_schema_registry_snapshot.json",
		"m2c_stream_lane_contract_snapshot.json",
		"m2c_blocker_register.json",
		"m2c_execution_summary.json",
	},
	"d": {
		"m2d_topic_surface_matrix.json",
		"m2d_schema_registry_snapshot.json",
		"m2d_lane_binding_matrix.json",
		"m2d_sr_commit_authority_snapshot.json",
		"m2d_blocker_register.json",
		"m2d_execution_summary.json",
	},
	"e": {
		"m2e_runtime_plan_snapshot.json",
		"m2e_runtime_apply_snapshot.json",
		"m2e_runtime_role_conformance_matrix.json",
		"m2e_api_edge_runtime_snapshot.json",
		"m2e_runtime_path_governance_snapshot.json",
		"m2e_blocker_register.json",
		"m2e_execution_summary.json",
	},
	"f": {
		"m2f_secret_inventory_snapshot.json",
		"m2f_secret_materialization_snapshot.json",
		"m2f_secret_role_readability_matrix.json",
		"m2f_plaintext_leakage_scan.json",
		"m2f_ig_secret_contract_snapshot.json",
		"m2f_blocker_register.json",
		"m2f_execution_summary.json",
	},
	"g": {
		"m2g_data_ml_output.json",
		"m2g_blocker_register.json",
		"m2g_execution_summary.json",
		"terraform_init.log",
		"terraform_validate.log",
		"terraform_plan.log",
		"terraform_apply.log",
	},
	"h": {
		"m2h_ops_output.json",
		"m2h_blocker_register.json",
		"m2h_execution_summary.json",
		"terraform_init.log",
		"terraform_validate.log",
		"terraform_plan.log",
		"terraform_apply.log",
	},
	"i": {
		"m2i_rehearsal_scope_snapshot.json",
		"m2i_destroy_apply_receipts.json",
		"m2i_recover_apply_receipts.json",
		"m2i_post_recovery_integrity_snapshot.json",
		"m2i_residual_scan_snapshot.json",
		"m2i_cost_posture_snapshot.json",
		"m2i_blocker_register.json",
		"m2i_execution_summary.json",
	},
	"j": {
		"m2j_p0_rollup_matrix.json",
		"m2j_blocker_adjudication.json",
		"m2j_managed_control_rail_snapshot.json",
		"m2j_production_pattern_conformance_snapshot.json",
		"m2j_m3_entry_readiness_receipt.json",
		"m2j_blocker_register.json",
		"m2j_execution_summary.json",
	},
}

_artifacts(document) := found if {
	found := {
		"a": data.m2.a.artifacts,
		"b": data.m2.b.artifacts,
		"c": data.m2.c.artifacts,
		"d": data.m2.d.artifacts,
		"e": data.m2.e.artifacts,
		"f": data.m2.f.artifacts,
		"g": data.m2.g.artifacts,
		"h": data.m2.h.artifacts,
		"i": data.m2.i.artifacts,
		"j": data.m2.j.artifacts,
	} with input as document
		with data.factgate as _factgate
}

test_every_lane_writes_exactly_its_artifacts if {
	{lane: object.keys(bodies) | some lane, bodies in _artifacts(_ready)} == _names
}

test_artifacts_need_no_fact if {
	{lane: object.keys(bodies) | some lane, bodies in _artifacts({})} == _names
}

test_every_artifact_says_where_it_comes_from if {
	heads := {head |
		some bodies in _artifacts(_ready)
		some body in bodies
		head := [body.facts_digest, body.policies_digest, body.generated_at_utc, body.tool]
	}
	heads == {["sha256:11", "sha256:33", "2026-02-22T20:40:11Z", {"name": "factgate", "version": "0.1.0"}]}
}

test_summary_is_what_the_evaluator_computed if {
	summary := _artifacts(_ready).a["m2a_execution_summary.json"]
	object.filter(summary, _summary_fields) == {
		"lane": "M2.A",
		"phase_execution_id": "m2a_20260222T204011Z",
		"generated_at_utc": "2026-02-22T20:40:11Z",
		"overall_pass": false,
		"blockers": ["M2A-B1", "M2A-B2"],
		"blocker_count": 2,
		"failed_check_count": 4,
		"check_count": 3,
		"next_gate": "BLOCKED",
		"checks": [
			["M2A-B1", "x", "c", false, null],
			["M2A-B1", "x", "d", false, null],
			["M2A-B1", "y", "c", true, 1],
		],
		"taxonomy": object.union(_no_blockers, {"M2-B1": ["M2A-B1", "M2A-B2"]}),
		"dod": [{"item": "i", "done": false, "codes": ["M2A-B1"]}],
		"facts_digest": "sha256:11",
		"policies_digest": "sha256:33",
		"tool": {"name": "factgate", "version": "0.1.0"},
	}
}

_no_blockers := {class: [] | some class in data.contract.m2.rollup.taxonomy}

_summary_fields := {
	"lane", "phase_execution_id", "generated_at_utc", "overall_pass", "blockers", "blocker_count", "failed_check_count",
	"check_count", "next_gate", "checks", "taxonomy", "dod", "facts_digest", "policies_digest", "tool",
}

test_register_holds_the_evaluators_blockers if {
	register := _artifacts(_ready).a["m2a_blocker_register.json"]
	register.blockers == _factgate.verdict.lanes["M2.A"].blockers
	register.blocker_count == 2
}

test_a_lane_without_a_verdict_has_not_passed if {
	summary := _artifacts(_ready).b["m2b_execution_summary.json"]
	[summary.overall_pass, summary.next_gate] == [false, "BLOCKED"]
}

test_snapshots_name_the_receipts_of_their_facts if {
	snapshot := _artifacts(_ready).a["m2a_backend_conformance_snapshot.json"]
	snapshot.bucket.versioning == {
		"fact": "/aws/s3/buckets/state/versioning/value",
		"status": "present",
		"value": {"Status": "Enabled"},
		"receipts": {"s3.GetBucketVersioning/state": _ready.receipts["s3.GetBucketVersioning/state"]},
	}
}

test_snapshots_leave_logs_to_the_fact_document if {
	snapshot := _artifacts(_ready).b["m2b_core_plan_snapshot.json"]
	init := snapshot.commands.init.value
	init.exit_code == 0
	not "log" in object.keys(init)
}

test_output_matrix_maps_outputs_to_handles_and_consumers if {
	document := fixture.put(
		_ready,
		["terraform", "stacks", "core", "outputs", "value", "values", "vpc_id"],
		{"value": "vpc-1", "sensitive": false},
	)
	matrix := _artifacts(document).b["m2b_core_output_handle_matrix.json"]
	matrix.other_outputs == ["vpc_id"]
	row := matrix.outputs.MSK_SECURITY_GROUP_ID
	object.remove(row, ["conformance"]) == {
		"output": "msk_security_group_id",
		"output_value": "sg-1",
		"sensitive": false,
		"handle_value": "sg-1",
		"consumers": ["M2.C"],
		"fact": "/terraform/stacks/core/outputs/value/values/msk_security_group_id/value",
	}
	row.conformance.conforms
}

test_stability_check_names_the_plan_that_stands if {
	check := _artifacts(_ready).b["m2b_post_apply_stability_check.json"]
	check.standing_plan == "plan"
	check.stability.conforms
}

test_binding_matrix_shows_who_owns_a_topic_and_where_open_roles_are_made if {
	document := fixture.pinned(_ready, "ROLE_FLINK_EXECUTION", "TO_PIN")
	matrix := _artifacts(document).d["m2d_lane_binding_matrix.json"]
	row := matrix.bindings.FP_BUS_RTDL_V1
	[row.topic, row.routed, row.rows[0].owner] == ["fp.bus.rtdl.v1", ["ROLE_FLINK_EXECUTION"], "ROLE_FLINK_EXECUTION"]
	row.conformance.conforms
	matrix.roles.ROLE_FLINK_EXECUTION.value == "TO_PIN"
}

test_topic_matrix_shows_names_and_reachability if {
	document := fixture.pinned(_ready, "FP_BUS_EXTRA_V1", "fp.bus.extra.v1")
	matrix := _artifacts(document).d["m2d_topic_surface_matrix.json"]
	matrix.topics.FP_BUS_AUDIT_V1.name == "fp.bus.audit.v1"
	matrix.topics.FP_BUS_AUDIT_V1.conformance.conforms
	matrix.reachability.conforms
	matrix.probe.policy == "NOT_REQUIRED_AT_M2D"
	matrix.other_topics == {"FP_BUS_EXTRA_V1": "fp.bus.extra.v1"}
}

test_commit_authority_names_the_state_machine_that_was_read if {
	snapshot := _artifacts(_ready).d["m2d_sr_commit_authority_snapshot.json"]
	snapshot.state_machine.state_machine.value.status == "ACTIVE"
	snapshot.handles.SR_READY_COMMIT_STATE_MACHINE.value == "run-orchestrator"
	snapshot.conformance.conforms
}

test_role_matrix_sets_every_role_against_its_service if {
	matrix := _artifacts(_ready).e["m2e_runtime_role_conformance_matrix.json"]
	{name: row.service | some name, row in matrix.roles} == object.union(
		data.contract.m2.runtime.roles,
		{"ROLE_EKS_NODEGROUP_DEV_FULL": null, "ROLE_EKS_RUNTIME_PLATFORM_BASE": null},
	)
	every row in matrix.roles {
		row.conformance.conforms
		row.facts.role.status == "present"
	}
	matrix.eks.uses_cluster
	matrix.eks.conformance.conforms
}

test_edge_and_path_snapshots_show_what_was_judged if {
	edge := _artifacts(_ready).e["m2e_api_edge_runtime_snapshot.json"]
	edge.api.routes.value.items[0].routeKey == "POST /ingest/push"
	edge["function"].configuration.value.State == "Active"
	edge.table.time_to_live.status == "present"
	edge.conformance.conforms
	governance := _artifacts(_ready).e["m2e_runtime_path_governance_snapshot.json"]
	governance.handles.IG_EDGE_MODE.value == "apigw_lambda_ddb"
	governance.conformance.conforms
}

test_logs_are_text_as_it_was_written if {
	document := fixture.put(_ready, ["terraform", "stacks", "ops", "init", "value", "log"], "Initialized!\n")
	found := _artifacts(document)
	logs := [body | some lane in ["g", "h"]; some name, body in found[lane]; endswith(name, ".log")]
	count(logs) == 8
	every log in logs {
		is_string(log)
	}
	contains(found.h["terraform_init.log"], "Initialized!")
}

test_secret_snapshots_show_what_was_judged if {
	found := _artifacts(_ready).f
	row := found["m2f_secret_role_readability_matrix.json"].roles.ROLE_LAMBDA_IG_EXECUTION
	[row.must_read, row.decisions.SSM_IG_API_KEY_PATH["ssm:GetParameter"], row.conformance.conforms] == [
		["SSM_IG_API_KEY_PATH"],
		"allowed",
		true,
	]
	found["m2f_secret_materialization_snapshot.json"].parameters.SSM_IG_API_KEY_PATH.must_be_encrypted
	found["m2f_plaintext_leakage_scan.json"].conformance.conforms
	found["m2f_secret_inventory_snapshot.json"].unnamed == []
}

test_the_operations_snapshot_keeps_no_address if {
	output := _artifacts(_ready).h["m2h_ops_output.json"]
	output.guardrails.conformance.conforms
	output.correlation.conformance.conforms
	handles := output.guardrails.handles
	not "AWS_BUDGET_NOTIFICATION_EMAIL" in object.keys(handles)
}
