# METADATA
# title: Path patterns
# description: |
#   Whether a pattern names exactly one object for each choice of its placeholders, below whatever root it is put.
package lib.path

# What keeps the pattern from being a valid and unambiguous path. It must hold each of the placeholders once, in braces,
# and no other. Whatever is given for a pattern, there is an answer.
faults(pattern, placeholders) := {"not a text"} if {
	not is_string(pattern)
} else := {"empty"} if {
	trim_space(pattern) == ""
} else := union({_malformations(pattern), _miscounted(pattern, placeholders), _others(pattern, placeholders)})

# Segments are folders and, at the end, a file. Characters that a store, a shell or a URL reads in its own way are out.
_malformations(pattern) := {fault |
	segments := split(pattern, "/")
	some fault, is_found in {
		"an absolute path": segments[0] == "",
		"no file at the end": segments[count(segments) - 1] == "",
		"an empty segment": contains(pattern, "//"),
		"a relative segment": count([segment | some segment in segments; segment in {".", ".."}]) > 0,
		"a character that paths do not have": _is_plain(pattern) == false,
		"nothing between two placeholders": contains(pattern, "}{"),
	}
	is_found
}

_is_plain(pattern) := regex.match(`^([A-Za-z0-9._/-]|\{[A-Za-z0-9_]+\})*$`, pattern)

_miscounted(pattern, placeholders) := {fault |
	some placeholder in placeholders
	found := strings.count(pattern, sprintf("{%v}", [placeholder]))
	found != 1
	fault := sprintf("{%v} not once, but %v times", [placeholder, found])
}

_others(pattern, placeholders) := {fault |
	some part in array.slice(split(pattern, "{"), 1, strings.count(pattern, "{") + 1)
	name := split(part, "}")[0]
	not name in {placeholder | some placeholder in placeholders}
	fault := sprintf("{%v} is no placeholder of this path", [name])
}
