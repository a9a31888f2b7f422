# METADATA
# title: Handles
# description: |
#   Total look-ups into the handle registry. A handle that is missing, empty or `TO_PIN` has the value null; nothing here is
#   ever undefined, so a rule that asks for a handle cannot vanish with it.
package lib.handle

# The pinned value; null where nothing is pinned.
value(name) := pinned if {
	is_pinned(name)
	pinned := raw(name)
} else := null

# What the registry says, whether that pins anything or not.
raw(name) := object.get(input, ["handles", name, "value"], null)

is_pinned(name) if {
	raw(name) != null
	not _is_placeholder(raw(name))
}

# The handles among `names` that are not pinned, sorted.
unpinned(names) := sort({name | some name in names; not is_pinned(name)})

# The value that a tag must have, by the handle of the tag's key; null where the registry expects none.
tag_value(name) := expected if {
	expected := object.get(input, ["handles", name, "expected_tag_value"], null)
	is_string(expected)
	trim_space(expected) != ""
} else := null

# The handle's place in the fact document.
pointer(name) := sprintf("/handles/%s/value", [name])

# The prefix of every name that the platform gives: `fraud-platform-dev-full`. Null while a part of it is not pinned.
_platform := joined if {
	parts := [replace(part, "_", "-") | some name in data.contract.m2.platform_name; part := value(name); is_string(part)]
	count(parts) == count(data.contract.m2.platform_name)
	joined := concat("-", parts)
} else := null

# The template of a name, with `{platform}` filled in; null while the platform's name is not pinned.
expand(template) := template if {
	not contains(template, "{platform}")
} else := replace(template, "{platform}", _platform) if {
	is_string(_platform)
} else := null

# The handles that `expand` needs.
named_by(template) := data.contract.m2.platform_name if {
	contains(template, "{platform}")
} else := []

_is_placeholder(value) if {
	is_string(value)
	upper(trim_space(value)) in {"", "TO_PIN"}
}

_is_placeholder(value) if value == []

_is_placeholder(value) if {
	is_array(value)
	some item in value
	_is_placeholder_item(item)
}

_is_placeholder_item(item) if item == null

_is_placeholder_item(item) if {
	is_string(item)
	upper(trim_space(item)) in {"", "TO_PIN"}
}
