package m2.j

import data.lib.aws
import data.lib.fact
import data.lib.moment
import data.lib.receipt
import data.lib.report

observations contains {
	"subject": lane,
	"message": sprintf("taken from the evidence pack %v", [fact.value(_evidence(lane, ["path"]))]),
	"facts": [fact.pointer(_evidence(lane, []))],
} if {
	some lane, _ in _rules
	_is_pack(lane)
}

observations contains {
	"subject": found.subject,
	"message": sprintf("%v is waived: %v", [code, found.claim]),
	"facts": found.facts,
} if {
	some rules in _rules
	some code, found_checks in rules
	some found in found_checks
	found.ok != true
	[code, found.subject] in report.waived
}

observations contains {
	"subject": kind,
	"message": sprintf("the approval does not open M3: %v", [_approval_fault(kind)]),
	"facts": [fact.pointer(_approval(kind, []))],
} if {
	some kind in data.contract.m2.rollup.approvals
	not _is_approved(kind)
}

artifacts := {
	"m2j_p0_rollup_matrix.json": report.artifact("M2.J", _rollup_matrix),
	"m2j_blocker_adjudication.json": report.artifact("M2.J", _adjudication),
	"m2j_managed_control_rail_snapshot.json": report.artifact("M2.J", _control_rails),
	"m2j_production_pattern_conformance_snapshot.json": report.artifact("M2.J", _production_pattern),
	"m2j_m3_entry_readiness_receipt.json": report.artifact("M2.J", _entry_readiness),
	"m2j_blocker_register.json": report.blocker_register("M2.J"),
	"m2j_execution_summary.json": report.execution_summary("M2.J"),
}

# This lane stands beside the nine that it rolls up: its own blockers are theirs, and those of the rollup itself.
_all_lanes := array.concat(sort([lane | some lane, _ in _rules]), ["M2.J"])

_rollup_matrix := {
	"p0": {"name": "SUBSTRATE_READY", "ready": _is_ready},
	"reasons": report.reasons,
	"lanes": {lane: _matrix_row(lane) | some lane in _all_lanes},
	"taxonomy": report.taxonomy(_all_lanes),
	"evidence": report.checks(b1),
	"derivation": report.checks(b8),
}

_matrix_row(lane) := {
	"title": object.get(report.verdict(lane), "title", null),
	"status": object.get(report.verdict(lane), "status", "BLOCKED"),
	"blocked_by": object.get(report.verdict(lane), "blocked_by", []),
	"next_gate": object.get(report.verdict(lane), "next_gate", "BLOCKED"),
	"blockers": report.blocking_codes(lane),
	"dod": object.get(report.verdict(lane), "definition_of_done", []),
	"evidence": {
		"status": fact.status(_evidence(lane, [])),
		"origin": _origin(lane),
		"phase_execution_id": fact.value(_evidence(lane, ["phase_execution_id"])),
		"generated_at_utc": _generated_at(lane),
		"path": fact.value(_evidence(lane, ["path"])),
		"manifest_digest": fact.value(_evidence(lane, ["manifest_digest"])),
	},
}

# Every blocker that was found, open or waived: none is downgraded, and none left out.
_adjudication := {
	"ready": _is_ready,
	"reasons": report.reasons,
	"open_count": count(_found_blockers(false)),
	"waived_count": count(_found_blockers(true)),
	"open_by_severity": {severity: count([blocker |
		some blocker in _found_blockers(false)
		object.get(blocker, "severity", null) == severity
	]) | some severity in ["S1", "S2"]},
	"open": _found_blockers(false),
	"waived": _found_blockers(true),
	"codes": report.checks(b2),
}

_found_blockers(is_waived) := [blocker |
	some lane in _all_lanes
	some blocker in object.get(report.verdict(lane), "blockers", [])
	(object.get(blocker, "waived", null) != null) == is_waived
]

