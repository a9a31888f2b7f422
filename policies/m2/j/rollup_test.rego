package m2.j_test

import data.lib.fixture_test as fixture

_ready := data.lib.fixture_test.ready

_whole := "the evidence is there and unaltered"

_fresh := "the evidence is fresh"

_agrees := "the evidence passed and agrees with its register"

_steady := "the facts behind the evidence have not drifted"

_dated := "the evidence is dated, and not after this run"

_checked := "every code of the lane has its checks"

_of_evidence(claims, cause) := {["M2J-B1", "M2.B", claim, cause] | some claim in claims}

# A document in which M2.B was closed by an earlier run.
_packed := fixture.packed(_ready, "M2.B", fixture.rows(_ready, "M2.B"))

_pack(path) := array.concat(["evidence", "M2.B", "value"], path)

_head := ["aws", "s3", "buckets", "objects", "versioning"]

_algorithm := [
	"aws", "s3", "buckets", "objects", "encryption",
	"value", "Rules", 0, "ApplyServerSideEncryptionByDefault", "SSEAlgorithm",
]

# What a damage must turn red, and nothing else.
_damaged := {
	"a lane without evidence": {
		"document": fixture.absent(_ready, ["evidence", "M2.B"]),
		"expected": _of_evidence([_whole, _fresh, _agrees, _steady], "absent") | {
			["M2J-B8", "M2.B", _dated, "absent"],
			["M2J-B8", "M2.B", _checked, "absent"],
		},
	},
	"a pack that was altered": {
		"document": fixture.put(
			fixture.unreadable(_ready, ["evidence", "M2.B"]),
			["evidence", "M2.B", "error", "kind"],
			"malformed",
		),
		"expected": _of_evidence([_whole, _fresh, _agrees, _steady], "evidence") | {["M2J-B8", "M2.B", _dated, "evidence"]},
	},
	"a pack that cannot be read": {
		"document": fixture.unreadable(_ready, ["evidence", "M2.B"]),
		"expected": _of_evidence([_whole, _fresh, _agrees, _steady], "unreadable") | {
			["M2J-B8", "M2.B", _dated, "unreadable"],
			["M2J-B8", "M2.B", _checked, "unreadable"],
		},
	},
	"evidence of no origin": {
		"document": fixture.without(_ready, _pack(["origin"])),
		"expected": _of_evidence([_whole, _fresh, _agrees], "evidence") | _of_evidence([_steady], "violated") | {
			["M2J-B8", "M2.B", _dated, "evidence"],
		},
	},
	"a pack": {"document": _packed, "expected": set()},
	"a pack whose verification is not on record": {
		"document": fixture.without(_packed, ["receipts", "file.evidence/M2.B"]),
		"expected": _of_evidence([_whole], "evidence"),
	},
	"a pack without a manifest": {
		"document": fixture.without(_packed, _pack(["manifest_digest"])),
		"expected": _of_evidence([_whole], "evidence"),
	},
	"an old pack, and an old rehearsal": {
		"document": fixture.put(_packed, ["run", "collected_at"], "2026-02-23T10:40:12Z"),
		"expected": _of_evidence([_fresh], "evidence") | {["M2J-B2", "M2I-B7", "no blocker is open", "evidence"]},
	},
	"a pack of the future": {
		"document": fixture.put(_packed, ["run", "collected_at"], "2026-02-22T10:40:10Z"),
		"expected": {["M2J-B8", "M2.B", _dated, "evidence"]},
	},
	"a pack of no date": {
		"document": fixture.put(_packed, _pack(["generated_at_utc"]), "lately"),
		"expected": _of_evidence([_fresh, _agrees], "evidence") | {["M2J-B8", "M2.B", _dated, "evidence"]},
	},
	"a pack that did not pass": {
		"document": fixture.put(_packed, _pack(["summary", "overall_pass"]), false),
		"expected": _of_evidence([_agrees], "evidence"),
	},
	"a pack that opens no gate": {
		"document": fixture.put(_packed, _pack(["summary", "next_gate"]), "BLOCKED"),
		"expected": _of_evidence([_agrees], "evidence"),
	},
	"a pack that was blocked by another lane": {
		"document": fixture.put(_packed, _pack(["summary", "blocked_by"]), ["M2.A"]),
		"expected": _of_evidence([_agrees], "evidence"),
	},
	"a pack whose definition of done is not met": {
		"document": fixture.put(_packed, _pack(["summary", "dod", 0, "done"]), false),
		"expected": _of_evidence([_agrees], "evidence"),
	},
	"a pack without a definition of done": {
		"document": fixture.without(_packed, _pack(["summary", "dod"])),
		"expected": _of_evidence([_agrees], "evidence"),
	},
	"a pack that was read through another endpoint": {
		"document": fixture.put(_packed, _pack(["summary", "endpoint_url"]), "http://127.0.0.1:1"),
		"expected": _of_evidence([_agrees], "evidence"),
	},
	"a pack of another folder than its lane's": {
		"document": fixture.put(
			fixture.put(
				fixture.put(_packed, _pack(["phase_execution_id"]), "m2c_20260222T104011Z"),
				_pack(["summary", "phase_execution_id"]),
				"m2c_20260222T104011Z",
			),
			_pack(["register", "phase_execution_id"]),
			"m2c_20260222T104011Z",
		),
		"expected": _of_evidence([_agrees], "evidence"),
	},
	"a pack with the manifest of another": {
		"document": fixture.put(_packed, _pack(["manifest_digest"]), "sha256:00"),
		"expected": _of_evidence([_whole], "evidence"),
	},
	"a summary of another lane": {
		"document": fixture.put(
			fixture.put(_packed, _pack(["summary", "lane"]), "M2.C"),
			_pack(["register", "lane"]),
			"M2.C",
		),
		"expected": _of_evidence([_agrees], "evidence"),
	},
	"a summary of another run": {
		"document": fixture.put(_packed, _pack(["summary", "phase_execution_id"]), "m2x_20260222T094011Z"),
		"expected": _of_evidence([_agrees], "evidence"),
	},
	"a register of other facts": {
		"document": fixture.put(_packed, _pack(["register", "facts_digest"]), "sha256:00"),
		"expected": _of_evidence([_agrees], "evidence"),
	},
	"a register with a blocker that the summary does not know": {
		"document": fixture.put(_packed, _pack(["register", "blockers"]), [{"code": "M2B-B1"}]),
		"expected": _of_evidence([_agrees], "evidence"),
	},
	"a register with a blocker that was waived": {
		"document": fixture.put(_packed, _pack(["register", "blockers"]), [{"code": "M2B-B5", "waived": {"owner": "o"}}]),
		"expected": set(),
	},
	"a register that is none": {
		"document": fixture.put(_packed, _pack(["register"]), "none"),
		"expected": _of_evidence([_agrees], "evidence"),
	},
	"a pack with a check that nobody makes any more": {
		"document": fixture.put(_packed, _pack(["summary", "checks", "-"]), ["M2B-B9", "x", "y", true, null]),
		"expected": _of_evidence([_steady], "violated"),
	},
	"a pack without checks": {
		"document": fixture.without(_packed, _pack(["summary", "checks"])),
		"expected": _of_evidence([_steady], "violated"),
	},
	"a pack with checks that are none": {
		"document": fixture.put(_packed, _pack(["summary", "checks"]), [7, []]),
		"expected": _of_evidence([_steady], "violated"),
	},
	"facts that drifted since the pack": {
		"document": fixture.put(_packed, array.concat(_head, ["value", "Status"]), "Suspended"),
		"expected": _of_evidence([_steady], "violated") | {["M2J-B2", "M2B-B4", "no blocker is open", "violated"]},
	},
	"facts that drifted and still conform": {
		"document": fixture.put(_packed, _algorithm, "AES256"),
		"expected": _of_evidence([_steady], "violated"),
	},
	"facts that drifted and still conform, without a pack": {
		"document": fixture.put(_ready, _algorithm, "AES256"),
		"expected": set(),
	},
	"facts that drifted without a pack": {
		"document": fixture.put(_ready, array.concat(_head, ["value", "Status"]), "Suspended"),
		"expected": {["M2J-B2", "M2B-B4", "no blocker is open", "violated"]},
	},
	"facts that could not be read since the pack": {
		"document": fixture.unreadable(_packed, _head),
		"expected": _of_evidence([_steady], "unreadable") | {["M2J-B2", "M2B-B4", "no blocker is open", "unreadable"]},
	},
	"a bucket that is gone": {
		"document": fixture.absent(_ready, _head),
		"expected": {["M2J-B2", "M2B-B4", "no blocker is open", "absent"]},
	},
	"a handle that is not pinned": {
		"document": fixture.pinned(_ready, "GLUE_SCHEMA_COMPATIBILITY_MODE", "TO_PIN"),
		"expected": {["M2J-B2", code, "no blocker is open", "unpinned"] | some code in ["M2C-B5", "M2D-B3"]},
	},
	"evidence of a lane that contradicts itself": {
		"document": fixture.put(_ready, ["terraform", "stacks", "core", "state", "value", "serial"], "7"),
		"expected": {["M2J-B2", "M2B-B5", "no blocker is open", "evidence"]},
	},
	"a document without a seal": {
		"document": fixture.without(_ready, ["digest"]),
		"expected": {["M2J-B8", "document", "the fact document is sealed", "evidence"]},
	},
}

