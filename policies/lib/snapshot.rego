# METADATA
# title: Stack snapshots
# description: |
#   What the evidence of every stack shows: the plan and what stood before it, the apply and what it left behind, and
#   what is worth knowing about either without blocking.
package lib.snapshot

import data.lib.fact
import data.lib.handle
import data.lib.report
import data.lib.stack

# Commands up to the plan, what the plan would do, and the checks of the commands.
plan(name, commands) := {
	"stack": name,
	"handles": _handles(name),
	"commands": report.readings(_steps(name, ["directory", "backend", "init", "validate", "plan"])),
	"summary": fact.value(stack.step(name, "plan", ["summary"])),
	"resource_changes": fact.value(stack.step(name, "plan", ["resource_changes"])),
	"drifted": fact.value(stack.step(name, "plan", ["drifted"])),
	"output_changes": fact.value(stack.step(name, "plan", ["output_changes"])),
	"conformance": report.checks(commands),
}

# The apply, the outputs, the identity of the state, and the checks of what is materialized.
apply(name, materialized) := {
	"stack": name,
	"handles": _handles(name),
	"commands": report.readings(_steps(name, ["apply", "post_apply_plan", "outputs", "state"])),
	"applied": report.checks({stack.applied(name)}),
	"materialized": report.checks(materialized),
	"consistency": report.checks(stack.consistent(name)),
}

# The handles that the stack's outputs pin, beside what the stack outputs.
outputs(name, pinned) := {subject: row |
	some subject, output in pinned
	ref := stack.answer(name, "outputs", ["values", output, "value"])
	row := {
		"output": output,
		"output_value": fact.value(ref),
		"handle_value": handle.value(subject),
		"fact": fact.pointer(ref),
	}
}

# The logs of the commands by the names of their files; where there is none, one line says what became of the command.
logs(name) := {sprintf("terraform_%v.log", [command]): log |
	some command in ["init", "validate", "plan", "apply"]
	log := _log(stack.step(name, command, ["log"]))
}

_log(ref) := log if {
	log := fact.value(ref)
	is_string(log)
	trim_space(log) != ""
} else := sprintf("terraform %v ended with exit code %v and wrote nothing\n", [command, exit_code]) if {
	command := ref.at[3]
	exit_code := fact.value(object.union(ref, {"field": ["exit_code"]}))
	exit_code != null
} else := sprintf("terraform %v: %v\n", [ref.at[3], fact.outcome(ref)])

# What does not block: drift that was found, and destruction that was planned.
observations(name) := {observation |
	some field, message in {
		"drifted": "resources that changed outside Terraform",
		"resource_changes": "resources that the plan changes",
	}
	ref := stack.answer(name, "plan", [field])
	count(fact.list(ref)) > 0
	observation := {
		"subject": name,
		"message": sprintf("%v: %v", [message, count(fact.list(ref))]),
		"facts": [fact.pointer(ref)],
	}
} | {observation |
	some step in ["plan", "post_apply_plan"]
	ref := stack.answer(name, step, ["resource_changes"])
	some change in fact.list(ref)
	is_object(change)
	"delete" in object.get(change, "actions", [])
	observation := {
		"subject": name,
		"message": sprintf("the %v destroys %v", [replace(step, "_", " "), object.get(change, "address", "a resource")]),
		"facts": [fact.pointer(ref)],
	}
}

# Changes that the last plan still shows, in a lane that has no code for them.
unsettled(name) := {{
	"subject": name,
	"message": "the last plan still shows changes",
	"facts": [fact.pointer(ref)],
} |
	ref := stack.answer(name, stack.last_plan(name), ["exit_code"])
	fact.value(ref) == 2
}

# Handles that pin something else than the stack outputs, in a lane that has no code for them.
differing_outputs(name, outputs) := {{
	"subject": subject,
	"message": sprintf("the stack's output %v differs from the handle", [output]),
	"facts": [handle.pointer(subject), fact.pointer(ref)],
} |
	some subject, output in outputs
	ref := stack.answer(name, "outputs", ["values", output, "value"])
	fact.value(stack.answer(name, "outputs", ["values", output, "sensitive"])) == false
	fact.value(ref) != handle.value(subject)
}

_steps(name, steps) := [stack.step(name, step, []) | some step in steps]

_handles(name) := report.handles([
	data.contract.m2.stacks[name].directory,
	data.contract.m2.stacks[name].state_key,
	data.contract.m2.backend.bucket,
	data.contract.m2.backend.region,
	data.contract.m2.backend.lock_table,
])
