package lib.snapshot_test

import data.lib.snapshot

_plan(value) := {"terraform": {"stacks": {"core": {"plan": {
	"status": "present",
	"value": object.union({"exit_code": 2}, value),
}}}}}

test_a_snapshot_needs_no_fact if {
	plan := snapshot.plan("core", set()) with input as {}
	apply := snapshot.apply("core", set()) with input as {}
	[plan.summary, plan.conformance.conforms, apply.applied.conforms] == [null, false, false]
}

test_a_snapshot_shows_what_the_plan_would_do if {
	change := {"address": "a", "type": "t", "actions": ["update"]}
	plan := snapshot.plan("core", set()) with input as _plan({"summary": {"update": 1}, "resource_changes": [change]})
	[plan.summary, plan.resource_changes] == [{"update": 1}, [change]]
}

test_destruction_is_observed if {
	change := {"address": "a", "type": "t", "actions": ["create", "delete"]}
	messages := {observation.message | some observation in snapshot.observations("core")} with input as _plan({
		"resource_changes": [change, "malformed", {"address": "b"}],
	})
	messages == {"resources that the plan changes: 3", "the plan destroys a"}
}

_commands(steps) := {"terraform": {"stacks": {"core": steps}}}

_ended(value) := {"status": "present", "value": value}

test_a_log_is_what_was_written_or_what_became_of_the_command if {
	logs := snapshot.logs("core") with input as _commands({
		"init": _ended({"exit_code": 0, "log": "Initialized!\n"}),
		"validate": _ended({"exit_code": 1, "log": " \n"}),
		"plan": _ended({"exit_code": 0, "log": 7}),
		"apply": {"status": "not_collected", "reason": "no changes"},
	})
	logs == {
		"terraform_init.log": "Initialized!\n",
		"terraform_validate.log": "terraform validate ended with exit code 1 and wrote nothing\n",
		"terraform_plan.log": "terraform plan ended with exit code 0 and wrote nothing\n",
		"terraform_apply.log": "terraform apply: not collected (no changes)\n",
	}
}

test_destruction_after_an_apply_is_observed_too if {
	change := {"actions": ["delete"]}
	messages := {observation.message | some observation in snapshot.observations("core")} with input as _commands({
		"plan": _ended({"exit_code": 2, "resource_changes": []}),
		"post_apply_plan": _ended({"exit_code": 2, "resource_changes": [change]}),
	})
	messages == {"the post apply plan destroys a resource"}
}

_differing(output) := found if {
	found := snapshot.differing_outputs("core", {"VPC_ID": "vpc_id"}) with input as {
		"handles": {"VPC_ID": {"value": "vpc-1", "line": 1}},
		"terraform": {"stacks": {"core": {"outputs": _ended({"exit_code": 0, "values": {"vpc_id": output}})}}},
	}
}

test_an_output_differs_from_its_handle_if_it_is_shown if {
	_differing({"value": "vpc-2", "sensitive": false}) == {{
		"subject": "VPC_ID",
		"message": "the stack's output vpc_id differs from the handle",
		"facts": ["/handles/VPC_ID/value", "/terraform/stacks/core/outputs/value/values/vpc_id/value"],
	}}
	_differing({"value": "vpc-1", "sensitive": false}) == set()
	_differing({"value": "vpc-2", "sensitive": true}) == set()
	_differing({"value": "vpc-2"}) == set()
}
