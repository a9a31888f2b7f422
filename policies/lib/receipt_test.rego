package lib.receipt_test

import data.lib.receipt

_ref := {"subject": "s", "at": ["aws", "s3", "buckets", "arn:x:path/b", "head"], "field": [], "handles": []}

_answered := {"kind": "aws", "service": "s3", "operation": "HeadBucket", "http_status": 200}

_document(observation, receipts) := {
	"aws": {"s3": {"buckets": {"arn:x:path/b": {"head": observation}}}},
	"receipts": receipts,
}

_present(keys) := {"status": "present", "value": {}, "receipts": keys}

_cases := {
	"named as the fact is": {
		"document": _document(_present(["s3.HeadBucket/arn:x:path/b"]), {"s3.HeadBucket/arn:x:path/b": _answered}),
		"problems": set(),
	},
	"named by the last part": {
		"document": _document(_present(["s3.HeadBucket/b"]), {"s3.HeadBucket/b": _answered}),
		"problems": set(),
	},
	"named by more than the last part": {
		"document": _document(_present(["s3.HeadBucket/xb"]), {"s3.HeadBucket/xb": _answered}),
		"problems": {"no receipt names arn:x:path/b", "no receipt of s3.HeadBucket about it"},
	},
	"another call about it": {
		"document": _document(
			_present(["s3.GetBucketTagging/b"]),
			{"s3.GetBucketTagging/b": object.union(_answered, {"operation": "GetBucketTagging"})},
		),
		"problems": {"no receipt of s3.HeadBucket about it"},
	},
	"the call, about something else": {
		"document": _document(
			_present(["s3.HeadBucket/c", "s3.Other/b"]),
			{"s3.HeadBucket/c": _answered, "s3.Other/b": object.union(_answered, {"operation": "Other"})},
		),
		"problems": {"no receipt of s3.HeadBucket about it"},
	},
	"one of several names it": {
		"document": _document(
			_present(["s3.HeadBucket/b", "s3.Other/c"]),
			{"s3.HeadBucket/b": _answered, "s3.Other/c": object.union(_answered, {"operation": "Other"})},
		),
		"problems": set(),
	},
	"every problem at once": {
		"document": _document(
			_present(["s3.HeadBucket/c", "s3.Other/c", "s3.Third/c", 7]),
			{
				"s3.HeadBucket/c": object.union(_answered, {"http_status": 500}),
				"s3.Other/c": {"kind": "aws", "service": "s3", "operation": "Third"},
			},
		),
		"problems": {
			"no receipt names arn:x:path/b",
			"s3.HeadBucket/c answered with HTTP status 500",
			"no receipt of s3.HeadBucket about it",
			"s3.Other/c has no answer",
			"s3.Other/c is the record of s3.Third",
			"s3.Third/c is not on record",
		},
	},
	"no receipt": {"document": _document(_present([]), {}), "problems": {"no receipt is listed"}},
	"receipts that are no list": {"document": _document(_present("x"), {}), "problems": {"no receipt is listed"}},
	"not collected": {
		"document": _document({"status": "not_collected", "reason": "out of scope"}, {}),
		"problems": set(),
	},
	"not collected for no reason": {
		"document": _document({"status": "not_collected"}, {}),
		"problems": {"not collected, and no reason given"},
	},
	"unreadable before any call": {
		"document": _document({"status": "unreadable", "receipts": []}, {}),
		"problems": set(),
	},
	"unreadable, and the receipt is lost": {
		"document": _document({"status": "unreadable", "receipts": ["s3.HeadBucket/b"]}, {}),
		"problems": {"s3.HeadBucket/b is not on record"},
	},
	"a page of several": {
		"document": _document(_present(["s3.HeadBucket/b#2"]), {"s3.HeadBucket/b#2": _answered}),
		"problems": set(),
	},
	"named by a parameter": {
		"document": _document(
			_present(["s3.HeadBucket/x"]),
			{"s3.HeadBucket/x": object.union(_answered, {"parameters": {"Bucket": "arn:x:path/b"}})},
		),
		"problems": set(),
	},
	"parameters that are none": {
		"document": _document(
			_present(["s3.HeadBucket/x"]),
			{"s3.HeadBucket/x": object.union(_answered, {"parameters": ["arn:x:path/b"]})},
		),
		"problems": {"no receipt names arn:x:path/b", "no receipt of s3.HeadBucket about it"},
	},
	"absent, by a call without an answer": {
		"document": _document(
			{"status": "absent", "error": {"kind": "not_found"}, "receipts": ["s3.HeadBucket/b"]},
			{"s3.HeadBucket/b": {"kind": "aws", "service": "s3", "operation": "HeadBucket"}},
		),
		"problems": {"s3.HeadBucket/b has no answer"},
	},
	"absent, by a call about something else": {
		"document": _document(
			{"status": "absent", "error": {"kind": "not_found"}, "receipts": ["s3.HeadBucket/c"]},
			{"s3.HeadBucket/c": object.union(_answered, {"http_status": 404})},
		),
		"problems": {"no receipt names arn:x:path/b"},
	},
	"unreadable, by a call about something else that never answered": {
		"document": _document(
			{"status": "unreadable", "receipts": ["s3.HeadBucket/c"]},
			{"s3.HeadBucket/c": {"kind": "aws", "service": "s3", "operation": "HeadBucket"}},
		),
		"problems": set(),
	},
	"a receipt that says nothing of its call": {
		"document": _document(_present(["s3.HeadBucket/b"]), {"s3.HeadBucket/b": {"kind": "aws", "http_status": 200}}),
		"problems": {"s3.HeadBucket/b is the record of -.-"},
	},
	"a receipt of no known kind": {
		"document": _document(_present(["s3.HeadBucket/b"]), {"s3.HeadBucket/b": object.union(_answered, {"kind": "x"})}),
		"problems": {"s3.HeadBucket/b is of an unknown kind"},
	},
	"nothing there": {"document": {}, "problems": {"the fact document holds no observation here"}},
}

