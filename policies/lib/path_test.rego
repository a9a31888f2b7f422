package lib.path_test

import data.lib.path

_patterns := {
	"one placeholder": {"given": "runs/{run}/receipt.json", "faults": set()},
	"a placeholder in a part of a segment": {"given": "runs/run-{run}.json", "faults": set()},
	"another placeholder first": {
		"given": "{day}/{run}.json",
		"faults": {"{day} is no placeholder of this path"},
	},
	"no text": {"given": 5, "faults": {"not a text"}},
	"null": {"given": null, "faults": {"not a text"}},
	"nothing": {"given": "", "faults": {"empty"}},
	"blanks": {"given": "  ", "faults": {"empty"}},
	"an absolute path": {"given": "/runs/{run}.json", "faults": {"an absolute path"}},
	"a folder": {"given": "runs/{run}/", "faults": {"no file at the end"}},
	"an empty folder name": {"given": "runs//{run}.json", "faults": {"an empty segment"}},
	"a folder above": {"given": "runs/../{run}.json", "faults": {"a relative segment"}},
	"the folder itself": {"given": "./{run}.json", "faults": {"a relative segment"}},
	"a file of dots": {"given": "runs/{run}/..", "faults": {"a relative segment"}},
	"dots in a name": {"given": "runs/v..1/{run}.json", "faults": set()},
	"a scheme": {
		"given": "s3://bucket/{run}.json",
		"faults": {"a character that paths do not have", "an empty segment"},
	},
	"a blank in a name": {"given": "runs/{run} 1.json", "faults": {"a character that paths do not have"}},
	"a wildcard": {"given": "runs/{run}/*.json", "faults": {"a character that paths do not have"}},
	"a line break at the end": {"given": "runs/{run}.json\n", "faults": {"a character that paths do not have"}},
	"no placeholder": {"given": "runs/receipt.json", "faults": {"{run} not once, but 0 times"}},
	"the placeholder twice": {"given": "{run}/{run}.json", "faults": {"{run} not once, but 2 times"}},
	"another placeholder": {"given": "{run}/{phase}.json", "faults": {"{phase} is no placeholder of this path"}},
	"an empty placeholder": {
		"given": "{run}/{}.json",
		"faults": {"a character that paths do not have", "{} is no placeholder of this path"},
	},
	"an open brace": {
		"given": "{run}/{phase.json",
		"faults": {"a character that paths do not have", "{phase.json} is no placeholder of this path"},
	},
	"a brace that closes nothing": {"given": "{run}/}.json", "faults": {"a character that paths do not have"}},
	"two placeholders in a row": {
		"given": "{run}{phase}.json",
		"faults": {"nothing between two placeholders", "{phase} is no placeholder of this path"},
	},
}

test_each_pattern_has_the_faults_of_its_table if {
	found := {name: path.faults(case.given, ["run"]) | some name, case in _patterns}
	found == {name: case.faults | some name, case in _patterns}
}

test_placeholders_come_as_a_list_or_a_set if {
	path.faults("{a}/{b}.json", {"a", "b"}) == set()
	path.faults("{a}{b}.json", ["a", "b"]) == {"nothing between two placeholders"}
	path.faults("a.json", []) == set()
}