_control_rails := {
	"runtime_path": {
		"handles": report.handles(array.concat(
			[name | some name, _ in data.contract.m2.rollup.runtime_path],
			[data.contract.m2.rollup.runtime_path_evidence.handle],
		)),
		"rollup": report.checks(b3),
		"lane": report.checks(_rules["M2.E"]["M2E-B5"]),
	},
	"ready_authority": {
		"rollup": report.checks(b4),
		"lane": report.checks(_rules["M2.D"]["M2D-B5"]),
	},
	"ingress_edge": {
		"handles": report.handles(array.concat(
			array.concat([name | some name, _ in _edge.modes], [name | some name, _ in _edge.throttling]),
			array.concat(_edge.environment, [
				_edge.timeout, _edge.api, _edge.stage, _edge.handler, _edge.table, _edge.ttl_field, _edge.dead_letter_queue,
			]),
		)),
		"readings": report.readings(_edge_refs),
		"rollup": report.checks(b5),
	},
	"correlation": {
		"rollup": report.checks(b6),
		"lane": report.checks(_rules["M2.H"]["M2H-B8"]),
	},
}

_production_pattern := {
	"handles": report.handles([name | some name, _ in _managed.pinned]),
	"cluster": report.reading(aws.cluster(data.contract.m2.streaming.cluster, "cluster", [])),
	"applications": {name: report.reading(_application(name)) | some name in data.contract.m2.flink.applications},
	"conformance": report.checks(b7),
}

# M3 is entered only with a passing rollup and with both approvals: P0 alone does not start it.
_entry_readiness := {
	"m3_entry_ready": _is_entry_ready,
	"substrate_ready": _is_ready,
	"reasons": report.reasons,
	"next_gate": _entry_gate,
	"approvals": {kind: object.union(report.reading(_approval(kind, [])), {
		"valid": _is_approved(kind),
		"fault": _approval_fault(kind),
	}) |
		some kind in data.contract.m2.rollup.approvals
	},
}

# What is open is not the gate of the lane, but the entry to what comes after it.
_entry_gate := object.get(report.verdict("M2.J"), "next_gate", "BLOCKED") if {
	_is_entry_ready
} else := "BLOCKED"

default _is_ready := false

_is_ready if {
	object.get(report.verdict("M2.J"), "status", null) == "PASS"
	report.reasons == []
}

default _is_entry_ready := false

_is_entry_ready if {
	_is_ready
	count(data.contract.m2.rollup.approvals) > 0
	count([kind | some kind in data.contract.m2.rollup.approvals; not _is_approved(kind)]) == 0
}

_approval(kind, field) := {"subject": kind, "at": ["approvals", kind], "field": field, "handles": []}

_is_approved(kind) if {
	_approval_fault(kind) == null
} else := false

# The file that was read is the one that the receipt names.
_is_on_record(digest) if {
	receipt.problems(digest) == set()
	fact.value(digest) in _recorded_digests(digest)
} else := false

# Why an approval does not count; null where it does.
_approval_fault(kind) := fact.outcome(_approval(kind, [])) if {
	fact.status(_approval(kind, [])) != "present"
} else := "it approves something else" if {
	fact.value(_approval(kind, ["kind"])) != kind
} else := "it does not say who gave it" if {
	not fact.is_text(fact.value(_approval(kind, ["approved_by"])))
} else := "its file is not on record" if {
	not _is_on_record(_approval(kind, ["digest"]))
} else := "it was given after the evidence of a lane" if {
	kind in data.contract.m2.rollup.approved_before_evidence
	some lane, _ in _rules
	_generated_at(lane) != null
	not moment.in_order([fact.value(_approval(kind, ["approved_at"])), _generated_at(lane)])
} else := "it is not in force at the time of this run" if {
	not moment.is_in_span(
		_collected_at,
		fact.value(_approval(kind, ["approved_at"])),
		fact.value(_approval(kind, ["expires_at"])),
	)
} else := null
