package m2.i_test

import data.lib.fixture_test as fixture

_ready := data.lib.fixture_test.ready

_scope(path) := array.concat(["rehearsal", "scope", "value"], path)

_step(step, path) := array.concat(["rehearsal", step, "value"], path)

_recent := "it ended before this run, and not long before"

_course := "destroy and recovery follow each other within the rehearsal"

_days := "the days of the cost cover it"

_state_arns(stack) := ["terraform", "stacks", stack, "state", "value", "resource_arns"]

_inventory := ["aws", "tagging", "inventories", "fraud-platform", "resources"]

_tagged := array.concat(_inventory, ["value", "ResourceTagMappingList"])

_with_tagged(arn) := fixture.put(_ready, array.concat(_tagged, ["-"]), {"ResourceARN": arn, "Tags": []})

_stray := ["M2I-B5", "TAG_PROJECT_KEY", "no resource remains that no state manages", "violated"]

_wrong_scope := ["M2I-B1", "rehearsal", "the scope holds every required stack, and only stacks of the contract", "violated"]

_other_approval := ["M2I-B1", "rehearsal", "the approval names exactly the stacks of the scope", "violated"]

_not_approved := ["M2I-B1", "rehearsal", "somebody approved it, and the approval was valid when it began", "violated"]

_other_days := ["M2I-B6", "rehearsal", "the cost is that of its days", "violated"]

_another_approval := ["M2I-B1", "rehearsal", "it was run under the approval on record", "violated"]

_elsewhere := ["M2I-B1", "rehearsal", "it was of the account and the region of this run", "violated"]

_left_scope := ["M2I-B1", "rehearsal", "the stacks of the scope were touched, and no others", "violated"]

_no_allowlist := [
	"M2I-B1",
	"rehearsal",
	"an allowlist of residuals is defined, and no pattern of it allows everything",
	"violated",
]

_on_record(path) := array.concat(["approvals", "rehearsal", "value"], path)

# The rehearsal of one more stack, as the required one went.
_with_runtime := fixture.put(
	json.patch(fixture.put(_ready, _on_record(["stacks"]), ["data_ml", "ops", "runtime"]), [
		{"op": "add", "path": _step(step, ["runtime"]), "value": _ready.rehearsal[step].value.ops} |
		some step in ["baseline", "destroy", "recover", "post_recovery"]
	]),
	_scope([]),
	object.union(_ready.rehearsal.scope.value, {field: ["data_ml", "ops", "runtime"] |
		some field in ["stacks", "approved_stacks", "touched"]
	}),
)

