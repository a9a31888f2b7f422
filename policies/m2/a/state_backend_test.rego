package m2.a_test

import data.lib.fixture_test as fixture

# The lanes that read what the tables damage by contract; the whole gate has tables of its own.
_lanes := {"M2A", "M2E"}

_ready := data.lib.fixture_test.ready

_bucket := ["aws", "s3", "buckets", "state"]

_table := ["aws", "dynamodb", "tables", "locks", "table"]

_core := ["terraform", "stacks", "core"]

_key_schema := array.concat(_table, ["value", "Table", "KeySchema"])

# What a damage must turn red, and nothing else.
_damaged := {
	"head bucket answers from another region": {
		"document": fixture.put(
			fixture.put(_ready, array.concat(_bucket, ["head", "value", "BucketRegion"]), "eu-west-1"),
			["receipts", "s3.HeadBucket/state", "http_status"],
			301,
		),
		"expected": set(),
	},
	"state bucket in another region": {
		"document": fixture.put(_ready, array.concat(_bucket, ["location", "value", "LocationConstraint"]), "eu-west-1"),
		"expected": {["M2A-B2", "TF_STATE_BUCKET", "the bucket is in the pinned region", "violated"]},
	},
	"versioning suspended": {
		"document": fixture.put(_ready, array.concat(_bucket, ["versioning", "value", "Status"]), "Suspended"),
		"expected": {["M2A-B2", "TF_STATE_BUCKET", "the bucket is versioned", "violated"]},
	},
	"versioning never configured": {
		"document": fixture.put(_ready, array.concat(_bucket, ["versioning", "value"]), {}),
		"expected": {["M2A-B2", "TF_STATE_BUCKET", "the bucket is versioned", "violated"]},
	},
	"encryption removed": {
		"document": fixture.absent(_ready, array.concat(_bucket, ["encryption"])),
		"expected": {["M2A-B2", "TF_STATE_BUCKET", "the bucket encrypts by default", "absent"]},
	},
	"encryption without a rule": {
		"document": fixture.put(_ready, array.concat(_bucket, ["encryption", "value", "Rules"]), []),
		"expected": {["M2A-B2", "TF_STATE_BUCKET", "the bucket encrypts by default", "violated"]},
	},
	"encryption of an unknown kind": {
		"document": fixture.put(_ready, array.concat(_bucket, ["encryption", "value", "Rules"]), [
			{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}},
			{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "rot13"}},
		]),
		"expected": {["M2A-B2", "TF_STATE_BUCKET", "the bucket encrypts by default", "violated"]},
	},
	"one public access flag off, one missing": {
		"document": fixture.put(_ready, array.concat(_bucket, ["public_access_block", "value"]), {
			"BlockPublicAcls": true,
			"BlockPublicPolicy": false,
			"IgnorePublicAcls": true,
		}),
		"expected": {
			["M2A-B2", "TF_STATE_BUCKET", "BlockPublicPolicy is on", "violated"],
			["M2A-B2", "TF_STATE_BUCKET", "RestrictPublicBuckets is on", "violated"],
		},
	},
	"a switch pinned to false": {
		"document": fixture.pinned(_ready, "TF_STATE_VERSIONING_ENABLED", false),
		"expected": {["M2A-B2", "TF_STATE_VERSIONING_ENABLED", "it is pinned to true", "violated"]},
	},
	"lock table being deleted": {
		"document": fixture.put(_ready, array.concat(_table, ["value", "Table", "TableStatus"]), "DELETING"),
		"expected": {["M2A-B2", "TF_LOCK_TABLE", "the lock table is active", "violated"]},
	},
	"hash key of another name": {
		"document": fixture.put(_ready, _key_schema, [{"AttributeName": "Lock", "KeyType": "HASH"}]),
		"expected": {_wrong_key},
	},
	"hash key of another type": {
		"document": fixture.put(_ready, array.concat(_table, ["value", "Table", "AttributeDefinitions"]), [
			{"AttributeName": "LockID", "AttributeType": "N"},
		]),
		"expected": {_wrong_key},
	},
	"a range key beside the hash key": {
		"document": fixture.put(_ready, _key_schema, [
			{"AttributeName": "LockID", "KeyType": "HASH"},
			{"AttributeName": "Since", "KeyType": "RANGE"},
		]),
		"expected": {_wrong_key},
	},
	"backend of another type": {
		"document": fixture.put(_ready, array.concat(_core, ["backend", "value", "type"]), "local"),
		"expected": {["M2A-B3", "TF_STACK_CORE_DIR", "the stack declares an s3 backend", "violated"]},
	},
	"init fails, and the backend block leaves everything to the handles": {
		"document": _init_failed,
		"expected": {
			["M2A-B3", "TF_STACK_RUNTIME_DIR", "terraform init against the pinned backend succeeds", "violated"],
			["M2E-B2", "runtime", "terraform init succeeds", "violated"],
		},
	},
	"init fails because the backend block names another bucket": {
		"document": fixture.put(_init_failed, ["terraform", "stacks", "runtime", "backend", "value", "declared"], {
			"bucket": "other",
		}),
		"expected": {
			["M2A-B3", "TF_STACK_RUNTIME_DIR", "terraform init against the pinned backend succeeds", "violated"],
			["M2E-B2", "runtime", "terraform init succeeds", "violated"],
			["M2A-B4", "runtime", "the backend's bucket is the pinned one", "violated"],
		},
	},
	"a stack initialised with another key": {
		"document": fixture.put(_ready, array.concat(_core, ["backend", "value", "effective", "key"]), "core.tfstate"),
		"expected": {["M2A-B4", "core", "the backend's key is the pinned one", "violated"]},
	},
	"a backend block that init was made to override": {
		"document": fixture.put(_ready, array.concat(_core, ["backend", "value", "declared", "key"]), "core.tfstate"),
		"expected": {["M2A-B4", "core", "the backend's key is the pinned one", "violated"]},
	},
	"a stack locked by a file only": {
		"document": fixture.without(_ready, array.concat(_core, ["backend", "value", "effective", "dynamodb_table"])),
		"expected": {["M2A-B4", "core", "the backend's dynamodb table is the pinned one", "violated"]},
	},
	"state keys of two stacks swapped": {
		"document": fixture.pinned(
			fixture.pinned(_ready, "TF_STATE_KEY_OPS", "dev_full/runtime/terraform.tfstate"),
			"TF_STATE_KEY_RUNTIME",
			"dev_full/ops/terraform.tfstate",
		),
		"expected": {
			["M2A-B4", "TF_STATE_KEY_OPS", "a segment of the key is the stack's name", "violated"],
			["M2A-B4", "TF_STATE_KEY_RUNTIME", "a segment of the key is the stack's name", "violated"],
			["M2A-B4", "ops", "the backend's key is the pinned one", "violated"],
			["M2A-B4", "runtime", "the backend's key is the pinned one", "violated"],
		},
	},
	"one state key a prefix of another": {
		"document": fixture.pinned(_ready, "TF_STATE_KEY_OPS", "dev_full/core/terraform.tfstate.d/ops"),
		"expected": {
			["M2A-B4", "TF_STATE_KEY_CORE", "no other state key is the same or a prefix", "violated"],
			["M2A-B4", "TF_STATE_KEY_OPS", "no other state key is the same or a prefix", "violated"],
			["M2A-B4", "ops", "the backend's key is the pinned one", "violated"],
		},
	},
	"an empty state key": {
		"document": fixture.pinned(_ready, "TF_STATE_KEY_OPS", " "),
		"expected": {
			["M2A-B4", "TF_STATE_KEY_OPS", "a segment of the key is the stack's name", "unpinned"],
			["M2A-B4", "TF_STATE_KEY_OPS", "no other state key is the same or a prefix", "unpinned"],
			["M2A-B4", "ops", "the backend's key is the pinned one", "unpinned"],
		},
	},
	"a state key that is no text": {
		"document": fixture.pinned(_ready, "TF_STATE_KEY_OPS", 7),
		"expected": {
			["M2A-B4", "TF_STATE_KEY_OPS", "a segment of the key is the stack's name", "violated"],
			["M2A-B4", "ops", "the backend's key is the pinned one", "violated"],
		},
	},
	"the registry pins another lock table": {
		"document": fixture.pinned(
			fixture.put(_with_other_table_receipt, ["aws", "dynamodb", "tables", "other"], _moved_table),
			"TF_LOCK_TABLE",
			"other",
		),
		"expected": {["M2A-B4", name, "the backend's dynamodb table is the pinned one", "violated"] |
			some name in ["core", "streaming", "runtime", "data_ml", "ops"]
		},
	},
}

