package m2_test

import data.lib.fixture_test as fixture

# The lanes that read what the tables damage by contract; the whole gate has tables of its own.
_lanes := {"M2A", "M2B", "M2C", "M2D", "M2E"}

# Every lane judges its own evidence by the same rules; one lane's observation of each kind is enough to show each of
# them.

_stage(path) := array.concat(["terraform", "stacks", "streaming"], path)

_head := ["aws", "s3", "buckets", "state", "head"]

_versioning := ["aws", "s3", "buckets", "state", "versioning"]

_backed(aspect) := sprintf("the receipts of %v are there and agree with it", [aspect])

_inconsistent := {
	"an observation that is not there": {
		"document": fixture.without(_ready, ["aws", "s3", "buckets", "state", "tagging"]),
		"expected": {
			["M2A-B5", "TF_STATE_BUCKET", _backed("tagging"), "evidence"],
			["M2A-B5", "TF_STATE_BUCKET", "the bucket's tagging can be read", "unreadable"],
		},
	},
	"an observation without receipts": {
		"document": fixture.put(_ready, array.concat(_versioning, ["receipts"]), []),
		"expected": {["M2A-B5", "TF_STATE_BUCKET", _backed("versioning"), "evidence"]},
	},
	"a receipt that is not on record": {
		"document": fixture.without(_ready, ["receipts", "s3.GetBucketVersioning/state"]),
		"expected": {["M2A-B5", "TF_STATE_BUCKET", _backed("versioning"), "evidence"]},
	},
	"a value behind a call that was denied": {
		"document": fixture.put(_ready, ["receipts", "s3.GetBucketVersioning/state", "http_status"], 403),
		"expected": {["M2A-B5", "TF_STATE_BUCKET", _backed("versioning"), "evidence"]},
	},
	"a value behind a call without an answer": {
		"document": fixture.without(_ready, ["receipts", "s3.GetBucketVersioning/state", "http_status"]),
		"expected": {["M2A-B5", "TF_STATE_BUCKET", _backed("versioning"), "evidence"]},
	},
	"a value behind a call about another bucket": {
		"document": fixture.put(
			fixture.put(_ready, array.concat(_versioning, ["receipts"]), ["s3.GetBucketVersioning/other-state"]),
			["receipts", "s3.GetBucketVersioning/other-state"],
			_ready.receipts["s3.GetBucketVersioning/state"],
		),
		"expected": {["M2A-B5", "TF_STATE_BUCKET", _backed("versioning"), "evidence"]},
	},
	"a call that names its subject only in a parameter": {
		"document": fixture.put(
			fixture.put(_ready, array.concat(_versioning, ["receipts"]), ["s3.GetBucketVersioning/x"]),
			["receipts", "s3.GetBucketVersioning/x"],
			object.union(_ready.receipts["s3.GetBucketVersioning/state"], {"parameters": {"Bucket": "state"}}),
		),
		"expected": set(),
	},
	"the second page of a list": {
		"document": fixture.put(
			fixture.put(_ready, array.concat(_versioning, ["receipts"]), ["s3.GetBucketVersioning/state#2"]),
			["receipts", "s3.GetBucketVersioning/state#2"],
			_ready.receipts["s3.GetBucketVersioning/state"],
		),
		"expected": set(),
	},
	"a receipt of an unknown kind": {
		"document": fixture.put(_ready, ["receipts", "s3.GetBucketVersioning/state", "kind"], "hearsay"),
		"expected": {["M2A-B5", "TF_STATE_BUCKET", _backed("versioning"), "evidence"]},
	},
	"a bucket without tags": {
		"document": fixture.put(
			fixture.put(_ready, ["aws", "s3", "buckets", "state", "tagging", "value", "Tags"], {}),
			["receipts", "s3.GetBucketTagging/state", "http_status"],
			404,
		),
		"expected": set(),
	},
	"a posture fact that was not collected, for no reason": {
		"document": fixture.put(_ready, _stage(["apply"]), {"status": "not_collected", "reason": ""}),
		"expected": {["M2C-B7", "streaming", _backed("apply"), "evidence"]},
	},
	"an apply that is not there": {
		"document": fixture.without(_ready, _stage(["apply"])),
		"expected": {
			["M2C-B7", "streaming", _backed("apply"), "evidence"],
			["M2C-B7", "streaming", "an apply names the plan of this run", "unreadable"],
		},
	},
	"a command whose receipt ended otherwise": {
		"document": fixture.put(_ready, ["receipts", "terraform.validate/streaming", "exit_code"], 1),
		"expected": {["M2C-B7", "streaming", _backed("validate"), "evidence"]},
	},
	"a command that never ended": {
		"document": fixture.without(_ready, ["receipts", "terraform.validate/streaming", "exit_code"]),
		"expected": {["M2C-B7", "streaming", _backed("validate"), "evidence"]},
	},
	"a plan with changes whose receipts show none": {
		"document": fixture.put(_ready, _stage(["plan", "value", "exit_code"]), 2),
		"expected": {
			["M2C-B2", "streaming", "every planned change is applied", "violated"],
			["M2C-B7", "streaming", _backed("plan"), "evidence"],
		},
	},
	"a plan and how it was shown": {
		"document": fixture.put(
			fixture.put(_ready, _stage(["plan", "receipts"]), ["terraform.plan/streaming", "terraform.show/streaming"]),
			["receipts", "terraform.show/streaming"],
			{"kind": "terraform", "exit_code": 0},
		),
		"expected": set(),
	},
	"a file that was not read": {
		"document": fixture.without(_ready, ["receipts", "file.backend/ops", "digest"]),
		"expected": {["M2A-B5", "ops", _backed("backend"), "evidence"]},
	},
	"outputs that the state does not know": {
		"document": fixture.put(_ready, _stage(["state", "value", "outputs"]), ["msk_cluster_arn"]),
		"expected": {
			["M2C-B7", "streaming", "terraform output and the state name the same outputs", "evidence"],
		},
	},
	"a state without a lineage": {
		"document": fixture.put(_ready, _stage(["state", "value", "lineage"]), ""),
		"expected": {["M2C-B7", "streaming", "the state has a serial and a lineage", "evidence"]},
	},
	"a core state without a serial": {
		"document": fixture.without(_ready, ["terraform", "stacks", "core", "state", "value", "serial"]),
		"expected": {["M2B-B5", "core", "the state has a serial and a lineage", "evidence"]},
	},
	"a core plan that is not on record": {
		"document": fixture.without(_ready, ["receipts", "terraform.plan/core"]),
		"expected": {["M2B-B5", "core", _backed("plan"), "evidence"]},
	},
	"a run that does not name its tool": {
		"document": fixture.without(_ready, ["run", "tool", "version"]),
		"expected": {
			[code, "run", "the run names itself, its clock, its tool and its registry", "evidence"] |
			some code in ["M2A-B5", "M2B-B5", "M2C-B7", "M2D-B7", "M2E-B7"]
		},
	},
	"a caller without an ARN": {
		"document": fixture.without(_ready, ["run", "caller_identity", "value", "Arn"]),
		"expected": {["M2A-B5", "run", "the caller is identified", "evidence"]},
	},
}

