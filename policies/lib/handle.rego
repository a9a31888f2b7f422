# METADATA
# title: Handles
# description: |
#   Total look-ups into the handle registry. A handle that is missing, empty or `TO_PIN` has the value null; nothing
#   here is ever undefined, so a rule that asks for a handle cannot vanish with it.
package lib.handle

# The pinned value; null where nothing is pinned.
value(name) := found if {
	found := raw(name)
	is_string(found)
	not upper(trim_space(found)) in _placeholders
} else := _pinned(raw(name))

# What the registry says, whether that pins anything or not.
raw(name) := object.get(input, ["handles", name, "value"], null)

is_pinned(name) if value(name) != null

# The handles that the registry mentions, pinned or not, whose names start with the prefix.
mentioned(prefix) := {name |
	handles := object.get(input, "handles", {})
	is_object(handles)
	some name, _ in handles
	startswith(name, prefix)
}

# A setting that a handle may pin, and that the contract gives a default where the registry does not mention the handle.
chosen(setting) := setting["default"] if {
	raw(setting.handle) == null
} else := value(setting.handle)

# The handle that `chosen` needs, if it needs one.
named_by_setting(setting) := [] if {
	raw(setting.handle) == null
} else := [setting.handle]

# The handles among `names` that are not pinned.
unpinned(names) := [name | some name in names; value(name) == null]

# The value that a tag must have, by the handle of the tag's key; null where the registry expects none.
tag_value(name) := expected if {
	expected := object.get(input, ["handles", name, "expected_tag_value"], null)
	is_string(expected)
	trim_space(expected) != ""
} else := null

# The handle's place in the fact document.
pointer(name) := concat("", ["/handles/", name, "/value"])

# The template of a name, with `{platform}` filled in: the prefix of every name that the platform gives. Null while a
# part of it is not pinned.
expand(template) := template if {
	not contains(template, "{platform}")
} else := replace(template, "{platform}", _platform) if {
	is_string(_platform)
} else := null

# The handles that `expand` needs.
named_by(template) := data.contract.m2.platform_name if {
	contains(template, "{platform}")
} else := []

# The folder of the platform's parameters; null while a part of its name is not pinned.
default folder := null

folder := concat("/", array.concat([""], parts)) if {
	parts := [part | some name in data.contract.m2.platform_name; part := value(name); is_string(part)]
	count(parts) == count(data.contract.m2.platform_name)
}

# The items that a handle lists, as a list or as text with commas between them. One that is no list has none.
listed(name) := {trim_space(item) | some item in split(value(name), ",")} if {
	is_string(value(name))
} else := {item | some item in value(name)} if {
	is_array(value(name))
} else := set()

default _platform := null

_platform := joined if {
	parts := [replace(part, "_", "-") | some name in data.contract.m2.platform_name; part := value(name); is_string(part)]
	count(parts) == count(data.contract.m2.platform_name)
	joined := concat("-", parts)
}

# What is no text: a list that says something, or a number and its like.
_pinned(found) := found if {
	is_array(found)
	count(found) > 0
	count([item | some item in found; upper(trim_space(_text(item))) in _placeholders]) == 0
} else := found if {
	type_name(found) in {"boolean", "number", "object"}
} else := null

# In upper case and without the blanks around it, a placeholder is one of these.
_placeholders := {"", "TO_PIN"}

_text(item) := item if {
	is_string(item)
} else := "" if {
	item == null
} else := "something else"