test_each_damage_blocks_exactly_as_its_table_says if {
	found := {name: fixture.compared(fixture.rollup_blockers(damage.document), damage.expected) |
		some name, damage in _damaged
	}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _damaged}
}

_edited := fixture.put(_ready, ["terraform", "stacks", "streaming", "state", "value", "lineage"], "")

_waivers(list) := {"waived": list}

test_a_waived_blocker_is_not_open if {
	waived := data.m2.j.b2 with input as _edited
		with data.factgate as _waivers([{"code": "M2C-B7", "subject": "streaming"}])
	{check.subject | some check in waived; not check.ok} == set()
	others := data.m2.j.b2 with input as _edited
		with data.factgate as _waivers([{"code": "M2C-B7", "subject": "core"}, {"code": "M2C-B6", "subject": "streaming"}, {}])
	{check.subject | some check in others; not check.ok} == {"M2C-B7"}
	observations := data.m2.j.observations with input as _edited
		with data.factgate as _waivers([{"code": "M2C-B7", "subject": "streaming"}])
	{[observation.subject, observation.message] | some observation in observations} == {[
		"streaming",
		"M2C-B7 is waived: the state has a serial and a lineage",
	]}
}

test_each_code_of_the_nine_lanes_has_its_place_in_the_rollup if {
	checks := data.m2.j.b2 with input as _ready
	counts := {lane: count([check | some check in checks; startswith(check.subject, lane)]) |
		some lane in ["M2A", "M2B", "M2C", "M2D", "M2E", "M2F", "M2G", "M2H", "M2I"]
	}
	counts == {"M2A": 5, "M2B": 5, "M2C": 7, "M2D": 7, "M2E": 7, "M2F": 7, "M2G": 6, "M2H": 8, "M2I": 7}
	count(checks) == sum([found | some found in counts])
}

