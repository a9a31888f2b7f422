# METADATA
# title: Facts
# description: |
#   Total look-ups into the fact document. A reference says where an observation is (`at`), which field of its value is meant
#   (`field`) and which handles its place was named by (`handles`). Asking about a place that is not there gives the status
#   `missing`, never undefined.
#
#   More keys of a reference are optional: `subject`, what its observation is about; `exit_codes`, the exit codes with which
#   a command counts as answered; `may_be_absent`, true where absence is as good an answer as a value; `any_status`, true
#   where the rule judges the status itself.
package lib.fact

# The observation that the reference points at.
observation(ref) := found if {
	found := object.get(input, ref.at, null)
	is_object(found)
} else := {}

# `present`, `absent`, `unreadable`, `not_collected`; `missing` where the document holds no observation.
status(ref) := found if {
	found := object.get(observation(ref), "status", null)
	found in {"present", "absent", "unreadable", "not_collected"}
} else := "missing"

# The status, in which a command that ran and failed is `failed`: its value answers nothing.
reading(ref) := "failed" if {
	status(ref) == "present"
	accepted := object.get(ref, "exit_codes", null)
	is_array(accepted)
	not object.get(observation(ref), ["value", "exit_code"], null) in accepted
} else := status(ref)

# Whether a rule may rely on what the reference gives.
is_known(ref) if reading(ref) == "present"

is_known(ref) if {
	reading(ref) == "absent"
	object.get(ref, "may_be_absent", false) == true
}

is_known(ref) if object.get(ref, "any_status", false) == true

# The field of the value. Null where there is none: a null equals nothing that a contract pins.
value(ref) := object.get(observation(ref), array.concat(["value"], ref.field), null) if {
	status(ref) == "present"
} else := null

# The same, where only a list is of use; anything else reads as an empty one.
list(ref) := found if {
	found := value(ref)
	is_array(found)
} else := []

# The run-keyed fingerprint of the field, for comparing it with a redacted value.
fingerprint(ref) := object.get(observation(ref), ["fingerprints", _join(ref.field)], null) if {
	status(ref) == "present"
} else := null

# The JSON pointer of the field, or of the whole observation where it holds no value.
pointer(ref) := _join(array.concat(ref.at, array.concat(["value"], ref.field))) if {
	status(ref) == "present"
} else := _join(ref.at)

# Whether the reference names a place at all: not where it goes through a handle that is not pinned.
is_named(ref) if {
	every step in ref.at {
		step != null
	}
}

# What an operator wants to read in place of a value that is not there.
outcome(ref) := "not in the fact document" if {
	reading(ref) == "missing"
} else := sprintf("not collected (%v)", [object.get(observation(ref), "reason", "no reason given")]) if {
	reading(ref) == "not_collected"
} else := sprintf("the command failed (exit code %v)", [_exit_code(ref)]) if {
	reading(ref) == "failed"
} else := sprintf("unreadable (%v, needs %v)", [_error(ref, "code"), _error(ref, "action")]) if {
	reading(ref) == "unreadable"
	_error(ref, "action") != "-"
} else := sprintf("%v (%v)", [reading(ref), _error(ref, "code")]) if {
	reading(ref) in {"absent", "unreadable"}
} else := "present"

_error(ref, field) := text if {
	text := object.get(observation(ref), ["error", field], null)
	is_string(text)
} else := "-"

_exit_code(ref) := code if {
	code := object.get(observation(ref), ["value", "exit_code"], null)
	is_number(code)
} else := "unknown"

_join(steps) := concat("", [sprintf("/%s", [_escape(step)]) | some step in steps])

# RFC 6901.
_escape(step) := replace(replace(step, "~", "~0"), "/", "~1") if {
	is_string(step)
} else := json.marshal(step)
