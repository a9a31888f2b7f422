# METADATA
# title: Facts
# description: |
#   Total look-ups into the fact document. A reference says where an observation is (`at`), which field of its value is
#   meant (`field`) and which handles its place was named by (`handles`). Asking about a place that is not there gives
#   the status `missing`, never undefined.
#
#   More keys of a reference are optional: `subject`, what its observation is about; `exit_codes`, the exit codes with
#   which a command counts as answered; `may_be_absent`, true where absence is as good an answer as a value;
#   `any_status`, true where the rule judges the status itself.
package lib.fact

# The observation that the reference points at; empty where there is none.
observation(ref) := found if {
	found := object.get(input, ref.at, null)
	is_object(found)
} else := {}

# `present`, `absent`, `unreadable`, `not_collected`; `missing` where the document holds no observation.
# An absence is one only if the answer was that there is nothing; any other error leaves open what is there.
status(ref) := "unreadable" if {
	object.get(input, array.concat(ref.at, ["status"]), null) == "absent"
	object.get(input, array.concat(ref.at, ["error", "kind"]), null) != "not_found"
} else := found if {
	found := object.get(input, array.concat(ref.at, ["status"]), null)
	found in {"present", "absent", "unreadable", "not_collected"}
} else := "missing"

# The status, in which a command that ran and failed is `failed`: its value answers nothing.
reading(ref) := found if {
	found := status(ref)
	not _has_failed(ref, found)
} else := "failed"

# The references among `refs` that a rule may not rely on, each with how it reads.
unknown(refs) := [{"ref": ref, "reading": found} |
	some ref in refs
	found := reading(ref)
	found != "present"
	not _is_accepted(ref, found)
]

# The field of the value. Null where there is none: a null equals nothing that a contract pins.
value(ref) := object.get(input, array.concat(ref.at, array.concat(["value"], ref.field)), null)

# The same, where only a list is of use; anything else reads as an empty one.
list(ref) := found if {
	found := value(ref)
	is_array(found)
} else := []

# A text that says something.
is_text(value) if {
	is_string(value)
	trim_space(value) != ""
} else := false

# An object as it is, and one without members in place of anything else.
members(value) := value if {
	is_object(value)
} else := {}

# The run-keyed fingerprint of the field, for comparing it with a redacted value.
fingerprint(ref) := object.get(input, array.concat(ref.at, ["fingerprints", _joined(ref.field)]), null)

# The JSON pointer of the field, or of the whole observation where it holds no value.
pointer(ref) := _joined(array.concat(ref.at, array.concat(["value"], ref.field))) if {
	status(ref) == "present"
} else := _joined(ref.at)

# Whether the reference names a place at all: not where it goes through a handle that is not pinned, or that is no text.
is_named(ref) if count([step | some step in ref.at; not is_string(step)]) == 0

# What an operator wants to read in place of a value that is not there.
outcome(ref) := _outcome(ref, reading(ref))

_outcome(_, "present") := "present"

_outcome(_, "missing") := "not in the fact document"

_outcome(ref, "not_collected") := sprintf("not collected (%v)", [reason]) if {
	reason := object.get(observation(ref), "reason", "no reason given")
}

_outcome(ref, "failed") := sprintf("the command failed (exit code %v)", [_exit_code(ref)])

_outcome(ref, "absent") := sprintf("absent (%v)", [_error(ref, "code")])

# Where no permission would have helped, the message says what would.
_outcome(ref, "unreadable") := sprintf("unreadable (%v, needs %v)", [_error(ref, "code"), _error(ref, "action")]) if {
	_error(ref, "action") != "-"
} else := sprintf("unreadable (%v: %v)", [_error(ref, "code"), replace(_error(ref, "message"), "\n", "; ")]) if {
	_error(ref, "message") != "-"
} else := sprintf("unreadable (%v)", [_error(ref, "code")])

_has_failed(ref, "present") if {
	accepted := object.get(ref, "exit_codes", null)
	accepted != null
	exit_code := object.get(input, array.concat(ref.at, ["value", "exit_code"]), null)
	not exit_code in accepted
}

_is_accepted(ref, "absent") if object.get(ref, "may_be_absent", false) == true

_is_accepted(ref, _) if object.get(ref, "any_status", false) == true

_error(ref, field) := text if {
	text := object.get(observation(ref), ["error", field], null)
	is_string(text)
} else := "-"

_exit_code(ref) := code if {
	code := object.get(observation(ref), ["value", "exit_code"], null)
	is_number(code)
} else := "unknown"

# RFC 6901.
_joined(steps) := concat("/", array.concat(
	[""],
	[replace(replace(step, "~", "~0"), "/", "~1") | some step in steps; is_string(step)],
))