test_an_open_blocker_names_the_facts_of_its_checks if {
	checks := data.m2.j.b2 with input as _damaged["facts that drifted without a pack"].document
	[[check.actual, check.facts] | some check in checks; not check.ok] == [[
		["S3_OBJECT_STORE_BUCKET: the bucket is versioned"],
		["/aws/s3/buckets/objects/versioning/value/Status", "/handles/S3_OBJECT_STORE_BUCKET/value"],
	]]
}

test_a_pack_is_worth_noting if {
	observations := data.m2.j.observations with input as _packed
	{[observation.subject, observation.message] | some observation in observations} == {[
		"M2.B",
		"taken from the evidence pack runs/dev_substrate/dev_full/m2/m2b_20260222T104011Z",
	]}
}

_passing := {"verdict": {"lanes": {"M2.J": {"status": "PASS", "next_gate": "M2_DONE_M3_READY", "blockers": [], "codes": []}}}}

_receipt(document, factgate) := found["m2j_m3_entry_readiness_receipt.json"] if {
	found := data.m2.j.artifacts with input as document with data.factgate as factgate
}

_faults(receipt) := {kind: approval.fault | some kind, approval in receipt.approvals}

test_both_approvals_open_m3 if {
	receipt := _receipt(_ready, _passing)
	[receipt.m3_entry_ready, receipt.substrate_ready] == [true, true]
	_faults(receipt) == {"m2_go_ahead": null, "m3_handoff": null}
}

