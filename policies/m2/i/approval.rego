package m2.i

import data.lib.aws
import data.lib.check
import data.lib.fact

b1 contains check.of({
	"subject": _rehearsal,
	"claim": "it was run under the approval on record",
	"refs": [_scope(["approval", "digest"]), _on_record("digest")],
	"handles": [],
	"holds": _is_as_on_record,
	"expected": {key: fact.value(_on_record(key)) | some key in _approval_members},
	"actual": object.union(_approval, {"kind": _rehearsal, "stacks": fact.value(_scope(["approved_stacks"]))}),
})

b1 contains check.of({
	"subject": _rehearsal,
	"claim": "it was of the account and the region of this run",
	"refs": [_scope(["account"]), _scope(["region"]), _caller],
	"handles": [],
	"holds": _is_of_this_run,
	"expected": [fact.value(_caller), _region],
	"actual": _place,
})

_on_record(key) := {"subject": _rehearsal, "at": ["approvals", "rehearsal"], "field": [key], "handles": []}

_approval_members := ["kind", "digest", "stacks", "approved_by", "approved_at", "expires_at"]

default _is_as_on_record := false

_is_as_on_record if {
	fact.value(_on_record("kind")) == "rehearsal"
	check.same_elements(fact.value(_on_record("stacks")), fact.value(_scope(["approved_stacks"])))
	every key in ["digest", "approved_by", "approved_at", "expires_at"] {
		check.same(fact.value(_on_record(key)), fact.value(_scope(["approval", key])))
	}
}

_caller := aws.caller_identity(["Account"])

_region := object.get(input, ["run", "region"], null)

_place := [fact.value(_scope(["account"])), fact.value(_scope(["region"]))]

_is_of_this_run if {
	fact.is_text(fact.value(_caller))
	fact.is_text(_region)
	_place == [fact.value(_caller), _region]
} else := false
