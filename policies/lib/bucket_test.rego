package lib.bucket_test

import data.lib.bucket

_rule(algorithm) := {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}

_document(rules) := {
	"handles": {"BUCKET": {"value": "b", "line": 1}},
	"aws": {"s3": {"buckets": {"b": {
		"encryption": {"status": "present", "value": {"Rules": rules}},
		"versioning": {"status": "present", "value": {"Status": "Enabled"}},
		"public_access_block": {"status": "present", "value": {
			"BlockPublicAcls": true,
			"BlockPublicPolicy": true,
			"IgnorePublicAcls": "true",
			"RestrictPublicBuckets": true,
		}},
	}}}},
}

_red(rules) := found if {
	document := _document(rules)
	found := {check.claim | some check in bucket.posture("BUCKET"); not check.ok} with input as document
}

test_every_claim_about_a_bucket if {
	claims := {check.claim | some check in bucket.posture("BUCKET")} with input as {}
	claims == {
		"the bucket encrypts by default",
		"the bucket is versioned",
		"BlockPublicAcls is on",
		"BlockPublicPolicy is on",
		"IgnorePublicAcls is on",
		"RestrictPublicBuckets is on",
	}
}

test_a_flag_must_be_true_itself if _red([_rule("AES256")]) == {"IgnorePublicAcls is on"}

test_only_pinned_algorithms_encrypt if {
	every rules in [[], [_rule("none")], [_rule("aws:kms"), _rule("none")], [_rule("AES256"), 7], [{}], ["AES256"], [null, _rule(null)]] {
		_red(rules) == {"IgnorePublicAcls is on", "the bucket encrypts by default"}
	}
}