_approvals := {
	"no go-ahead": {
		"document": fixture.without(_ready, ["approvals", "m2_go_ahead"]),
		"fault": "not in the fact document",
	},
	"an approval of something else": {
		"document": fixture.put(_ready, ["approvals", "m2_go_ahead", "value", "kind"], "m3_handoff"),
		"fault": "it approves something else",
	},
	"an approval by nobody": {
		"document": fixture.put(_ready, ["approvals", "m2_go_ahead", "value", "approved_by"], ""),
		"fault": "it does not say who gave it",
	},
	"an approval without a receipt": {
		"document": fixture.without(_ready, ["receipts", "file.approval/m2_go_ahead"]),
		"fault": "its file is not on record",
	},
	"an approval that lists no receipt": {
		"document": fixture.put(_ready, ["approvals", "m2_go_ahead", "receipts"], []),
		"fault": "its file is not on record",
	},
	"an approval from another file": {
		"document": fixture.put(_ready, ["receipts", "file.approval/m2_go_ahead", "digest"], "sha256:00"),
		"fault": "its file is not on record",
	},
	"an approval whose receipt is none": {
		"document": fixture.put(_ready, ["receipts", "file.approval/m2_go_ahead"], 7),
		"fault": "its file is not on record",
	},
	"a go-ahead that came after the evidence": {
		"document": fixture.put(_ready, ["approvals", "m2_go_ahead", "value", "approved_at"], "2026-02-22T20:40:12Z"),
		"fault": "it was given after the evidence of a lane",
	},
	"a go-ahead that came after the pack of a lane": {
		"document": fixture.put(_packed, ["approvals", "m2_go_ahead", "value", "approved_at"], "2026-02-22T10:40:12Z"),
		"fault": "it was given after the evidence of a lane",
	},
	"an approval that has expired": {
		"document": fixture.put(_ready, ["approvals", "m2_go_ahead", "value", "expires_at"], "2026-02-22T20:40:11Z"),
		"fault": "it is not in force at the time of this run",
	},
}

# P0 needs no approval; M3 needs both.
test_a_receipt_without_entry_opens_no_gate if {
	_receipt(_ready, _passing).next_gate == "M2_DONE_M3_READY"
	_receipt(_approvals["no go-ahead"].document, _passing).next_gate == "BLOCKED"
}

test_each_faulty_approval_keeps_m3_shut if {
	found := {name: [receipt.m3_entry_ready, receipt.substrate_ready, receipt.approvals.m2_go_ahead.fault] |
		some name, case in _approvals
		receipt := _receipt(case.document, _passing)
	}
	found == {name: [false, true, case.fault] | some name, case in _approvals}
	observations := data.m2.j.observations with input as _approvals["no go-ahead"].document
	{[observation.subject, observation.message] | some observation in observations} == {[
		"m2_go_ahead",
		"the approval does not open M3: not in the fact document",
	]}
}

test_without_a_passing_rollup_m3_stays_shut if {
	every factgate in [{}, object.union(_passing, {"verdict": {"reasons": ["a waiver has expired"]}})] {
		receipt := _receipt(_ready, factgate)
		[receipt.m3_entry_ready, receipt.substrate_ready] == [false, false]
	}
}

_blocked := {"verdict": {"lanes": {"M2.C": {
	"status": "BLOCKED",
	"title": "t",
	"next_gate": "BLOCKED",
	"codes": [],
	"blockers": [
		{"code": "M2C-B4", "severity": "S1", "taxonomy": "M2-B5"},
		{"code": "M2C-B7", "severity": "S2", "taxonomy": "M2-B8", "waived": {"owner": "o"}},
	],
}}}}

test_every_blocker_is_adjudicated if {
	artifacts := data.m2.j.artifacts with input as _packed with data.factgate as _blocked
	adjudication := artifacts["m2j_blocker_adjudication.json"]
	[adjudication.open_count, adjudication.waived_count, adjudication.open_by_severity] == [1, 1, {"S1": 1, "S2": 0}]
	[blocker.code | some blocker in adjudication.waived] == ["M2C-B7"]
	matrix := artifacts["m2j_p0_rollup_matrix.json"]
	[matrix.lanes["M2.C"].status, matrix.lanes["M2.C"].blockers] == ["BLOCKED", ["M2C-B4"]]
	matrix.lanes["M2.B"].evidence.origin == "pack"
	[matrix.taxonomy["M2-B5"], matrix.taxonomy["M2-B8"], count(matrix.taxonomy)] == [["M2C-B4"], [], 12]
}
