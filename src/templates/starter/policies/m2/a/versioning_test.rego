package m2.a.versioning_test

# A document with one observation of the bucket.
_document(observation) := {
	"handles": {"TF_STATE_BUCKET": {"value": "state", "line": 1}},
	"aws": {"s3": {"buckets": {"state": {"versioning": observation}}}},
}

_causes(document) := causes if {
	causes := {claim.cause | some claim in data.m2.a.b1} with input as document
}

test_it_does_not_fire_on_a_versioned_bucket if {
	_causes(_document({"status": "present", "value": {"Status": "Enabled"}, "receipts": []})) == {"none"}
}

test_it_fires_where_versioning_is_suspended_or_was_never_on if {
	every value in [{"Status": "Suspended"}, {}] {
		_causes(_document({"status": "present", "value": value, "receipts": []})) == {"violated"}
	}
}

test_it_fires_where_there_is_no_bucket if {
	error := {"code": "NoSuchBucket", "kind": "not_found"}
	_causes(_document({"status": "absent", "error": error, "receipts": []})) == {"absent"}
}

test_it_blocks_while_versioning_cannot_be_read if {
	error := {"code": "AccessDenied", "kind": "denied", "action": "s3:GetBucketVersioning"}
	_causes(_document({"status": "unreadable", "error": error, "receipts": []})) == {"unreadable"}
}

test_it_blocks_while_the_handle_is_not_pinned if _causes({}) == {"unpinned"}
