package m2.d

import data.lib.check
import data.lib.handle

# METADATA
# title: Topic without exactly one known owner
# description: |
#   A required topic has no owner row or more than one; a row leaves out producers, consumers or owner, names an
#   anonymous principal, or names something that is no role handle of the registry; or it names a role that is still
#   `TO_PIN` without routing it to M2.E. The rows are contract data, which can be overridden.
# custom:
#   code: M2D-B4
#   severity: S1
#   taxonomy: M2-B3
#   remediation: >-
#     Correct the row in the contract's owner matrix (`m2.topics.owners`). Until the role exists, give the row
#     `"routed_to": "M2.E"`.
b4 contains check.of({
	"subject": name,
	"claim": "exactly one row names its owner",
	"refs": [],
	"handles": [name],
	"holds": count(_rows_of(name)) == 1,
	"expected": 1,
	"actual": count(_rows_of(name)),
}) if {
	some name in data.contract.m2.topics.required
}

b4 contains check.of({
	"subject": name,
	"claim": "its owner, its producers and its consumers are known roles",
	"refs": [],
	"handles": [],
	"holds": count(_strangers(name)) == 0,
	"expected": [],
	"actual": _strangers(name),
}) if {
	some name in data.contract.m2.topics.required
}

b4 contains check.of({
	"subject": name,
	"claim": "its roles are pinned, or routed to where they are made",
	"refs": [],
	"handles": [name],
	"unpinned": _unrouted(name),
	"holds": true,
	"expected": sprintf("pinned, or routed to %v", [data.contract.m2.topics.routes_open_roles_to]),
	"actual": {"routed": _routed(name)},
}) if {
	some name in data.contract.m2.topics.required
}

b4 contains check.of({
	"subject": "m2.topics.owners",
	"claim": "every row is about a topic of the registry",
	"refs": [],
	"handles": [],
	"holds": count(_astray) == 0,
	"expected": [],
	"actual": _astray,
})

_rows := [row | some row in data.contract.m2.topics.owners] if {
	is_array(data.contract.m2.topics.owners)
} else := []

_rows_of(name) := [row | some row in _rows; is_object(row); object.get(row, "topic", null) == name]

_astray := [row | some row in _rows; not _has_topic(row)]

_has_topic(row) if {
	is_object(row)
	topic := object.get(row, "topic", null)
	is_string(topic)
	startswith(topic, data.contract.m2.topics.prefix)
	_is_mentioned(topic)
}

# What stands in a row of the topic where a known role should.
_strangers(name) := [{"as": part, "principal": principal, "fault": fault} |
	some row in _rows_of(name)
	some part in ["owner", "producers", "consumers"]
	some principal in _principals(row, part)
	fault := _fault(principal)
	fault != "none"
]

# Nobody stands for a part that is left out or empty.
_principals(row, part) := found if {
	found := object.get(row, part, null)
	is_array(found)
	count(found) > 0
	part != "owner"
} else := [object.get(row, part, null)] if {
	part == "owner"
} else := [null]

_fault(principal) := "nobody" if {
	principal == null
} else := "no text" if {
	not is_string(principal)
} else := "anonymous" if {
	trim_space(principal) in {"", "*"}
} else := "no role handle of the registry" if {
	not _is_role(principal)
} else := "none"

_is_role(name) if {
	startswith(name, data.contract.m2.topics.role_prefix)
	_is_mentioned(name)
}

_is_mentioned(name) if handle.raw(name) != null

# The roles of a topic's rows that are still open, by whether the row says where they are made.
_unrouted(name) := sort({role | some row in _rows_of(name); not _is_routed(row); some role in _open_roles(row)})

_routed(name) := sort({role | some row in _rows_of(name); _is_routed(row); some role in _open_roles(row)})

_is_routed(row) if object.get(row, "routed_to", null) == data.contract.m2.topics.routes_open_roles_to

_open_roles(row) := {role |
	some part in ["owner", "producers", "consumers"]
	some role in _principals(row, part)
	_fault(role) == "none"
	not handle.is_pinned(role)
}
