package m2.a_test

import data.lib.fixture_test as fixture

_definitions_at := [
	"aws", "dynamodb", "tables", _ready.handles.TF_LOCK_TABLE.value,
	"table", "value", "Table", "AttributeDefinitions",
]

_lock_key(element, definitions) := found if {
	found := data.m2.a._lock_key(element) with input as fixture.put(_ready, _definitions_at, definitions)
}

test_a_key_has_the_type_of_its_one_definition if {
	element := {"AttributeName": "LockID", "KeyType": "HASH"}
	other := {"AttributeName": "Other", "AttributeType": "N"}
	defined := {"AttributeName": "LockID", "AttributeType": "S"}
	_lock_key(element, [other, defined]) == {"name": "LockID", "key_type": "HASH", "type": "S"}
	_lock_key(element, ["strange", defined]).type == "S"
	_lock_key(element, [defined, defined]).type == null
	_lock_key(element, [other]).type == null
	_lock_key(element, []).type == null
	_lock_key("strange", [defined]) == "strange"
}

test_a_caller_whose_arn_is_no_text_is_not_identified if {
	checks := data.m2.a.b5 with input as fixture.put(_ready, ["run", "caller_identity", "value", "Arn"], 7)
	{check.cause | some check in checks; check.claim == "the caller is identified"} == {"evidence"}
}

_vanishing := "items of the lock table expire by time to live: a lock may vanish while it is held"

_noted(document) := {observation.message | some observation in found} if {
	found := data.m2.a.observations with input as document
}

test_words_of_the_services_count_like_their_values if {
	declared := ["terraform", "stacks", "core", "backend", "value", "effective", "use_lockfile"]
	count(_noted(fixture.put(_ready, declared, true))) == 1
	expiring := ["aws", "dynamodb", "tables", "locks", "time_to_live", "value", "TimeToLiveDescription", "TimeToLiveStatus"]
	every status in ["ENABLED", "ENABLING"] {
		_noted(fixture.put(_ready, expiring, status)) == {_vanishing}
	}
	encrypted := ["terraform", "stacks", "core", "backend", "value", "effective", "encrypt"]
	every value in [true, "true"] {
		_noted(fixture.put(_ready, encrypted, value)) == set()
	}
}
