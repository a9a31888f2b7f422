# METADATA
# title: Checks
# description: |
#   A check states one claim about one subject. Its identity (subject and claim) is fixed by the contract and the
#   handles, so a missing fact can turn a check red but cannot make it disappear; whether it is ok, and the cause if
#   not, are computed here.
#
#   A check is ok only if every handle that it depends on is pinned, every fact that it reads is known, and its claim
#   holds.
package lib.check

import data.lib.fact
import data.lib.handle

# The general form. `claim` has the keys `subject`, `claim`, `refs`, `handles` (beside those that name the references),
# `holds`, `expected` and `actual`. Two more are optional: `violation`, the cause where it does not hold (default
# `violated`), and `unpinned`, what else the registry leaves open. Every key must be total: an undefined one makes the
# check disappear.
of(claim) := {
	"subject": claim.subject,
	"claim": claim.claim,
	"ok": cause == "none",
	"cause": cause,
	"expected": claim.expected,
	"actual": _actual(claim, unpinned, unknown),
	"facts": array.concat(
		[handle.pointer(name) | some name in handles],
		[fact.pointer(ref) | some ref in claim.refs; fact.is_named(ref)],
	),
} if {
	naming := {name | some ref in claim.refs; some name in ref.handles}
	handles := sort(naming | {name | some name in claim.handles})
	unpinned := array.concat(handle.unpinned(handles), object.get(claim, "unpinned", []))
	unknown := fact.unknown(claim.refs)
	cause := _cause(claim, unpinned, unknown)
}

# The fact has exactly the expected value.
equals(subject, claim, ref, expected) := of({
	"subject": subject,
	"claim": claim,
	"refs": [ref],
	"handles": [],
	"holds": same(actual, expected),
	"expected": expected,
	"actual": actual,
}) if {
	actual := fact.value(ref)
}

# The fact has the value that the handle pins.
equals_handle(subject, claim, ref, name) := of({
	"subject": subject,
	"claim": claim,
	"refs": [ref],
	"handles": [name],
	"holds": same(actual, expected),
	"expected": expected,
	"actual": actual,
}) if {
	expected := handle.value(name)
	actual := fact.value(ref)
}

# The observation was read, and is there.
exists(subject, claim, ref) := of({
	"subject": subject,
	"claim": claim,
	"refs": [ref],
	"handles": [],
	"holds": true,
	"expected": "present",
	"actual": "present",
})

# The observation was read; that nothing is there is an answer, too.
known(subject, claim, ref) := of({
	"subject": subject,
	"claim": claim,
	"refs": [object.union(ref, {"may_be_absent": true})],
	"handles": [],
	"holds": true,
	"expected": "present or absent",
	"actual": fact.status(ref),
})

# The handle pins exactly the expected value.
pinned_as(name, claim, expected) := of({
	"subject": name,
	"claim": claim,
	"refs": [],
	"handles": [name],
	"holds": same(handle.value(name), expected),
	"expected": expected,
	"actual": handle.value(name),
})

# Nulls are never the same: both sides of an equality may be missing.
same(actual, expected) if {
	actual != null
	actual == expected
} else := false

# The same elements in any order, for lists; else the same.
same_elements(actual, expected) if {
	is_array(actual)
	is_array(expected)
	sort(actual) == sort(expected)
} else := same(actual, expected)

# Unpinned comes before anything that could have been read through the handle, and a firm `absent` before an unknown.
_cause(claim, [], []) := "none" if {
	claim.holds == true
} else := object.get(claim, "violation", "violated")

_cause(_, [], unknown) := "absent" if {
	"absent" in [found.reading | some found in unknown]
} else := "unreadable" if {
	count(unknown) > 0
}

_cause(_, unpinned, _) := "unpinned" if count(unpinned) > 0

_actual(claim, [], []) := claim.actual

_actual(_, [], unknown) := concat("; ", sort({fact.outcome(found.ref) | some found in unknown})) if count(unknown) > 0

_actual(_, unpinned, _) := concat("; ", [sprintf("%v is not pinned", [name]) | some name in unpinned]) if {
	count(unpinned) > 0
}