_wrong_key := ["M2A-B2", "TF_LOCK_TABLE", "the lock table's only key is the one that Terraform locks by", "violated"]

# The same table under another name, with receipts that name it.
_moved_table[aspect] := object.union(observation, {"receipts": [replace(key, "/locks", "/other") |
	some key in observation.receipts
]}) if {
	some aspect, observation in _ready.aws.dynamodb.tables.locks
}

_init_failed := fixture.put(
	fixture.put(
		fixture.put(_ready, ["terraform", "stacks", "runtime", "init", "value", "exit_code"], 1),
		["receipts", "terraform.init/runtime", "exit_code"],
		1,
	),
	["terraform", "stacks", "runtime", "backend", "value", "effective"],
	{},
)

_with_other_table_receipt := object.union(_ready, {"receipts": {replace(key, "/locks", "/other"): receipt |
	some key, receipt in _ready.receipts
	endswith(key, "/locks")
}})

test_each_damage_blocks_exactly_as_its_table_says if {
	found := {name: fixture.difference(damage.document, _lanes, damage.expected) | some name, damage in _damaged}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _damaged}
}

# The codes that an observation decides, when it cannot be read.
_decides := {
	["aws", "s3", "buckets", "state", "head"]: {"M2A-B1"},
	["aws", "s3", "buckets", "state", "location"]: {"M2A-B2"},
	["aws", "s3", "buckets", "state", "encryption"]: {"M2A-B2"},
	["aws", "s3", "buckets", "state", "versioning"]: {"M2A-B2"},
	["aws", "s3", "buckets", "state", "public_access_block"]: {"M2A-B2"},
	["aws", "s3", "buckets", "state", "tagging"]: {"M2A-B5"},
	["aws", "dynamodb", "tables", "locks", "table"]: {"M2A-B1", "M2A-B2"},
	["aws", "dynamodb", "tables", "locks", "time_to_live"]: {"M2A-B5"},
	["aws", "dynamodb", "tables", "locks", "continuous_backups"]: {"M2A-B5"},
	["aws", "dynamodb", "tables", "locks", "tags"]: {"M2A-B5"},
	["run", "caller_identity"]: {"M2A-B5"},
	["terraform", "stacks", "ops", "directory"]: {"M2A-B3"},
	["terraform", "stacks", "ops", "backend"]: {"M2A-B3", "M2A-B4"},
	["terraform", "stacks", "ops", "init"]: {"M2A-B3"},
}

