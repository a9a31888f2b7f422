# METADATA
# title: Tags
# description: |
#   The tags that the contract wants on a resource. Each comes from a `TAG_*_KEY` handle, which pins the key and, behind
#   its arrow, the value.
package lib.tags

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle

# The resource carries every pinned tag. The reference leads to its tags, in any of the forms that the services give
# them.
carried(name, ref) := _carries(name, [ref], _missing(pairs(fact.value(ref))))

# The same for resources of the network, which are known by their ids and carry their tags in the inventory only. The
# handle pins one id or a list of them.
carried_in_inventory(name, kind) := _carries(name, [ref], missing) if {
	ref := aws.inventory(["ResourceTagMappingList"])
	missing := [object.union(tag, {"resource": id}) |
		some id in _ids(handle.value(name))
		some tag in _missing(_inventory_pairs(fact.list(ref), kind, id))
	]
}

# The set of [key, value] pairs, whatever form the tags come in.
pairs(tags) := {[key, value] | some key, value in tags} if {
	is_object(tags)
} else := {pair |
	some tag in tags
	is_object(tag)
	some key, value in {"Key": "Value", "TagKey": "TagValue"}
	pair := [object.get(tag, key, null), object.get(tag, value, null)]
	pair[0] != null
} if {
	is_array(tags)
} else := set()

_carries(name, refs, missing) := check.of({
	"subject": name,
	"claim": "it carries the pinned tags",
	"refs": refs,
	"handles": array.concat([name], data.contract.m2.tags),
	"unpinned": [sprintf("the value of %v", [tag]) |
		some tag in data.contract.m2.tags
		handle.is_pinned(tag)
		handle.tag_value(tag) == null
	],
	"holds": count(missing) == 0,
	"expected": [{"key": handle.value(tag), "value": handle.tag_value(tag)} | some tag in data.contract.m2.tags],
	"actual": missing,
})

# What is missing or different, by the pinned tags.
_missing(found) := [{"key": key, "expected": handle.tag_value(tag), "actual": values} |
	some tag in data.contract.m2.tags
	key := handle.value(tag)
	not [key, handle.tag_value(tag)] in found
	values := sort({pair[1] | some pair in found; pair[0] == key})
]

_ids(value) := value if {
	is_array(value)
} else := [value]

_inventory_pairs(resources, kind, id) := {pair |
	some resource in resources
	is_object(resource)
	arn := object.get(resource, "ResourceARN", null)
	is_string(arn)
	endswith(arn, sprintf(":%v/%v", [kind, id]))
	some pair in pairs(object.get(resource, "Tags", []))
}