# What a damage must turn red, and nothing else.
_damaged := {
	"a cost of other days": {
		"document": fixture.put(_ready, _step("cost", ["ResultsByTime", 0, "TimePeriod", "Start"]), "2020-02-22"),
		"expected": {_other_days},
	},
	"a cost without days": {
		"document": fixture.put(_ready, _step("cost", ["ResultsByTime"]), []),
		"expected": {_other_days},
	},
	"a required stack left out": {
		"document": fixture.put(
			fixture.put(fixture.put(_ready, _scope(["stacks"]), ["ops"]), _scope(["approved_stacks"]), ["ops"]),
			_scope(["touched"]),
			["ops"],
		),
		"expected": {_wrong_scope, _left_scope, _another_approval},
	},
	"a stack that nobody knows": {
		"document": fixture.put(_with_runtime, _scope([]), object.union(_with_runtime.rehearsal.scope.value, {field: [
			"data_ml",
			"ops",
			"elsewhere",
		] |
			some field in ["stacks", "approved_stacks", "touched"]
		})),
		"expected": {
			_wrong_scope,
			_left_scope,
			_another_approval,
			["M2I-B2", "rehearsal", "every other stack of the scope was destroyed", "violated"],
			["M2I-B3", "rehearsal", "every other stack of the scope was recovered", "violated"],
			["M2I-B4", "rehearsal", "every other stack of the scope is as it was", "violated"],
		},
	},
	"a stack named twice": {
		"document": fixture.put(
			fixture.put(_ready, _scope(["stacks"]), ["data_ml", "ops", "ops"]),
			_scope(["approved_stacks"]),
			["data_ml", "ops", "ops"],
		),
		"expected": {_wrong_scope, _another_approval},
	},
	"more stacks than required": {"document": _with_runtime, "expected": set()},
	"an approval of one stack more": {
		"document": fixture.put(_ready, _scope(["approved_stacks"]), ["core", "data_ml", "ops"]),
		"expected": {_other_approval, _another_approval},
	},
	"an approval of nothing": {
		"document": fixture.without(_ready, _scope(["approved_stacks"])),
		"expected": {_other_approval, _another_approval},
	},
	"no approval": {
		"document": fixture.without(_ready, _scope(["approval"])),
		"expected": {_not_approved, _another_approval},
	},
	"an approval by nobody": {
		"document": fixture.put(_ready, _scope(["approval", "approved_by"]), " "),
		"expected": {_not_approved, _another_approval},
	},
	"an approval that came later": {
		"document": fixture.put(_ready, _scope(["approval", "approved_at"]), "2026-02-22T09:00:01Z"),
		"expected": {_not_approved, _another_approval},
	},
	"an approval that had expired": {
		"document": fixture.put(_ready, _scope(["approval", "expires_at"]), "2026-02-22T09:00:00Z"),
		"expected": {_not_approved, _another_approval},
	},
	"an approval that never expires": {
		"document": fixture.without(_ready, _scope(["approval", "expires_at"])),
		"expected": {_not_approved, _another_approval},
	},
	"a stack outside the scope touched": {
		"document": fixture.put(_ready, _scope(["touched"]), ["core", "ops"]),
		"expected": {_left_scope},
	},
	"a rehearsal that touched nothing": {
		"document": fixture.put(_ready, _scope(["touched"]), []),
		"expected": {_left_scope},
	},
	"logs that nobody scanned": {
		"document": fixture.put(_ready, ["plaintext_scan", "value", "sources"], [source |
			some source in _ready.plaintext_scan.value.sources
			source.source != "rehearsal"
		]),
		"expected": {["M2I-B7", "rehearsal", "its logs were scanned for secrets", "evidence"]},
	},
	"an approval on record of other stacks": {
		"document": fixture.put(_ready, _on_record(["stacks"]), ["ops"]),
		"expected": {_another_approval},
	},
	"an approval on record of something else": {
		"document": fixture.put(_ready, _on_record(["kind"]), "m3_handoff"),
		"expected": {_another_approval},
	},
	"an approval on record that ended before": {
		"document": fixture.put(_ready, _on_record(["expires_at"]), "2026-02-22T08:30:00Z"),
		"expected": {_another_approval},
	},
	"a stack destroyed that the scope does not name": {
		"document": fixture.put(_ready, _step("destroy", ["core"]), {"exit_code": 0, "destroyed": 30, "remaining": []}),
		"expected": {_left_scope},
	},
	"a cost of a day only where there are more": {
		"document": fixture.put(_ready, _step("cost", ["window", "end"]), "2026-02-25"),
		"expected": {_other_days},
	},
	"another approval on record": {
		"document": fixture.put(_ready, ["approvals", "rehearsal", "value", "digest"], "sha256:00"),
		"expected": {_another_approval},
	},
	"no approval on record": {
		"document": fixture.without(_ready, ["approvals", "rehearsal"]),
		"expected": {["M2I-B1", "rehearsal", "it was run under the approval on record", "unreadable"]},
	},
	"a baseline with pending changes": {
		"document": fixture.put(_ready, _step("baseline", ["ops", "exit_code"]), 2),
		"expected": {["M2I-B7", "ops", "the plan before the destroy showed no changes", "violated"]},
	},
	"a rehearsal in another account": {
		"document": fixture.put(_ready, _scope(["account"]), "210987654321"),
		"expected": {_elsewhere},
	},
	"a rehearsal in another region": {
		"document": fixture.put(_ready, _scope(["region"]), "us-east-1"),
		"expected": {_elsewhere},
	},
	"a rehearsal that does not say where it was": {
		"document": fixture.without(_ready, _scope(["account"])),
		"expected": {_elsewhere},
	},
	"nothing said about what was touched": {
		"document": fixture.without(_ready, _scope(["touched"])),
		"expected": {_left_scope},
	},
	"no allowlist": {"document": fixture.without(_ready, _scope(["allowlist"])), "expected": {_no_allowlist}},
	"a destroy that failed": {
		"document": fixture.put(_ready, _step("destroy", ["ops", "exit_code"]), 1),
		"expected": {["M2I-B2", "ops", "terraform destroy succeeds", "violated"]},
	},
	"a destroy that left something": {
		"document": fixture.put(_ready, _step("destroy", ["ops", "remaining"]), ["aws_iam_role.ops"]),
		"expected": {["M2I-B2", "ops", "no resource of the stack remains after the destroy", "violated"]},
	},
	"a destroy of less than there was": {
		"document": fixture.put(_ready, _step("destroy", ["data_ml", "destroyed"]), 1),
		"expected": {["M2I-B2", "data_ml", "the destroy destroyed what there was", "violated"]},
	},
	"a destroy of nothing": {
		"document": fixture.put(_ready, _step("destroy", ["data_ml", "destroyed"]), 0),
		"expected": {["M2I-B2", "data_ml", "the destroy destroyed what there was", "violated"]},
	},
	"another stack that was not destroyed": {
		"document": fixture.put(_with_runtime, _step("destroy", ["runtime", "exit_code"]), 1),
		"expected": {["M2I-B2", "rehearsal", "every other stack of the scope was destroyed", "violated"]},
	},
	"a recovery that failed": {
		"document": fixture.put(_ready, _step("recover", ["data_ml", "exit_code"]), 1),
		"expected": {["M2I-B3", "data_ml", "terraform apply of the recovery succeeds", "violated"]},
	},
	"a recovery by an unknown plan": {
		"document": fixture.without(_ready, _step("recover", ["data_ml", "plan_digest"])),
		"expected": {["M2I-B3", "data_ml", "the recovery applied a plan that is on record", "violated"]},
	},
	"another stack that was not recovered": {
		"document": fixture.put(_with_runtime, _step("recover", ["runtime", "exit_code"]), 1),
		"expected": {["M2I-B3", "rehearsal", "every other stack of the scope was recovered", "violated"]},
	},
	"a resource less": {
		"document": fixture.put(_ready, _step("post_recovery", ["ops", "resource_count"]), 1),
		"expected": {["M2I-B4", "ops", "as many resources as before", "violated"]},
	},
	"another resource": {
		"document": fixture.put(_ready, _step("post_recovery", ["ops", "managed_resources", 0]), "aws_iam_role.other"),
		"expected": {["M2I-B4", "ops", "the same resources as before", "violated"]},
	},
	"resources in another order": {
		"document": fixture.put(_ready, _step("post_recovery", ["ops", "managed_resources"]), [
			"aws_ssm_parameter.ops",
			"aws_iam_role.ops",
		]),
		"expected": set(),
	},
	"an output that no handle pins": {
		"document": fixture.put(_ready, _step("post_recovery", ["ops", "outputs", "alarm"]), "new"),
		"expected": {["M2I-B4", "ops", "the same outputs as before", "violated"]},
	},
	"another role": {
		"document": fixture.put(_ready, _step("post_recovery", ["ops", "outputs", "role_mwaa_execution"]), "arn:other"),
		"expected": {
			["M2I-B4", "ops", "the same outputs as before", "violated"],
			["M2I-B4", "ROLE_MWAA_EXECUTION", "the recovered stack puts out the handle's value", "violated"],
		},
	},
	"another lineage": {
		"document": fixture.put(_ready, _step("post_recovery", ["ops", "lineage"]), "other"),
		"expected": {
			["M2I-B4", "ops", "the state keeps its lineage", "violated"],
			["M2I-B4", "ops", "the state of this run is the recovered one", "violated"],
		},
	},
	"an older state since": {
		"document": fixture.put(_ready, ["terraform", "stacks", "ops", "state", "value", "serial"], 6),
		"expected": {["M2I-B4", "ops", "the state of this run is the recovered one", "violated"]},
	},
	"a later state since": {
		"document": fixture.put(_ready, ["terraform", "stacks", "ops", "state", "value", "serial"], 8),
		"expected": set(),
	},
	"a plan with changes": {
		"document": fixture.put(_ready, _step("post_recovery", ["data_ml", "exit_code"]), 2),
		"expected": {["M2I-B4", "data_ml", "the plan after the recovery shows no changes", "violated"]},
	},
	"another stack that is not as it was": {
		"document": fixture.put(_with_runtime, _step("post_recovery", ["runtime", "resource_count"]), 1),
		"expected": {["M2I-B4", "rehearsal", "every other stack of the scope is as it was", "violated"]},
	},
	"a stray resource": {"document": _with_tagged("arn:aws:sqs:eu-west-2:123456789012:stray"), "expected": {_stray}},
	"an entry without an ARN": {"document": fixture.put(_ready, array.concat(_tagged, ["-"]), {}), "expected": {_stray}},
	"the state bucket": {"document": _with_tagged("arn:aws:s3:::state"), "expected": set()},
	"the lock table": {
		"document": _with_tagged("arn:aws:dynamodb:eu-west-2:123456789012:table/locks"),
		"expected": set(),
	},
	"a bucket that is only called like it": {"document": _with_tagged("arn:aws:s3:::state-2"), "expected": {_stray}},
	"a log group that a state manages": {
		"document": fixture.put(
			_with_tagged("arn:aws:logs:eu-west-2:123456789012:log-group:/x"),
			_state_arns("ops"),
			["arn:aws:logs:eu-west-2:123456789012:log-group:/x:*"],
		),
		"expected": set(),
	},
	"an inventory that is none": {"document": fixture.put(_ready, _tagged, "none"), "expected": {_stray}},
	"a state without ARNs": {
		"document": fixture.without(_ready, _state_arns("streaming")),
		"expected": {["M2I-B5", "streaming", "the state lists the ARNs of its resources", "violated"]},
	},
	"an unknown cost": {
		"document": fixture.put(_ready, _step("cost", ["amount"]), "some"),
		"expected": {["M2I-B6", "rehearsal", "what its days cost is known", "violated"]},
	},
	"a cost as a number": {"document": fixture.put(_ready, _step("cost", ["amount"]), 0), "expected": set()},
	"an incomplete cost": {
		"document": fixture.put(_ready, _step("cost", ["complete"]), false),
		"expected": {["M2I-B6", "rehearsal", "the cost is complete", "violated"]},
	},
	"another currency": {
		"document": fixture.put(_ready, _step("cost", ["currency"]), "EUR"),
		"expected": {["M2I-B6", "BUDGET_CURRENCY", "the cost of the rehearsal is in this currency", "violated"]},
	},
	"days that end too early": {
		"document": fixture.put(_ready, _step("cost", ["window", "end"]), "2026-02-22"),
		"expected": {["M2I-B6", "rehearsal", _days, "violated"], _other_days},
	},
	"days that begin too late": {
		"document": fixture.put(_ready, _step("cost", ["window", "start"]), "2026-02-23"),
		"expected": {["M2I-B6", "rehearsal", _days, "violated"], _other_days},
	},
	"no days": {
		"document": fixture.put(_ready, _step("cost", ["window"]), 7),
		"expected": {["M2I-B6", "rehearsal", _days, "violated"], _other_days},
	},
	"a nameless rehearsal": {
		"document": fixture.without(_ready, _scope(["phase_execution_id"])),
		"expected": {["M2I-B7", "rehearsal", "it names itself", "evidence"]},
	},
	"an old rehearsal": {
		"document": fixture.put(_ready, ["run", "collected_at"], "2026-02-23T10:00:01Z"),
		"expected": {["M2I-B7", "rehearsal", _recent, "evidence"]},
	},
	"a rehearsal of the future": {
		"document": fixture.put(_ready, ["run", "collected_at"], "2026-02-22T09:59:59Z"),
		"expected": {["M2I-B7", "rehearsal", _recent, "evidence"]},
	},
	"a recovery before its destroy": {
		"document": fixture.put(_ready, _step("recover", ["ops", "started_at"]), "2026-02-22T09:14:59Z"),
		"expected": {["M2I-B7", "ops", _course, "evidence"]},
	},
	"a recovery that ended within the last second": {
		"document": fixture.put(_ready, _step("recover", ["ops", "ended_at"]), "2026-02-22T10:00:00.700Z"),
		"expected": set(),
	},
	"a recovery that nobody saw end": {
		"document": fixture.put(_ready, _step("recover", ["ops", "ended_at"]), 7),
		"expected": {["M2I-B7", "ops", _course, "evidence"]},
	},
	"a destroy that is not on record": {
		"document": fixture.without(_ready, ["receipts", "terraform.destroy/ops"]),
		"expected": {["M2I-B7", "rehearsal", "the receipts of destroy are there and agree with it", "evidence"]},
	},
}

