package m2.c

import data.lib.check
import data.lib.handle

# METADATA
# title: Flink handle set incomplete or incoherent
# description: |
#   The runtime mode is not one of the contract's; an application is not pinned, shares its name with another, or lacks
#   the platform's prefix; the checkpoint pattern does not place each application's state in a folder of its own; or
#   interval or parallelism is not a positive whole number.
# custom:
#   code: M2C-B6
#   severity: S2
#   taxonomy: M2-B5
#   remediation: Correct the `FLINK_*` handles in the registry.
b6 contains check.of({
	"subject": name,
	"claim": "it is one of the contract's runtime modes",
	"refs": [],
	"handles": [name],
	"holds": handle.value(name) in allowed,
	"expected": allowed,
	"actual": handle.value(name),
}) if {
	mode := data.contract.m2.flink.runtime_mode
	name := mode.handle
	allowed := mode.allowed
}

b6 contains check.of({
	"subject": name,
	"claim": "the application's name has the platform's prefix",
	"refs": [],
	"handles": array.concat([name], handle.named_by(template)),
	"holds": _has_prefix(handle.value(name), handle.expand(template)),
	"expected": handle.expand(template),
	"actual": handle.value(name),
}) if {
	template := data.contract.m2.flink.application_prefix
	some name in data.contract.m2.flink.applications
}

b6 contains check.of({
	"subject": name,
	"claim": "no other application has the name",
	"refs": [],
	"handles": [name],
	"holds": count(_namesakes(name)) == 0,
	"expected": [],
	"actual": _namesakes(name),
}) if {
	some name in data.contract.m2.flink.applications
}

b6 contains check.of({
	"subject": pattern.handle,
	"claim": "it gives every application a folder of its own",
	"refs": [],
	"handles": [pattern.handle],
	"holds": count(_pattern_faults(handle.value(pattern.handle))) == 0,
	"expected": sprintf("a relative folder with %v in it", [pattern.placeholder]),
	"actual": handle.value(pattern.handle),
}) if {
	pattern := data.contract.m2.flink.checkpoint_pattern
}

b6 contains check.of({
	"subject": name,
	"claim": "it is a positive whole number",
	"refs": [],
	"handles": [name],
	"holds": _is_positive(handle.value(name)),
	"expected": "a whole number above 0",
	"actual": handle.value(name),
}) if {
	some name in data.contract.m2.flink.positive
}

_has_prefix(value, prefix) if {
	is_string(value)
	is_string(prefix)
	startswith(value, prefix)
	value != prefix
} else := false

# Any Flink application of the registry counts, not only those that the contract requires.
_namesakes(name) := sort({other |
	some other in handle.mentioned("FLINK_APP_")
	other != name
	check.same(handle.value(other), handle.value(name))
})

# What keeps the pattern from giving every application a folder of its own, as far as text can show it.
_pattern_faults(pattern) := {"not a text"} if {
	not is_string(pattern)
} else := {fault |
	placeholder := data.contract.m2.flink.checkpoint_pattern.placeholder
	segments := split(pattern, "/")
	folders := array.slice(segments, 0, count(segments) - 1)
	some fault, is_found in {
		"not exactly one placeholder": strings.count(pattern, placeholder) != 1,
		"another placeholder": strings.count(pattern, "{") != 1,
		"not a folder": segments[count(segments) - 1] != "",
		"an empty or relative segment": count([folder | some folder in folders; folder in {"", ".", ".."}]) > 0,
		"a scheme": contains(pattern, ":"),
	}
	is_found
}

_is_positive(value) if {
	is_number(value)
	value > 0
	floor(value) == value
} else := false
