package m2.e

import data.lib.check
import data.lib.handle
import data.lib.path

# METADATA
# title: Runtime path not governed
# description: |
#   A `PHASE_RUNTIME_PATH_*` or `RUNTIME_*` handle is missing or pins something that the contract does not allow: a
#   phase runs on one path, which is pinned, does not change within the phase, and may fall back only under a new
#   `phase_execution_id`. Or two of them contradict each other, or the pattern of the evidence is not a valid path that
#   is another one for each execution.
# custom:
#   code: M2E-B5
#   severity: S1
#   taxonomy: M2-B9
#   remediation: Correct the `PHASE_RUNTIME_PATH_*` and `RUNTIME_*` handles in the registry.
b5 contains check.of({
	"subject": name,
	"claim": "it is pinned as the contract allows",
	"refs": [],
	"handles": [name],
	"holds": handle.value(name) in allowed,
	"expected": allowed,
	"actual": handle.value(name),
}) if {
	some name, allowed in _path.allowed
}

b5 contains check.of({
	"subject": name,
	"claim": sprintf("it agrees with %v", [other]),
	"refs": [],
	"handles": [name, other],
	"holds": check.same(handle.value(name), handle.value(other)),
	"expected": handle.value(other),
	"actual": handle.value(name),
}) if {
	some name, other in _path.same
}

b5 contains check.of({
	"subject": pattern.handle,
	"claim": "it gives every execution a file of its own",
	"refs": [],
	"handles": [pattern.handle],
	"holds": count(_evidence_faults) == 0,
	"expected": [],
	"actual": sort(_evidence_faults),
}) if {
	pattern := _path.evidence_pattern
}

_path := data.contract.m2.runtime.path

_evidence_faults := path.faults(handle.value(_path.evidence_pattern.handle), _path.evidence_pattern.placeholders)