test_each_damage_blocks_exactly_as_its_table_says if {
	found := {name: fixture.compared(fixture.rehearsal_blockers(damage.document), damage.expected) |
		some name, damage in _damaged
	}
	found == {name: data.lib.fixture_test.as_expected | some name, _ in _damaged}
}

# The codes that a fact decides, when it cannot be read.
_decides := {
	["rehearsal", "scope"]: {"M2I-B1", "M2I-B2", "M2I-B3", "M2I-B4", "M2I-B6", "M2I-B7"},
	["rehearsal", "baseline"]: {"M2I-B2", "M2I-B4", "M2I-B7"},
	["rehearsal", "destroy"]: {"M2I-B2", "M2I-B7"},
	["rehearsal", "recover"]: {"M2I-B3", "M2I-B7"},
	["rehearsal", "post_recovery"]: {"M2I-B4"},
	["rehearsal", "cost"]: {"M2I-B6"},
	_inventory: {"M2I-B5"},
	["terraform", "stacks", "ops", "state"]: {"M2I-B4", "M2I-B5"},
	["terraform", "stacks", "core", "state"]: {"M2I-B5"},
}

test_each_unreadable_fact_turns_exactly_its_readers_red if {
	unread := {at: fixture.rehearsal_blockers(fixture.unreadable(_ready, at)) | some at, _ in _decides}
	{at: fixture.codes_of(blocking) | some at, blocking in unread} == _decides
	{blocker[3] | some blocking in unread; some blocker in blocking} == {"unreadable"}
}

