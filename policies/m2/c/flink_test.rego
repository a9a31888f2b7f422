package m2.c_test

import data.lib.fixture_test as fixture

# The lanes that read what the tables damage by contract; the whole gate has tables of its own.
_flink_lanes := {"M2C"}

_with(name, value) := fixture.pinned(data.lib.fixture_test.ready, name, value)

_checkpoints := "FLINK_CHECKPOINT_S3_PREFIX_PATTERN"

_wrong_pattern := {["M2C-B6", _checkpoints, "it gives every application a folder of its own", "violated"]}

_wrong_number(name) := {["M2C-B6", name, "it is a positive whole number", "violated"]}

_incoherent := {
	"another runtime mode": {
		"document": _with("FLINK_RUNTIME_MODE", "SELF_MANAGED"),
		"expected": {["M2C-B6", "FLINK_RUNTIME_MODE", "it is one of the contract's runtime modes", "violated"]},
	},
	"an application without the prefix": {
		"document": _with("FLINK_APP_SR_READY_V0", "sr-ready"),
		"expected": {["M2C-B6", "FLINK_APP_SR_READY_V0", "the application's name has the platform's prefix", "violated"]},
	},
	"an application that is nothing but the prefix": {
		"document": _with("FLINK_APP_SR_READY_V0", "fraud-platform-dev-full-"),
		"expected": {["M2C-B6", "FLINK_APP_SR_READY_V0", "the application's name has the platform's prefix", "violated"]},
	},
	"two applications of one name": {
		"document": _with("FLINK_APP_SR_READY_V0", "fraud-platform-dev-full-wsp-stream-v0"),
		"expected": {
			["M2C-B6", "FLINK_APP_SR_READY_V0", "no other application has the name", "violated"],
			["M2C-B6", "FLINK_APP_WSP_STREAM_V0", "no other application has the name", "violated"],
		},
	},
	"an application that the contract does not know, of a known name": {
		"document": _with("FLINK_APP_EXTRA_V0", "fraud-platform-dev-full-wsp-stream-v0"),
		"expected": {["M2C-B6", "FLINK_APP_WSP_STREAM_V0", "no other application has the name", "violated"]},
	},
	"an application that is not pinned": {
		"document": _with("FLINK_APP_SR_READY_V0", "TO_PIN"),
		"expected": {
			["M2C-B6", "FLINK_APP_SR_READY_V0", "the application's name has the platform's prefix", "unpinned"],
			["M2C-B6", "FLINK_APP_SR_READY_V0", "no other application has the name", "unpinned"],
		},
	},
	"no placeholder": {"document": _with(_checkpoints, "state/flink/"), "expected": _wrong_pattern},
	"two placeholders": {
		"document": _with(_checkpoints, "{application_name}/{application_name}/"),
		"expected": _wrong_pattern,
	},
	"another placeholder": {
		"document": _with(_checkpoints, "state/{run}/{application_name}/"),
		"expected": _wrong_pattern,
	},
	"a placeholder that is only part of a segment": {
		"document": _with(_checkpoints, "state/app-{application_name}/"),
		"expected": set(),
	},
	"an absolute folder": {"document": _with(_checkpoints, "/state/{application_name}/"), "expected": _wrong_pattern},
	"a folder with a scheme": {
		"document": _with(_checkpoints, "s3://bucket/{application_name}/"),
		"expected": _wrong_pattern,
	},
	"no folder": {"document": _with(_checkpoints, "state/{application_name}"), "expected": _wrong_pattern},
	"a folder above": {"document": _with(_checkpoints, "../{application_name}/"), "expected": _wrong_pattern},
	"a pattern that is no text": {"document": _with(_checkpoints, 5), "expected": _wrong_pattern},
	"no interval": {
		"document": _with("FLINK_CHECKPOINT_INTERVAL_MS", 0),
		"expected": _wrong_number("FLINK_CHECKPOINT_INTERVAL_MS"),
	},
	"half an operator": {
		"document": _with("FLINK_PARALLELISM_DEFAULT", 0.5),
		"expected": _wrong_number("FLINK_PARALLELISM_DEFAULT"),
	},
	"a number as text": {
		"document": _with("FLINK_PARALLELISM_DEFAULT", "2"),
		"expected": _wrong_number("FLINK_PARALLELISM_DEFAULT"),
	},
}

test_each_incoherence_blocks_exactly_as_its_table_says if {
	found := {name: fixture.difference(case.document, _flink_lanes, case.expected) | some name, case in _incoherent}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _incoherent}
}
