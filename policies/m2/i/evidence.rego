package m2.i

import data.lib.check
import data.lib.fact
import data.lib.moment
import data.lib.receipt
import data.lib.report
import data.lib.stack

# METADATA
# title: Evidence of the rehearsal is missing or inconsistent
# description: |
#   A step of the rehearsal, the inventory or a state lacks the calls that it came from, a call ended otherwise than the
#   fact says, the steps do not follow each other in time, its logs were not scanned for secrets, or the rehearsal does not
#   name itself, ran on a stack with pending changes, ended after this run, or is too old to say anything of what this run
#   reads.
# custom:
#   code: M2I-B7
#   severity: S2
#   taxonomy: M2-B8
#   remediation: >-
#     Rehearse again and hand the rehearsal's document to `factgate gate --rehearsal`; never edit a fact document by hand.
b7 contains receipt.identifies("run")

b7 contains receipt.backs(ref) if some ref in _observed

b7 contains check.of({
	"subject": _rehearsal,
	"claim": "it names itself",
	"refs": [_scope(["phase_execution_id"])],
	"handles": [],
	"holds": fact.is_text(fact.value(_scope(["phase_execution_id"]))),
	"expected": "a phase execution id",
	"actual": fact.value(_scope(["phase_execution_id"])),
	"violation": "evidence",
})

b7 contains check.of({
	"subject": _rehearsal,
	"claim": "it ended before this run, and not long before",
	"refs": [_scope(["ended_at"])],
	"handles": [],
	"holds": _is_recent,
	"expected": {
		"no later than": _collected_at,
		"hours before": data.contract.m2.rehearsal.maximum_age_hours,
	},
	"actual": fact.value(_scope(["ended_at"])),
	"violation": "evidence",
})

# What was found there blocks under the lane of secrets.
b7 contains check.of({
	"subject": _rehearsal,
	"claim": "its logs were scanned for secrets",
	"refs": [_scan],
	"handles": [],
	"holds": {"source": _rehearsal, "scanned": true} in fact.list(_scan),
	"expected": {"source": _rehearsal, "scanned": true},
	"actual": [source | some source in fact.list(_scan); is_object(source); object.get(source, "source", null) == _rehearsal],
	"violation": "evidence",
})

b7 contains check.equals(
	name,
	"the plan before the destroy showed no changes",
	_of("baseline", name, ["exit_code"]),
	0,
) if {
	some name in _required
}

b7 contains check.of({
	"subject": name,
	"claim": "destroy and recovery follow each other within the rehearsal",
	"refs": [_scope(["started_at"]), _of("destroy", name, ["started_at"]), _of("recover", name, ["ended_at"])],
	"handles": [],
	"holds": moment.in_order(_course(name)),
	"expected": "one after the other",
	"actual": _course(name),
	"violation": "evidence",
}) if {
	some name in _required
}

_observed := array.concat(
	array.concat([_step(step, []) | some step in _steps], [object.union(_inventory, {"field": []})]),
	[stack.step(name, "state", []) | some name, _ in data.contract.m2.stacks],
)

_steps := ["scope", "baseline", "destroy", "recover", "post_recovery", "cost"]

_collected_at := object.get(input, ["run", "collected_at"], null)

default _is_recent := false

_is_recent if {
	ended := fact.value(_scope(["ended_at"]))
	moment.in_order([ended, _collected_at])
	moment.is_within(ended, _collected_at, data.contract.m2.rehearsal.maximum_age_hours)
}

_scan := {"at": ["plaintext_scan"], "field": ["sources"], "handles": []}

# Some of these moments are kept to the second, and some more closely.
_course(name) := [_to_the_second(fact.value(ref)) |
	some ref in [
		_scope(["started_at"]),
		_of("destroy", name, ["started_at"]),
		_of("destroy", name, ["ended_at"]),
		_of("recover", name, ["started_at"]),
		_of("recover", name, ["ended_at"]),
		_scope(["ended_at"]),
	]
]

_to_the_second(text) := concat("", [substring(text, 0, 19), "Z"]) if {
	moment.day(text) != null
} else := text

observations contains {
	"subject": name,
	"message": "the rehearsal covered this stack, too",
	"facts": [fact.pointer(_scope(["stacks"]))],
} if {
	some name in _others
}