test_without_a_rehearsal_every_code_blocks if {
	blocking := fixture.rehearsal_blockers(fixture.without(_ready, ["rehearsal"]))
	fixture.codes_of(blocking) == {"M2I-B1", "M2I-B2", "M2I-B3", "M2I-B4", "M2I-B6", "M2I-B7"}
}

test_each_unpinned_handle_blocks if {
	codes := {name: fixture.codes_of(fixture.rehearsal_blockers(fixture.pinned(_ready, name, "TO_PIN"))) |
		some name in [
			"BUDGET_CURRENCY", "ROLE_MWAA_EXECUTION", "DBX_WORKSPACE_URL", "TF_STATE_BUCKET", "TF_LOCK_TABLE",
			"TAG_PROJECT_KEY", "TF_STACK_CORE_DIR", "TF_STACK_OPS_DIR",
		]
	}
	codes == {
		"BUDGET_CURRENCY": {"M2I-B6"},
		"ROLE_MWAA_EXECUTION": {"M2I-B4"},
		"DBX_WORKSPACE_URL": {"M2I-B4"},
		"TF_STATE_BUCKET": {"M2I-B5"},
		"TF_LOCK_TABLE": {"M2I-B5"},
		"TAG_PROJECT_KEY": {"M2I-B5", "M2I-B7"},
		"TF_STACK_CORE_DIR": {"M2I-B5", "M2I-B7"},
		"TF_STACK_OPS_DIR": {"M2I-B4", "M2I-B5", "M2I-B7"},
	}
}

