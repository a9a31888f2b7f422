package m2.j

import data.lib.check
import data.lib.report

# The rules of the nine lanes, one by one: to iterate over `data.m2` would be to ask this lane about itself. The engine
# computes each of them once.
_rules := {
	"M2.A": {
		"M2A-B1": data.m2.a.b1,
		"M2A-B2": data.m2.a.b2,
		"M2A-B3": data.m2.a.b3,
		"M2A-B4": data.m2.a.b4,
		"M2A-B5": data.m2.a.b5,
	},
	"M2.B": {
		"M2B-B1": data.m2.b.b1,
		"M2B-B2": data.m2.b.b2,
		"M2B-B3": data.m2.b.b3,
		"M2B-B4": data.m2.b.b4,
		"M2B-B5": data.m2.b.b5,
	},
	"M2.C": {
		"M2C-B1": data.m2.c.b1,
		"M2C-B2": data.m2.c.b2,
		"M2C-B3": data.m2.c.b3,
		"M2C-B4": data.m2.c.b4,
		"M2C-B5": data.m2.c.b5,
		"M2C-B6": data.m2.c.b6,
		"M2C-B7": data.m2.c.b7,
	},
	"M2.D": {
		"M2D-B1": data.m2.d.b1,
		"M2D-B2": data.m2.d.b2,
		"M2D-B3": data.m2.d.b3,
		"M2D-B4": data.m2.d.b4,
		"M2D-B5": data.m2.d.b5,
		"M2D-B6": data.m2.d.b6,
		"M2D-B7": data.m2.d.b7,
	},
	"M2.E": {
		"M2E-B1": data.m2.e.b1,
		"M2E-B2": data.m2.e.b2,
		"M2E-B3": data.m2.e.b3,
		"M2E-B4": data.m2.e.b4,
		"M2E-B5": data.m2.e.b5,
		"M2E-B6": data.m2.e.b6,
		"M2E-B7": data.m2.e.b7,
	},
	"M2.F": {
		"M2F-B1": data.m2.f.b1,
		"M2F-B2": data.m2.f.b2,
		"M2F-B3": data.m2.f.b3,
		"M2F-B4": data.m2.f.b4,
		"M2F-B5": data.m2.f.b5,
		"M2F-B6": data.m2.f.b6,
		"M2F-B7": data.m2.f.b7,
	},
	"M2.G": {
		"M2G-B1": data.m2.g.b1,
		"M2G-B2": data.m2.g.b2,
		"M2G-B3": data.m2.g.b3,
		"M2G-B4": data.m2.g.b4,
		"M2G-B5": data.m2.g.b5,
		"M2G-B6": data.m2.g.b6,
	},
	"M2.H": {
		"M2H-B1": data.m2.h.b1,
		"M2H-B2": data.m2.h.b2,
		"M2H-B3": data.m2.h.b3,
		"M2H-B4": data.m2.h.b4,
		"M2H-B5": data.m2.h.b5,
		"M2H-B6": data.m2.h.b6,
		"M2H-B7": data.m2.h.b7,
		"M2H-B8": data.m2.h.b8,
	},
	"M2.I": {
		"M2I-B1": data.m2.i.b1,
		"M2I-B2": data.m2.i.b2,
		"M2I-B3": data.m2.i.b3,
		"M2I-B4": data.m2.i.b4,
		"M2I-B5": data.m2.i.b5,
		"M2I-B6": data.m2.i.b6,
		"M2I-B7": data.m2.i.b7,
	},
}

# Each check of a lane as its execution summary lists it, so that a pack can be compared with today.
_rows[lane] := sort([report.row_of(code, found) |
	some code, found_checks in rules
	some found in found_checks
]) if {
	some lane, rules in _rules
}

# What is open under a code: checks that are not ok and that no waiver covers.
_open[code] := open if {
	some rules in _rules
	some code, found_checks in rules
	open := [found |
		some found in found_checks
		found.ok != true
		subject := found.subject
		not [code, subject] in report.waived
	]
}

# A claim about the checks of another lane's code. What keeps them from holding is what keeps the claim: where nothing but
# reads failed, another run may mend it.
_follows(subject, claim, found_checks, offenders) := object.union(
	check.of({
		"subject": subject,
		"claim": claim,
		"refs": [],
		"handles": [],
		"holds": _holds(found_checks, offenders),
		"expected": [],
		"actual": sort([sprintf("%v: %v", [offender.subject, offender.claim]) | some offender in offenders]),
		"violation": _weightiest({offender.cause | some offender in offenders}),
	}),
	{"facts": sort({pointer | some offender in offenders; some pointer in offender.facts})},
)

# A code without a check proves nothing.
_holds(found_checks, offenders) if {
	count(found_checks) > 0
	count(offenders) == 0
} else := false

_weightiest(causes) := ranked[0] if {
	ranked := [cause | some cause in ["violated", "absent", "unpinned", "evidence", "unreadable"]; cause in causes]
	count(ranked) > 0
} else := "evidence"
