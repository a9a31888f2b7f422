# METADATA
# title: Receipts
# description: |
#   Every observation lists the calls that it came from. An observation is backed if those calls are on record, ended as
#   the observation says, and were about its subject, and if the call is among them that gives such an observation at all
#   (`contract/receipts`). What was not collected, for a stated reason, needs no receipt.
package lib.receipt

import data.lib.check
import data.lib.fact

# The observation's receipts are there and agree with it. Its status is judged by other checks; an `unreadable` that is
# properly recorded is backed.
backs(ref) := check.of({
	"subject": ref.subject,
	"claim": sprintf("the receipts of %v are there and agree with it", [replace(aspect, "_", " ")]),
	"refs": [object.union(ref, {"field": [], "any_status": true})],
	"handles": [],
	"holds": found == set(),
	"expected": [],
	"actual": sort(found),
	"violation": "evidence",
}) if {
	aspect := ref.at[count(ref.at) - 1]
	found := problems(ref)
}

# The run says who collected what, from which registry, and when.
identifies(run) := check.of({
	"subject": run,
	"claim": "the run names itself, its clock, its tool and its registry",
	"refs": [],
	"handles": [],
	"holds": count(unnamed) == 0,
	"expected": [],
	"actual": unnamed,
	"violation": "evidence",
}) if {
	unnamed := [concat(".", path) |
		some path in [["phase_execution_id"], ["collected_at"], ["tool", "name"], ["tool", "version"], ["registry", "digest"]]
		not fact.is_text(object.get(input, array.concat(["run"], path), null))
	]
}

# The receipts of an observation by key; null where one is not on record.
recorded(ref) := {key: object.get(input, ["receipts", key], null) | some key in listed(ref)}

# The keys of the receipts that an observation lists.
listed(ref) := keys if {
	all := object.get(input, array.concat(ref.at, ["receipts"]), null)
	is_array(all)
	keys := [key | some key in all; is_string(key)]
} else := []

# What is wrong with an observation's receipts.
problems(ref) := {"the fact document holds no observation here"} if {
	fact.status(ref) == "missing"
} else := {"not collected, and no reason given" |
	reason := object.get(input, array.concat(ref.at, ["reason"]), null)
	not fact.is_text(reason)
} if {
	fact.status(ref) == "not_collected"
} else := union({
	_unlisted(observed),
	_unrecorded(observed),
	_contradicting(observed),
	_unended(observed),
	_unrelated(observed),
	_unasked(observed),
}) if {
	receipts := recorded(ref)
	observed := {
		"status": fact.status(ref),
		"exit_code": _exit_code(ref),
		"name": _name(ref),
		"call": _call(ref),
		"receipts": receipts,
		"about_it": _about(receipts, _name(ref)),
	}
}

_unlisted(observed) := {"no receipt is listed" |
	observed.status != "unreadable"
	count(observed.receipts) == 0
}

_unrecorded(observed) := {sprintf("%v is not on record", [key]) |
	some key, receipt in observed.receipts
	not is_object(receipt)
}

_contradicting(observed) := {sprintf("%v %v", [key, contradiction]) |
	some key, receipt in observed.receipts
	is_object(receipt)
	contradiction := _contradiction(object.get(receipt, "kind", null), observed, receipt)
} | {sprintf("%v is the record of %v", [key, operation]) |
	some key, receipt in observed.receipts
	is_object(receipt)
	object.get(receipt, "kind", null) == "aws"
	operation := _operation(receipt)
	operation != _call_name(key)
}

# A command's own exit code must be that of one of its calls.
_unended(observed) := {sprintf("no receipt ended with exit code %v", [observed.exit_code]) |
	exit_code := observed.exit_code
	is_number(exit_code)
	not exit_code in {object.get(receipt, "exit_code", null) |
		some receipt in observed.receipts
		is_object(receipt)
	}
}

# What could not be read may never have been asked for by its name: a call that it depends on failed first.
_unrelated(observed) := {sprintf("no receipt names %v", [observed.name]) |
	observed.status in {"present", "absent"}
	is_string(observed.name)
	count(observed.receipts) > 0
	count(observed.about_it) == 0
}

# A value can only come from the call that gives it, about its very subject.
_unasked(observed) := {sprintf("no receipt of %v about it", [observed.call]) |
	observed.status == "present"
	is_string(observed.call)
	count(observed.receipts) > 0
	count({key | some key in observed.about_it; _call_name(key) == observed.call}) == 0
}

# The call that gives an observation of this kind; null where the section has no table of them.
_call(ref) := sprintf("%v.%v", [ref.at[1], operation]) if {
	ref.at[0] == "aws"
	operation := object.get(data.contract.receipts.aws, [ref.at[1], ref.at[2], ref.at[4]], null)
	operation != null
} else := object.get(data.contract.receipts.terraform, ref.at[3], null) if {
	ref.at[0] == "terraform"
} else := null

# Null for facts that are no commands, and for commands that did not end.
_exit_code(ref) := object.get(input, array.concat(ref.at, ["value", "exit_code"]), null) if {
	ref.at[0] == "terraform"
	fact.status(ref) == "present"
} else := null

# Answers that the API gives with another status than 2xx, and that are an answer all the same: a bucket without tags,
# and a bucket that lives in another region.
_other_statuses := {"s3.GetBucketTagging": {404}, "s3.HeadBucket": {301}}

_contradiction("aws", observed, receipt) := "has no answer" if {
	observed.status in {"present", "absent"}
	not is_number(object.get(receipt, "http_status", null))
} else := sprintf("answered with HTTP status %v", [receipt.http_status]) if {
	observed.status == "present"
	not _is_success(receipt)
}

_contradiction("terraform", observed, receipt) := "never ended" if {
	observed.status == "present"
	not is_number(object.get(receipt, "exit_code", null))
} else := sprintf("ended with exit code %v", [exit_code]) if {
	expected := observed.exit_code
	is_number(expected)
	exit_code := receipt.exit_code
	not exit_code in {0, expected}
}

_contradiction("file", observed, receipt) := "has no digest of what was read" if {
	observed.status == "present"
	not fact.is_text(object.get(receipt, "digest", null))
}

_contradiction(kind, _, _) := "is of an unknown kind" if not kind in {"aws", "terraform", "file"}

_is_success(receipt) if {
	receipt.http_status >= 200
	receipt.http_status < 300
}

_is_success(receipt) if {
	receipt.http_status in object.get(_other_statuses, _operation(receipt), set())
}

_operation(receipt) := sprintf("%v.%v", [object.get(receipt, "service", "-"), object.get(receipt, "operation", "-")])

# The name of the subject in the fact document; null where the section has only one subject.
_name(ref) := ref.at[3] if {
	ref.at[0] == "aws"
} else := ref.at[2] if {
	ref.at[0] == "terraform"
} else := null

# The receipts whose calls were about the subject.
_about(receipts, name) := {key |
	some key, receipt in receipts
	_is_about(_call_subject(key), receipt, name)
} if {
	is_string(name)
} else := set()

# The key of a receipt ends in what the call was about, and the number of the page. Of two names one may be an ARN or a
# path that the other is the last part of.
_is_about(about, _, name) if about == name

_is_about(about, _, name) if endswith(about, concat("", ["/", name]))

_is_about(about, _, name) if endswith(name, concat("", ["/", about]))

_is_about(_, receipt, name) if {
	is_object(receipt)
	parameters := object.get(receipt, "parameters", {})
	is_object(parameters)
	some value in parameters
	value == name
}

_call_name(key) := split(key, "/")[0]

_call_subject(key) := split(substring(key, indexof(key, "/") + 1, -1), "#")[0]