test_each_inconsistency_blocks_exactly_as_its_table_says if {
	found := {name: fixture.difference(case.document, _lanes, case.expected) | some name, case in _inconsistent}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _inconsistent}
}

# A call that was tried and recorded backs the fact that it failed.
test_a_recorded_failure_is_evidence if {
	denied := fixture.put(
		fixture.unreadable(_ready, _head),
		["receipts", "s3.HeadBucket/state", "http_status"],
		403,
	)
	fixture.codes(denied, _lanes) == {"M2A-B1"}
	without_call := fixture.put(denied, array.concat(_head, ["receipts"]), [])
	fixture.codes(without_call, _lanes) == {"M2A-B1"}
}

test_an_absence_without_an_answer_is_no_evidence if {
	absent := fixture.without(
		fixture.absent(_ready, _head),
		["receipts", "s3.HeadBucket/state", "http_status"],
	)
	fixture.codes(absent, _lanes) == {"M2A-B1", "M2A-B5"}
}

# The lanes with a check that reads an observation are enough. What only stands behind a receipt is not read by name, so
# that any lane may be the one to notice that it is gone.
_reading(at) := found if {
	found := {substring(reader[0], 0, 3) | some reader in fixture.readers(at, data.lib.fixture_test.lanes, "")}
	count(found) > 0
} else := data.lib.fixture_test.lanes

# Removing any observation of the document, status and all, is never better than not being able to read it.
test_every_hole_blocks_with_evidence if {
	places := {array.concat(["aws"], read.at) |
		some read in data.lib.fixture_test.reads
		not read in data.lib.fixture_test.rollup_reads
	}
	causes := {at: {blocker[3] | some blocker in fixture.blockers_of(fixture.without(_ready, at), _reading(at))} |
		some at in places
	}
	{at | some at, found in causes; "evidence" in found} == places
}
