package m2.d

import data.lib.aws
import data.lib.check
import data.lib.fact
import data.lib.handle
import data.lib.path

# METADATA
# title: READY commit authority has drifted
# description: |
#   `SR_READY_COMMIT_AUTHORITY` is not `step_functions_only`; `SR_READY_COMMIT_STATE_MACHINE`, which may name another
#   handle, does not lead to an active state machine; the pattern of the receipt is not a valid path that is another one
#   for each run; or a receipt need not name the execution that it comes from.
# custom:
#   code: M2D-B5
#   severity: S1
#   taxonomy: M2-B10
#   remediation: Correct the `SR_READY_*` handles, or apply the runtime stack, which makes the state machine.
b5 contains check.pinned_as(name, "it is pinned to the contract's value", value) if {
	some name, value in _authority.pinned
}

b5 contains check.of({
	"subject": _state_machine,
	"claim": "it leads to a state machine",
	"refs": [aws.state_machine(_state_machine, "state_machine", [])],
	"handles": [],
	"holds": handle.value(_state_machine) in _known_as,
	"expected": handle.value(_state_machine),
	"actual": _known_as,
})

b5 contains check.equals(
	_state_machine,
	"the state machine is active",
	aws.state_machine(_state_machine, "state_machine", ["status"]),
	_authority.state_machine_status,
)

b5 contains check.of({
	"subject": pattern.handle,
	"claim": "it gives every run a receipt of its own",
	"refs": [],
	"handles": [pattern.handle],
	"holds": count(_receipt_faults) == 0,
	"expected": [],
	"actual": sort(_receipt_faults),
}) if {
	pattern := _authority.receipt_pattern
}

_authority := data.contract.m2.topics.ready_authority

_state_machine := _authority.state_machine

_known_as := [known |
	some field in ["name", "stateMachineArn"]
	known := fact.value(aws.state_machine(_state_machine, "state_machine", [field]))
	known != null
]

_receipt_faults := path.faults(handle.value(_authority.receipt_pattern.handle), _authority.receipt_pattern.placeholders)
