package {{package}}.{{rule}}_test

# To do: the handle and the fact that {{code}} reads. Each test is about another observation of that fact.
_document(observation) := {
	"handles": {"A_HANDLE": {"value": "a-bucket", "line": 1}},
	"aws": {"s3": {"buckets": {"a-bucket": {"versioning": observation}}}},
}

_causes(document) := causes if {
	causes := {claim.cause | some claim in data.{{package}}.{{rule}}} with input as document
}

# To do: the value that {{code}} claims. Then take `todo_` off.
todo_test_it_does_not_fire_on_the_claimed_value if {
	_causes(_document({"status": "present", "value": {"Status": "claimed"}, "receipts": []})) == {"none"}
}

test_it_fires_on_another_value if {
	_causes(_document({"status": "present", "value": {"Status": "another"}, "receipts": []})) == {"violated"}
}

test_it_fires_where_nothing_is_there if {
	error := {"code": "NotFound", "kind": "not_found"}
	_causes(_document({"status": "absent", "error": error, "receipts": []})) == {"absent"}
}

test_it_blocks_while_the_fact_cannot_be_read if {
	error := {"code": "AccessDenied", "kind": "denied"}
	_causes(_document({"status": "unreadable", "error": error, "receipts": []})) == {"unreadable"}
}

test_it_blocks_while_the_handle_is_not_pinned if _causes({}) == {"unpinned"}