test_each_observation_has_the_problems_of_its_table if {
	found := {name: problems |
		some name, case in _cases
		document := case.document
		problems := receipt.problems(_ref) with input as document
	}
	found == {name: case.problems | some name, case in _cases}
}

test_an_identified_run_names_everything if {
	run := {
		"phase_execution_id": "m2_20260222T204011Z",
		"collected_at": "2026-02-22T20:40:11Z",
		"tool": {"name": "factgate", "version": "0"},
		"registry": {"digest": "sha256:00"},
	}
	receipt.identifies("run").ok with input as {"run": run}
	damaged := object.union(run, {"tool": {"name": " "}, "registry": {"digest": 1}})
	incomplete := receipt.identifies("run") with input as {"run": damaged}
	[incomplete.cause, incomplete.actual] == ["evidence", ["tool.name", "registry.digest"]]
}

test_only_some_http_statuses_are_an_answer if {
	answers := {http_status |
		some http_status in [199, 200, 299, 300, 301, 302, 404]
		answered := {"s3.HeadBucket/b": object.union(_answered, {"http_status": http_status})}
		document := _document(_present(["s3.HeadBucket/b"]), answered)
		receipt.problems(_ref) == set() with input as document
	}
	answers == {200, 299, 301}
}

# A step of Terraform that ended with an exit code, and the receipts of what it ran.
_step(step, value, receipts) := problems if {
	ref := {"subject": "core", "at": ["terraform", "stacks", "core", step], "field": [], "handles": []}
	observation := {"status": "present", "value": value, "receipts": [key | some key, _ in receipts]}
	problems := receipt.problems(ref) with input as {
		"terraform": {"stacks": {"core": {step: observation}}},
		"receipts": receipts,
	}
}

test_a_command_ended_as_its_receipt_says if {
	key := "terraform.plan/core"
	_step("plan", {"exit_code": 2}, {key: {"kind": "terraform", "exit_code": 2}}) == set()
	_step("plan", {"exit_code": 2}, {key: {"kind": "terraform"}}) == {
		"terraform.plan/core never ended", "no receipt ended with exit code 2",
	}
	_step("plan", {"exit_code": 2}, {key: {"kind": "terraform", "exit_code": 1}}) == {
		"terraform.plan/core ended with exit code 1", "no receipt ended with exit code 2",
	}
	_step("plan", {}, {"terraform.init/core": {"kind": "terraform", "exit_code": 0}}) == {"no receipt of terraform.plan about it"}
}

test_a_file_is_known_by_its_digest if {
	key := "file.backend/core"
	_step("backend", {}, {key: {"kind": "file", "digest": "sha256:00"}}) == set()
	_step("backend", {}, {key: {"kind": "file"}}) == {"file.backend/core has no digest of what was read"}
}

test_the_call_of_an_observation_is_that_of_its_kind if {
	data.lib.receipt._call(_ref) == "s3.HeadBucket"
	data.lib.receipt._call({"at": ["aws", "s3", "buckets", "b", "unknown"]}) == null
	data.lib.receipt._call({"at": ["other", "s3", "buckets", "b", "head"]}) == null
	data.lib.receipt._call({"at": ["rehearsal", "core", "x", "plan"]}) == null
}

_exit_code(section, observation) := found if {
	document := {section: {"stacks": {"core": {"plan": observation}}}}
	found := data.lib.receipt._exit_code({"at": [section, "stacks", "core", "plan"], "field": []}) with input as document
}

test_only_a_command_that_ended_has_an_exit_code if {
	_exit_code("terraform", {"status": "present", "value": {"exit_code": 2}}) == 2
	_exit_code("terraform", {"status": "absent", "error": {"kind": "not_found"}, "value": {"exit_code": 2}}) == null
	_exit_code("aws", {"status": "present", "value": {"exit_code": 2}}) == null
}

test_a_thing_is_absent_behind_any_answer if {
	observed := {"status": "absent", "exit_code": null}
	not data.lib.receipt._contradiction("aws", observed, object.union(_answered, {"http_status": 404}))
	data.lib.receipt._contradiction("aws", observed, object.remove(_answered, ["http_status"])) == "has no answer"
}

test_a_command_that_could_not_be_read_may_never_have_ended if {
	never := data.lib.receipt._contradiction("terraform", {"status": "present", "exit_code": 0}, {"kind": "terraform"})
	never == "never ended"
	not data.lib.receipt._contradiction("terraform", {"status": "unreadable", "exit_code": null}, {"kind": "terraform"})
}

test_a_call_is_about_its_subject_by_either_name if {
	abouts := {
		"the same": {"about": "b", "receipt": {}, "name": "b"},
		"an ARN of the name": {"about": "arn:x:path/b", "receipt": {}, "name": "b"},
		"a name of the ARN": {"about": "b", "receipt": {}, "name": "arn:x:path/b"},
		"a parameter": {"about": "x", "receipt": {"parameters": {"Bucket": "b"}}, "name": "b"},
		"another parameter": {"about": "x", "receipt": {"parameters": {"Bucket": "c"}}, "name": "b"},
		"parameters that are none": {"about": "x", "receipt": {"parameters": "b"}, "name": "b"},
		"another name": {"about": "arn:x:path/ab", "receipt": {}, "name": "b"},
		"another": {"about": "c", "receipt": {}, "name": "b"},
	}
	found := {name | some name, case in abouts; data.lib.receipt._is_about(case.about, case.receipt, case.name)}
	found == {"the same", "an ARN of the name", "a name of the ARN", "a parameter"}
}
