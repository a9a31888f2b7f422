package lib.tags_test

import data.lib.tags

_handles := {
	"TAG_PROJECT_KEY": {"value": "project", "expected_tag_value": "p", "line": 1},
	"TAG_ENV_KEY": {"value": "env", "expected_tag_value": "e", "line": 2},
	"TAG_OWNER_KEY": {"value": "owner", "expected_tag_value": "o", "line": 3},
	"IDS": {"value": ["i-1", "i-2"], "line": 4},
	"ID": {"value": "i-1", "line": 5},
	"THING": {"value": "t", "line": 6},
}

_ref := {"at": ["thing"], "field": ["Tags"], "handles": ["THING"]}

_document(found) := {"handles": _handles, "thing": {"status": "present", "value": {"Tags": found}}}

_right := {"project": "p", "env": "e", "owner": "o"}

_wrong_env := [{"key": "env", "expected": "e", "actual": ["x"]}]

test_tags_come_in_every_form_of_the_services if {
	pairs := {["k", "v"]}
	tags.pairs({"k": "v"}) == pairs
	tags.pairs([{"Key": "k", "Value": "v"}]) == pairs
	tags.pairs([{"TagKey": "k", "TagValue": "v"}]) == pairs
	tags.pairs(["k", null, {"Other": "k"}]) == set()
	tags.pairs(null) == set()
	tags.pairs("k") == set()
}

test_all_tags_are_right if {
	found := tags.carried("THING", _ref) with input as _document(object.union(_right, {"more": "m"}))
	[found.ok, found.actual] == [true, []]
}

test_a_wrong_tag_is_listed if {
	found := tags.carried("THING", _ref) with input as _document(object.union(_right, {"env": "x"}))
	[found.cause, found.actual] == ["violated", _wrong_env]
}

test_a_missing_tag_is_listed if {
	found := tags.carried("THING", _ref) with input as _document(object.remove(_right, ["owner"]))
	[found.cause, found.actual] == ["violated", [{"key": "owner", "expected": "o", "actual": []}]]
}

test_a_tag_that_the_registry_leaves_open_is_not_pinned if {
	open := json.remove(_handles, ["TAG_ENV_KEY/expected_tag_value"])
	document := object.union(object.remove(_document(_right), ["handles"]), {"handles": open})
	found := tags.carried("THING", _ref) with input as document
	[found.cause, found.actual] == ["unpinned", "the value of TAG_ENV_KEY is not pinned"]
}

_inventory(resources) := {"handles": _handles, "aws": {"tagging": {"inventories": {"p": {"resources": {
	"status": "present",
	"value": {"ResourceTagMappingList": resources},
}}}}}}

_resource(id, found) := {
	"ResourceARN": sprintf("arn:aws:ec2:r:1:thing/%v", [id]),
	"Tags": [{"Key": key, "Value": value} | some key, value in found],
}

test_network_resources_are_found_in_the_inventory if {
	document := _inventory([_resource("i-1", _right), _resource("i-2", _right), "malformed", {"ResourceARN": 1}])
	found := [tags.carried_in_inventory(name, "thing") | some name in ["IDS", "ID"]] with input as document
	[check.ok | some check in found] == [true, true]
}

test_a_network_resource_that_is_not_listed_has_no_tags if {
	document := _inventory([_resource("i-1", _right), _resource("xi-2", _right)])
	found := tags.carried_in_inventory("IDS", "thing") with input as document
	{offender.resource | some offender in found.actual} == {"i-2"}
	count(found.actual) == 3
}

test_a_network_resource_with_a_wrong_tag_is_listed if {
	document := _inventory([_resource("i-1", _right), _resource("i-2", object.union(_right, {"env": "x"}))])
	found := tags.carried_in_inventory("IDS", "thing") with input as document
	found.actual == [{"resource": "i-2", "key": "env", "expected": "e", "actual": ["x"]}]
}

test_a_tag_without_a_value_is_a_tag if {
	tags.pairs([{"Key": "project"}, {"Value": "p"}, "strange"]) == {["project", null]}
	tags.pairs("strange") == set()
}

test_a_tag_of_an_open_handle_is_told_once if {
	open := object.union(object.remove(_handles, ["TAG_ENV_KEY"]), {"TAG_ENV_KEY": {"value": "TO_PIN", "line": 2}})
	document := object.union(object.remove(_document(_right), ["handles"]), {"handles": open})
	found := tags.carried("THING", _ref) with input as document
	[found.cause, found.actual] == ["unpinned", "TAG_ENV_KEY is not pinned"]
}
