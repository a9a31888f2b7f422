# METADATA
# title: Artifacts
# description: |
#   What the evidence files of all lanes share. What blocks, and how much it weighs, is not decided here: it comes from
#   the verdict that the evaluator computed from the checks.
package lib.report

import data.lib.aws
import data.lib.fact
import data.lib.receipt

# The head of every artifact: which run, which facts, which policies, which tool.
head(lane) := {
	"lane": lane,
	"phase_execution_id": object.get(verdict(lane), "phase_execution_id", null),
	"generated_at_utc": object.get(input, ["run", "collected_at"], null),
	"facts_digest": object.get(input, "digest", null),
	"policies_digest": object.get(_factgate, "policies_digest", null),
	"contract_overrides": object.get(_factgate, "contract_overrides", []),
	"tool": object.get(_factgate, "tool", null),
	"endpoint_url": object.get(input, ["run", "endpoint_url"], null),
}

# An artifact: the head of its lane, and its own body.
artifact(lane, body) := object.union(head(lane), body)

# The lane's blockers as the evaluator computed them.
blocker_register(lane) := artifact(lane, {
	"blocker_count": count(blocking_codes(lane)),
	"blocked_by": object.get(verdict(lane), "blocked_by", []),
	"blockers": object.get(verdict(lane), "blockers", []),
})

# The lane's verdict. Without one the lane has not passed.
execution_summary(lane) := artifact(lane, {
	"overall_pass": object.get(verdict(lane), "status", null) == "PASS",
	"next_gate": object.get(verdict(lane), "next_gate", "BLOCKED"),
	"blocked_by": object.get(verdict(lane), "blocked_by", []),
	"reasons": object.get(verdict(lane), "reasons", []),
	"blockers": blocking_codes(lane),
	"blocker_count": count(blocking_codes(lane)),
	"failed_check_count": count(object.get(verdict(lane), "blockers", [])),
	"check_count": count([check | some code in object.get(verdict(lane), "codes", []); some check in code.checks]),
	"checks": rows(lane),
	"taxonomy": taxonomy([lane]),
	"dod": object.get(verdict(lane), "definition_of_done", []),
	"observations": object.get(verdict(lane), "observations", []),
	"caller": fact.value(aws.caller_identity(["Arn"])),
	"registry": object.get(input, ["run", "registry"], null),
})

# The codes that block the lane, sorted. What is waived is shown by the register, and blocks nothing.
blocking_codes(lane) := sort({blocker.code | some blocker in open_blockers(lane)})

# The lane's blockers that no waiver covers.
open_blockers(lane) := [blocker |
	some blocker in object.get(verdict(lane), "blockers", [])
	object.get(blocker, "waived", null) == null
]

# Every check of the lane as a row, sorted: by this a later run tells whether the facts have drifted since.
rows(lane) := sort([row_of(code.code, check) |
	some code in object.get(verdict(lane), "codes", [])
	some check in code.checks
])

# A check as [code, subject, claim, ok, what was found]. The last is null where it is another in every run.
row_of(code, check) := [code, check.subject, check.claim, check.ok, _lasting(check)]

_lasting(check) := check.actual if {
	count(check.facts) > 0
	every pointer in check.facts {
		_lasts(split(pointer, "/"))
	}
	# A fingerprint is that of one run.
	actual := json.marshal(check.actual)
	not contains(actual, "redacted:")
} else := null

# What stays as it is until somebody changes it: handles, what AWS holds, and Terraform's outputs. A plan or a log is
# that of one run, and a state's serial counts every write, a rehearsal's too.
_lasts(steps) if {
	steps[1] in {"handles", "aws"}
} else if {
	steps[1] == "terraform"
	steps[4] == "outputs"
} else := false

# The phase's own classes of blockers, each with the codes of these lanes that are open in it.
taxonomy(lanes) := {class: sort({blocker.code | some blocker in open; blocker.taxonomy == class}) |
	some class in classes
} if {
	open := [blocker | some lane in lanes; some blocker in open_blockers(lane)]
	classes := {class | some class in data.contract.m2.rollup.taxonomy} | {blocker.taxonomy | some blocker in open}
}

# The blockers that a valid waiver covers, as [code, subject].
waived := {[object.get(waiver, "code", null), object.get(waiver, "subject", null)] |
	some waiver in object.get(_factgate, "waived", [])
}

# Why the run as a whole does not pass, beside its blockers.
reasons := object.get(_factgate, ["verdict", "reasons"], [])

# What the evaluator says of the lane; empty while it has not said anything.
verdict(lane) := object.get(_factgate, ["verdict", "lanes", lane], {})

# An observation with the calls that it came from. Logs stay in the fact document; an artifact names them by the digest
# in their receipt.
reading(ref) := object.union(
	_without_log(object.union({"status": "missing"}, fact.observation(ref))),
	{"fact": _pointer(ref), "receipts": receipt.recorded(ref)},
)

_without_log(observation) := object.union(
	object.remove(observation, ["value"]),
	{"value": object.remove(observation.value, ["log"])},
) if {
	is_object(object.get(observation, "value", null))
} else := observation

_pointer(ref) := fact.pointer(object.union(ref, {"field": []})) if {
	fact.is_named(ref)
} else := null

# Observations of one subject by the name of their aspect.
readings(refs) := {aspect: reading(ref) | some ref in refs; aspect := ref.at[count(ref.at) - 1]}

# Handles by name: what the registry pins, and where.
handles(names) := {name: object.get(input, ["handles", name], null) | some name in names}

# The checks of some rules, sorted by what they are about, and whether all of them hold. Engines differ in the order in
# which they list the members of a set of objects.
checks(found) := {"conforms": _all_hold(found), "checks": [row[2] | some row in rows]} if {
	rows := sort([[check.subject, check.claim, check] | some check in found])
}

_all_hold(found) if {
	count(found) > 0
	count([check | some check in found; check.ok != true]) == 0
} else := false

default _factgate := {}

_factgate := data.factgate
