# METADATA
# title: P0 rollup
# description: |
#   `P0 SUBSTRATE_READY`: the evidence of all nine lanes is there, fresh and still true, nothing is open in any of them,
#   the control rails of the managed-first platform are proven, and so M3 can be entered.
# custom:
#   lane: M2.J
#   upstream: [M2.A, M2.B, M2.C, M2.D, M2.E, M2.F, M2.G, M2.H, M2.I]
#   definition_of_done:
#     - item: P0 rollup matrix complete.
#       codes: [M2J-B1, M2J-B8]
#     - item: blocker register shows no unresolved `S1/S2`.
#       codes: [M2J-B2]
#     - item: managed-first control-rail readiness is explicit and green.
#       codes: [M2J-B3, M2J-B4, M2J-B5, M2J-B6, M2J-B7]
#     - item: M3 entry readiness is explicit and evidence-backed.
#       codes: [M2J-B1, M2J-B2, M2J-B8]
#     - item: M2 closure note appended in implementation map and logbook.
#       codes: [M2J-B8]
#   artifacts:
#     - m2j_p0_rollup_matrix.json
#     - m2j_blocker_adjudication.json
#     - m2j_managed_control_rail_snapshot.json
#     - m2j_production_pattern_conformance_snapshot.json
#     - m2j_m3_entry_readiness_receipt.json
#     - m2j_blocker_register.json
#     - m2j_execution_summary.json
package m2.j

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.moment
import data.lib.receipt

# METADATA
# title: Evidence of a lane missing, altered, too old, or no longer true
# description: |
#   A lane that this run does not cover must have a pack that was verified, is not older than the allowed age, passed,
#   agrees with its own register, and shows the same checks, which found the same, as the lane does on today's facts. A
#   lane that this run covers is judged on this very document, and its evidence is being written.
# custom:
#   code: M2J-B1
#   severity: S1
#   taxonomy: M2-B8
#   remediation: >-
#     Run the lane again (`factgate gate --lane …`), or all of them; if a pack was altered, keep it for the audit and write
#     a new one.
b1 contains check.of({
	"subject": lane,
	"claim": judgement.claim,
	"refs": [_judged(lane, [])],
	"handles": [],
	"holds": judgement.holds,
	"expected": judgement.expected,
	"actual": _found(lane, judgement.actual),
	"violation": object.get(judgement, "violation", "evidence"),
}) if {
	some lane, _ in _rules
	some judgement in _judgements(lane)
}

# METADATA
# title: A blocker is open
# description: |
#   Something blocks under this code on today's facts, and no valid waiver covers it; or the code has no check, which
#   proves nothing. A waiver covers blockers of severity S2 only.
# custom:
#   code: M2J-B2
#   severity: S1
#   taxonomy: inherited
#   remediation: Resolve the blocker as the remediation of its code says (`factgate codes` lists it).
b2 contains _follows(code, "no blocker is open", found_checks, _open[code]) if {
	some rules in _rules
	some code, found_checks in rules
}

# METADATA
# title: The verdict cannot be derived
# description: |
#   The run does not name itself, the fact document is not sealed, a code of a lane has no check, what the rollup itself
#   reads lacks the calls that it came from, or the evidence of a lane is dated after this run or not at all: then
#   verdict and artifacts would rest on nothing.
# custom:
#   code: M2J-B8
#   severity: S1
#   taxonomy: M2-B8
#   remediation: Collect again with this tool, and evaluate the sealed document with a complete set of policies.
b8 contains receipt.identifies("run")

b8 contains receipt.backs(ref) if some ref in _observed

b8 contains object.union(
	check.of({
		"subject": "document",
		"claim": "the fact document is sealed",
		"refs": [],
		"handles": [],
		"holds": fact.is_text(object.get(input, "digest", null)),
		"expected": "a digest",
		"actual": object.get(input, "digest", null),
		"violation": "evidence",
	}),
	{"facts": ["/digest"]},
)

