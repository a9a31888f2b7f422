# METADATA
# title: Receipts
# description: |
#   Every observation lists the calls that it came from. An observation is backed if those calls are on record, ended as the
#   observation says, and were about its subject. What was not collected, for a stated reason, needs no receipt.
package lib.receipt

import data.lib.check
import data.lib.fact

# The observation's receipts are there and agree with it. Its status is judged by other checks; an `unreadable` that is
# properly recorded is backed.
backs(ref) := check.of({
	"subject": ref.subject,
	"claim": sprintf("the receipts of %s are there and agree with it", [replace(aspect, "_", " ")]),
	"refs": [object.union(_whole(ref), {"any_status": true})],
	"handles": [],
	"holds": count(problems(ref)) == 0,
	"expected": [],
	"actual": sort(problems(ref)),
	"violation": "evidence",
}) if {
	aspect := ref.at[count(ref.at) - 1]
}

# The run says who collected what, from which registry, and when.
identifies(run) := check.of({
	"subject": run,
	"claim": "the run names itself, its clock, its tool and its registry",
	"refs": [],
	"handles": [],
	"holds": count(_unnamed) == 0,
	"expected": [],
	"actual": sort(_unnamed),
	"violation": "evidence",
})

# The receipts of an observation by key; null where one is not on record.
recorded(ref) := {key: object.get(input, ["receipts", key], null) | some key in listed(ref)}

# The keys of the receipts that an observation lists.
listed(ref) := keys if {
	keys := object.get(fact.observation(ref), "receipts", [])
	is_array(keys)
} else := []

problems(ref) := {"the fact document holds no observation here"} if {
	fact.status(ref) == "missing"
} else := _unexplained(ref) if {
	fact.status(ref) == "not_collected"
} else := _unlisted(ref) | _unrecorded(ref) | _contradicting(ref) | _unended(ref) | _unrelated(ref)

_unnamed := {name |
	some name, path in {
		"phase_execution_id": ["run", "phase_execution_id"],
		"collected_at": ["run", "collected_at"],
		"tool.name": ["run", "tool", "name"],
		"tool.version": ["run", "tool", "version"],
		"registry.digest": ["run", "registry", "digest"],
	}
	not _is_text(object.get(input, path, null))
}

_is_text(value) if {
	is_string(value)
	trim_space(value) != ""
}

_unexplained(ref) := {"not collected, and no reason given" |
	not _is_text(object.get(fact.observation(ref), "reason", null))
}

_unlisted(ref) := {"no receipt is listed" |
	fact.status(ref) in {"present", "absent"}
	count(listed(ref)) == 0
}

_unrecorded(ref) := {sprintf("%v is not on record", [key]) |
	some key, receipt in recorded(ref)
	not is_object(receipt)
}

_contradicting(ref) := {sprintf("%v %v", [key, contradiction]) |
	some key, receipt in recorded(ref)
	is_object(receipt)
	contradiction := _contradiction(fact.status(ref), _ended_with(ref), receipt)
}

# A command's own exit code must be that of one of its calls.
_unended(ref) := {sprintf("no receipt ended with exit code %v", [_ended_with(ref)]) |
	is_number(_ended_with(ref))
	not _ended_with(ref) in {object.get(receipt, "exit_code", null) |
		some receipt in recorded(ref)
		is_object(receipt)
	}
}

_unrelated(ref) := {sprintf("no receipt names %v", [concat(" or ", sort(_names(ref)))]) |
	count(listed(ref)) > 0
	count(_names(ref)) > 0
	count({key | some key, receipt in recorded(ref); _is_about(key, receipt, _names(ref))}) == 0
}

_ended_with(ref) := object.get(fact.observation(ref), ["value", "exit_code"], null) if {
	ref.at[0] == "terraform"
	fact.status(ref) == "present"
} else := null

# Answers that the API gives with another status than 2xx, and that are an answer all the same: a bucket without tags, and a
# bucket that lives in another region.
_other_statuses := {"s3.GetBucketTagging": {404}, "s3.HeadBucket": {301}}

_contradiction(status, _, receipt) := sprintf("answered with HTTP status %v", [receipt.http_status]) if {
	receipt.kind == "aws"
	status == "present"
	is_number(object.get(receipt, "http_status", null))
	not _is_success(receipt)
}

_contradiction(status, _, receipt) := "has no answer" if {
	receipt.kind == "aws"
	status in {"present", "absent"}
	not is_number(object.get(receipt, "http_status", null))
}

_contradiction(status, ended_with, receipt) := sprintf("ended with exit code %v", [receipt.exit_code]) if {
	receipt.kind == "terraform"
	status == "present"
	is_number(ended_with)
	is_number(object.get(receipt, "exit_code", null))
	not receipt.exit_code in {0, ended_with}
}

_contradiction(status, _, receipt) := "never ended" if {
	receipt.kind == "terraform"
	status == "present"
	not is_number(object.get(receipt, "exit_code", null))
}

_contradiction(status, _, receipt) := "has no digest of what was read" if {
	receipt.kind == "file"
	status == "present"
	not _is_text(object.get(receipt, "digest", null))
}

_contradiction(_, _, receipt) := "is of an unknown kind" if {
	not object.get(receipt, "kind", null) in {"aws", "terraform", "file"}
}

_is_success(receipt) if {
	receipt.http_status >= 200
	receipt.http_status < 300
}

_is_success(receipt) if {
	operation := sprintf("%v.%v", [object.get(receipt, "service", "-"), object.get(receipt, "operation", "-")])
	receipt.http_status in object.get(_other_statuses, operation, set())
}

# The name of the subject in the fact document; none where the section has only one subject.
_names(ref) := {name |
	name := ref.at[_name_index[ref.at[0]]]
	is_string(name)
}

_name_index := {"aws": 3, "terraform": 2}

_is_about(key, _, names) if {
	resource := split(substring(key, indexof(key, "/") + 1, -1), "#")[0]
	some name in names
	_is_same_resource(resource, name)
}

_is_about(_, receipt, names) if {
	is_object(receipt)
	some value in object.get(receipt, "parameters", {})
	value in names
}

# One side may be an ARN or a path of which the other is the last part.
_is_same_resource(resource, name) if resource == name

_is_same_resource(resource, name) if endswith(name, sprintf("/%s", [resource]))

_is_same_resource(resource, name) if endswith(resource, sprintf("/%s", [name]))

_whole(ref) := object.union(ref, {"field": []})