observations contains {
	"subject": data.contract.m2.tag_inventory,
	"message": sprintf("no state manages %v, and %v allows it to remain", [arn, pattern]),
	"facts": [fact.pointer(_inventory)],
} if {
	some arn, pattern in _unmanaged
	pattern != null
}

observations contains {
	"subject": name,
	"message": sprintf("the output %v changed with the recovery, as the contract allows", [output]),
	"facts": [fact.pointer(_of("post_recovery", name, ["outputs", output]))],
} if {
	some name in _stacks
	is_string(name)
	some output in data.contract.m2.rehearsal.volatile_outputs
	fact.value(_of("baseline", name, ["outputs", output])) != fact.value(_of("post_recovery", name, ["outputs", output]))
}

observations contains {
	"subject": _rehearsal,
	"message": "it kept to another allowlist of residuals than the contract's",
	"facts": [fact.pointer(_scope(["allowlist"]))],
} if {
	is_array(_allowlist)
	fact.status(_scope([])) == "present"
	not check.same_elements(fact.value(_scope(["allowlist"])), _allowlist)
}

artifacts := {
	"m2i_rehearsal_scope_snapshot.json": report.artifact("M2.I", _scope_snapshot),
	"m2i_destroy_apply_receipts.json": report.artifact("M2.I", _destroy_receipts),
	"m2i_recover_apply_receipts.json": report.artifact("M2.I", _recover_receipts),
	"m2i_post_recovery_integrity_snapshot.json": report.artifact("M2.I", _integrity_snapshot),
	"m2i_residual_scan_snapshot.json": report.artifact("M2.I", _residual_scan),
	"m2i_cost_posture_snapshot.json": report.artifact("M2.I", _cost_posture),
	"m2i_blocker_register.json": report.blocker_register("M2.I"),
	"m2i_execution_summary.json": report.execution_summary("M2.I"),
}

_scope_snapshot := {
	"required_stacks": _required,
	"allowlist": _allowlist,
	"always_allowed": _always_allowed_list,
	"scope": report.reading(_scope([])),
	"conformance": report.checks(b1),
}

_destroy_receipts := {
	"destroy": _reading("destroy"),
	"conformance": report.checks(b2),
}

_recover_receipts := {
	"recover": _reading("recover"),
	"conformance": report.checks(b3),
}

_integrity_snapshot := {
	"volatile_outputs": data.contract.m2.rehearsal.volatile_outputs,
	"handles": report.handles([name | some outputs in data.contract.m2.rehearsal.outputs; some name, _ in outputs]),
	"baseline": _reading("baseline"),
	"post_recovery": _reading("post_recovery"),
	"conformance": report.checks(b4),
}

# Every forbidden residual weighs what its code weighs: there is no lighter kind.
_residual_scan := {
	"handles": report.handles(array.concat(
		[data.contract.m2.tag_inventory],
		[name | some name, _ in data.contract.m2.rehearsal.always_allowed],
	)),
	"allowlist": _allowlist,
	"always_allowed": _always_allowed_list,
	"inventory": report.reading(object.union(_inventory, {"field": []})),
	"managed": {name: fact.value(stack.answer(name, "state", ["resource_arns"])) | some name, _ in data.contract.m2.stacks},
	"allowed": {arn: pattern | some arn, pattern in _unmanaged; pattern != null},
	"forbidden": [{"resource": arn, "code": "M2I-B5", "severity": "S1"} | some arn in _residuals],
	"conformance": report.checks(b5),
}

_cost_posture := {
	"handles": report.handles([data.contract.m2.rehearsal.currency]),
	"cost": report.reading(_step("cost", [])),
	"started_at": fact.value(_scope(["started_at"])),
	"ended_at": fact.value(_scope(["ended_at"])),
	"conformance": report.checks(b6),
}

_always_allowed_list := sort(_always_allowed)

# A step without the logs of its stacks: those stay in the fact document.
_reading(step) := object.union(
	object.remove(found, ["value"]),
	{"value": {name: _without_log(entry) | some name, entry in found.value}},
) if {
	found := report.reading(_step(step, []))
	is_object(object.get(found, "value", null))
} else := report.reading(_step(step, []))

_without_log(entry) := object.remove(entry, ["log"]) if {
	is_object(entry)
} else := entry