b8 contains check.of({
	"subject": lane,
	"claim": "every code of the lane has its checks",
	"refs": [_judged(lane, [])],
	"handles": [],
	"holds": count(unchecked) == 0,
	"expected": [],
	"actual": _found(lane, unchecked),
	"violation": "evidence",
}) if {
	some lane, rules in _rules
	unchecked := sort([code | some code, found_checks in rules; count(found_checks) == 0])
}

b8 contains check.of({
	"subject": lane,
	"claim": "the evidence is dated, and not after this run",
	"refs": [_judged(lane, ["generated_at_utc"])],
	"handles": [],
	"holds": moment.in_order([_generated_at(lane), _collected_at]),
	"expected": _collected_at,
	"actual": _found(lane, _generated_at(lane)),
	"violation": "evidence",
}) if {
	some lane, _ in _rules
}

_observed := array.concat(
	array.concat(_edge_refs, [aws.cluster(data.contract.m2.streaming.cluster, "cluster", [])]),
	[aws.application(name, "application", []) | some name in data.contract.m2.flink.applications],
)

_evidence(lane, field) := {"subject": lane, "at": ["evidence", lane], "field": field, "handles": []}

# A pack that was read and is none, or was altered, is known to be no evidence: to read it again would not mend it.
_judged(lane, field) := object.union(_evidence(lane, field), {"any_status": _is_altered(lane)})

_is_altered(lane) if {
	fact.status(_evidence(lane, [])) == "unreadable"
	object.get(fact.observation(_evidence(lane, [])), ["error", "kind"], null) == "malformed"
} else := false

# Of a pack that was altered, what was found is what is wrong with it.
_found(lane, actual) := fact.outcome(_evidence(lane, [])) if {
	_is_altered(lane) == true
} else := actual

_judgements(lane) := [
	{
		"claim": "the evidence is there and unaltered",
		"holds": _is_whole(lane),
		"expected": "this run, or a pack that was verified",
		"actual": {"origin": _origin(lane), "faults": _faults(lane)},
	},
	{
		"claim": "the evidence is fresh",
		"holds": _is_fresh(lane),
		"expected": {"hours before": data.contract.m2.rollup.maximum_age_hours, "moment": _collected_at},
		"actual": _generated_at(lane),
	},
	{
		"claim": "the evidence passed and agrees with its register",
		"holds": _is_in_agreement(lane),
		"expected": [],
		"actual": _disagreements(lane),
	},
	{
		"claim": "the facts behind the evidence have not drifted",
		"holds": _is_steady(lane),
		"expected": [],
		"actual": _drift(lane),
		"violation": _drift_cause(lane),
	},
]

_origin(lane) := fact.value(_evidence(lane, ["origin"]))

_is_run(lane) if {
	_origin(lane) == "run"
} else := false

_is_pack(lane) if {
	_origin(lane) == "pack"
} else := false

_collected_at := object.get(input, ["run", "collected_at"], null)

# What this run writes is as old as the run.
_generated_at(lane) := fact.value(_evidence(lane, ["generated_at_utc"])) if {
	not _is_run(lane)
} else := _collected_at

_summary(lane, field) := fact.value(_evidence(lane, ["summary", field]))

_register(lane, field) := fact.value(_evidence(lane, ["register", field]))

_is_whole(lane) if {
	_is_run(lane)
} else if {
	_is_pack(lane)
	count(_faults(lane)) == 0
} else := false

_faults(lane) := sort(receipt.problems(_evidence(lane, [])) | {sprintf("it does not say its %v", [field]) |
	some field in ["phase_execution_id", "generated_at_utc", "path", "manifest_digest"]
	not fact.is_text(fact.value(_evidence(lane, [field])))
} | {"no receipt has the digest of its manifest" |
	not fact.value(_evidence(lane, ["manifest_digest"])) in _recorded_digests(_evidence(lane, []))
}) if {
	_is_pack(lane)
} else := []

