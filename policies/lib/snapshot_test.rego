package lib.snapshot_test

import data.lib.snapshot

_plan(value) := {"terraform": {"stacks": {"core": {"plan": {"status": "present", "value": object.union({"exit_code": 2}, value)}}}}}

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
