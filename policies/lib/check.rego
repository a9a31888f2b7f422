# METADATA
# title: Checks
# description: |
#   A check states one claim about one subject. Its identity (subject and claim) is fixed by the contract and the handles, so a
#   missing fact can turn a check red but cannot make it disappear; whether it is ok, and the cause if not, are computed here.
#
#   A check is ok only if every handle that it depends on is pinned, every fact that it reads is known, and its claim holds.
package lib.check

import data.lib.fact
import data.lib.handle

# The general form. `claim` has the keys `subject`, `claim`, `refs`, `handles` (beside those that name the references),
# `holds`, `expected` and `actual`. Two more are optional: `violation`, the cause where it does not hold (default `violated`),
# and `unpinned`, what else the registry leaves open. Every key must be total: an undefined one makes the check disappear.
of(claim) := {
	"subject": claim.subject,
	"claim": claim.claim,
	"ok": cause == "none",
	"cause": cause,
	"expected": claim.expected,
	"actual": _actual(claim, unpinned),
	"facts": array.concat(
		[handle.pointer(name) | some name in handles],
		[fact.pointer(ref) | some ref in claim.refs; fact.is_named(ref)],
	),
} if {
	handles := _handles(claim)
	unpinned := array.concat(handle.unpinned(handles), object.get(claim, "unpinned", []))
	cause := _cause(claim, unpinned)
}

# The fact has exactly the expected value.
equals(subject, claim, ref, expected) := of({
	"subject": subject,
	"claim": claim,
	"refs": [ref],
	"handles": [],
	"holds": same(fact.value(ref), expected),
	"expected": expected,
	"actual": fact.value(ref),
})

# The fact has the value that the handle pins.
equals_handle(subject, claim, ref, name) := of({
	"subject": subject,
	"claim": claim,
	"refs": [ref],
	"handles": [name],
	"holds": same(fact.value(ref), handle.value(name)),
	"expected": handle.value(name),
	"actual": fact.value(ref),
})

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

# None of what was looked at offends. `offenders` is a list (best a comprehension: those are total).
clean(subject, claim, refs, offenders) := of({
	"subject": subject,
	"claim": claim,
	"refs": refs,
	"handles": [],
	"holds": count(offenders) == 0,
	"expected": [],
	"actual": offenders,
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

_handles(claim) := sort({name | some name in array.concat(claim.handles, _naming_handles(claim.refs))})

_naming_handles(refs) := [name | some ref in refs; some name in ref.handles]

# Unpinned comes before anything that could have been read through the handle, and a firm `absent` before an unknown.
_cause(claim, unpinned) := "unpinned" if {
	count(unpinned) > 0
} else := "absent" if {
	"absent" in _unknown(claim.refs)
} else := "unreadable" if {
	count(_unknown(claim.refs)) > 0
} else := "none" if {
	claim.holds == true
} else := object.get(claim, "violation", "violated")

# How the references read that are not known.
_unknown(refs) := {fact.reading(ref) | some ref in refs; not fact.is_known(ref)}

_actual(claim, unpinned) := concat("; ", [sprintf("%s is not pinned", [name]) | some name in unpinned]) if {
	count(unpinned) > 0
} else := concat("; ", sort({fact.outcome(ref) | some ref in claim.refs; not fact.is_known(ref)})) if {
	count(_unknown(claim.refs)) > 0
} else := claim.actual