# The digests of the files that the observation came from.
_recorded_digests(ref) := {digest |
	some recorded in receipt.recorded(ref)
	digest := object.get(fact.members(recorded), "digest", null)
	digest != null
}

_is_fresh(lane) if {
	_is_run(lane)
} else if {
	_is_pack(lane)
	moment.is_within(_generated_at(lane), _collected_at, data.contract.m2.rollup.maximum_age_hours)
} else := false

_is_in_agreement(lane) if {
	_is_run(lane)
} else if {
	_is_pack(lane)
	count(_disagreements(lane)) == 0
} else := false

# What summary and register have to say alike, and of this lane and run.
_disagreements(lane) := sort({sprintf("the %v of summary and register differ", [replace(field, "_", " ")]) |
	some field in ["lane", "phase_execution_id", "generated_at_utc", "facts_digest", "policies_digest", "blocker_count"]
	not check.same(_summary(lane, field), _register(lane, field))
} | {sprintf("the summary's %v is not the pack's", [replace(field, "_", " ")]) |
	some field in ["phase_execution_id", "generated_at_utc"]
	not check.same(_summary(lane, field), fact.value(_evidence(lane, [field])))
} | {"the summary is of another lane" |
	_summary(lane, "lane") != lane
} | {"the lane did not pass" |
	_summary(lane, "overall_pass") != true
} | {"the lane passed and opens no gate, or was blocked" |
	not _opens_gate(lane)
} | {"the definition of done is not met" |
	not _is_done(_summary(lane, "dod"))
} | {"the pack was read through another endpoint" |
	_summary(lane, "endpoint_url") != object.get(input, ["run", "endpoint_url"], null)
} | {"the pack's folder is of another lane" |
	not startswith(
		sprintf("%v", [fact.value(_evidence(lane, ["phase_execution_id"]))]),
		sprintf("%v_", [lower(replace(lane, ".", ""))]),
	)
} | {"summary and register name other codes" |
	not check.same(_summary(lane, "blockers"), _register_codes(lane))
}) if {
	_is_pack(lane)
} else := []

_opens_gate(lane) if {
	fact.is_text(_summary(lane, "next_gate"))
	_summary(lane, "next_gate") != "BLOCKED"
	_summary(lane, "blocked_by") == []
} else := false

_is_done(items) if {
	is_array(items)
	every item in items {
		is_object(item)
		object.get(item, "done", false) == true
	}
} else := false

# The codes of the register's blockers that were not waived.
_register_codes(lane) := sort({object.get(blocker, "code", null) |
	some blocker in _register(lane, "blockers")
	is_object(blocker)
	object.get(blocker, "waived", null) == null
}) if {
	is_array(_register(lane, "blockers"))
} else := null

_is_steady(lane) if {
	_is_run(lane)
} else if {
	_is_pack(lane)
	count(_rows[lane]) > 0
	count(_drift(lane)) == 0
} else := false

# The checks that came out otherwise than in the pack or found something else, and those that only one of both knows.
_drift(lane) := sort((today - then) | (then - today)) if {
	_is_pack(lane)
	then := {row | some row in fact.list(_evidence(lane, ["summary", "checks"]))}
	today := {row | some row in _rows[lane]}
} else := []

# Facts that could not be read this time have not been seen to drift; another run may see that they have not. With what was
# altered nothing can be compared.
_drift_cause(lane) := "evidence" if {
	_is_altered(lane) == true
} else := "unreadable" if {
	unread := {[code, found.subject, found.claim] |
		some code, found_checks in _rules[lane]
		some found in found_checks
		found.cause == "unreadable"
	}
	drifted := {array.slice(row, 0, 3) | some row in _drift(lane); is_array(row)}
	count(drifted) > 0
	count(drifted - unread) == 0
} else := "violated"