# Another contract: what may remain, and what may change.
_contract(changes) := object.union(data.contract.m2.rehearsal, changes)

test_the_contract_allows_residuals_by_pattern if {
	document := _with_tagged("arn:aws:sqs:eu-west-2:123456789012:stray")
	found := {name |
		some name, allowlist in {
			"its pattern": ["arn:aws:sqs:*:*:str*"],
			"another": ["arn:aws:sqs:*:*:other*"],
			"everything": ["arn:aws:sqs:*:*:*", "*", 7],
			"no list": "*",
		}
		checks := data.m2.i.b5 with input as document
			with data.contract.m2.rehearsal as _contract({"allowlist": allowlist})
		count([check | some check in checks; not check.ok]) == 0
	}
	found == {"its pattern"}
}

test_an_allowlist_of_everything_is_none if {
	every pattern in ["*", "arn:aws:*", "arn:aws:sqs:*:*:*", "arn:aws:sqs:*:*:*:/*", 7] {
		checks := data.m2.i.b1 with input as _ready
			with data.contract.m2.rehearsal as _contract({"allowlist": [pattern]})
		count([check | some check in checks; not check.ok]) == 1
	}
}

test_outputs_may_change_where_the_contract_says_so if {
	document := fixture.put(
		fixture.put(_ready, _step("baseline", ["ops", "outputs", "alarm"]), "old"),
		_step("post_recovery", ["ops", "outputs", "alarm"]),
		"new",
	)
	checks := data.m2.i.b4 with input as document
		with data.contract.m2.rehearsal as _contract({"volatile_outputs": ["alarm"]})
	count([check | some check in checks; not check.ok]) == 0
	observations := data.m2.i.observations with input as document
		with data.contract.m2.rehearsal as _contract({"volatile_outputs": ["alarm"]})
	{[observation.subject, observation.message] | some observation in observations} == {[
		"ops",
		"the output alarm changed with the recovery, as the contract allows",
	]}
}