test_each_unreadable_fact_turns_exactly_its_readers_red if {
	unread := fixture.unread(_decides, _lanes)
	{at: fixture.codes_of(blocking) | some at, blocking in unread} == _decides
	unread == {at: fixture.readers(at, _lanes, "unreadable") | some at, _ in _decides}
}

test_a_deleted_lock_table_blocks_existence_and_posture if {
	fixture.blockers_of(fixture.absent(_ready, _table), _lanes) == fixture.readers(_table, _lanes, "absent")
}

test_each_unpinned_handle_blocks if {
	codes := {name: fixture.codes(fixture.pinned(_ready, name, "TO_PIN"), _lanes) |
		some name in [
			"TF_STATE_BUCKET", "TF_STATE_BUCKET_REGION", "TF_LOCK_TABLE", "TF_STATE_ENCRYPTION_ENABLED",
			"TF_STATE_KEY_DATA_ML", "TF_STACK_DATA_ML_DIR",
		]
	}
	codes == {
		"TF_STATE_BUCKET": {"M2A-B1", "M2A-B2", "M2A-B4", "M2A-B5"},
		"TF_STATE_BUCKET_REGION": {"M2A-B2", "M2A-B4"},
		"TF_LOCK_TABLE": {"M2A-B1", "M2A-B2", "M2A-B4", "M2A-B5"},
		"TF_STATE_ENCRYPTION_ENABLED": {"M2A-B2"},
		"TF_STATE_KEY_DATA_ML": {"M2A-B4"},
		"TF_STACK_DATA_ML_DIR": {"M2A-B3", "M2A-B4", "M2A-B5"},
	}
}