_observed(document) := {[observation.subject, observation.message] | some observation in found} if {
	found := data.m2.i.observations with input as document
}

test_each_observation_says_what_does_not_block if {
	_observed(_ready) == set()
	_observed({}) == set()
	_observed(_with_runtime) == {["runtime", "the rehearsal covered this stack, too"]}
	_observed(_with_tagged("arn:aws:s3:::state")) == {[
		"TAG_PROJECT_KEY",
		"no state manages arn:aws:s3:::state, and arn:*:s3:::state allows it to remain",
	]}
	_observed(fixture.put(_ready, _scope(["allowlist"]), ["arn:aws:sqs:*:*:x"])) == {[
		"rehearsal",
		"it kept to another allowlist of residuals than the contract's",
	]}
}

test_residuals_are_classified if {
	artifacts := data.m2.i.artifacts with input as _with_tagged("arn:aws:sqs:eu-west-2:123456789012:stray")
	scan := artifacts["m2i_residual_scan_snapshot.json"]
	scan.forbidden == [{"resource": "arn:aws:sqs:eu-west-2:123456789012:stray", "code": "M2I-B5", "severity": "S1"}]
	scan.allowed == {}
	scan.conformance.conforms == false
}

test_logs_of_the_rehearsal_stay_in_the_fact_document if {
	artifacts := data.m2.i.artifacts with input as _ready
	destroy := artifacts["m2i_destroy_apply_receipts.json"].destroy
	[destroy.value.ops.destroyed, object.get(destroy.value.ops, "log", null)] == [2, null]
	destroy.receipts["terraform.destroy/ops"].exit_code == 0
}
