package m2.f

import data.lib.aws
import data.lib.fact
import data.lib.handle
import data.lib.iam
import data.lib.role as identity

# What decides whether a role can decrypt a parameter: of one that is not encrypted with a key of the platform's own,
# its description alone.
_decryption_refs(name, path) := array.concat(
	[_description(path), aws.key(_secrets.key, "key", ["KeyMetadata", "Arn"]), aws.role(name, "role", [])],
	identity.policies(name),
) if {
	_needs_key(path)
} else := [_description(path)]

_decryption_faults(name, path) := [] if {
	not _needs_key(path)
} else := ["the parameter is encrypted with another key than the platform's"] if {
	not _names_platform_key(_key_of(path))
} else := sort({sprintf("%v is not permitted on the platform's key", [action]) |
	some documents in array.concat([identity.documents(name)], identity.boundaries(name))
	some action in iam.missing_under(documents, [_secrets.decrypt_action], _key_arn, _request(path))
})

# Parameter Store decrypts with AWS's own key for whoever may read the parameter.
_needs_key(path) if {
	not fact.value(_type(path)) in _secrets.plain_types
	not _is_key_of_aws(_key_of(path))
}

_is_key_of_aws(id) if {
	id == _secrets.aws_key
} else if {
	is_string(id)
	endswith(id, concat("", [":", _secrets.aws_key]))
} else := false

_type(path) := aws.parameter(path, "metadata", ["Type"])

_key_of(path) := fact.value(aws.parameter(path, "metadata", ["KeyId"]))

_names_platform_key(id) if {
	is_string(id)
	id in {
		handle.value(_secrets.key),
		_beside_key("kms", [handle.value(_secrets.key)]),
		_key_arn,
		fact.value(aws.key(_secrets.key, "key", ["KeyMetadata", "KeyId"])),
	}
} else := false

_key_arn := fact.value(aws.key(_secrets.key, "key", ["KeyMetadata", "Arn"]))

# Policies often bind the use of the key to requests of the account for a parameter, through Parameter Store.
# https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
_request(path) := {
	"kms:viaservice": sprintf("ssm.%v.amazonaws.com", [parts[3]]),
	"kms:calleraccount": parts[4],
	"kms:encryptioncontext:parameter_arn": _beside_key("ssm", ["parameter", handle.value(path)]),
} if {
	parts := _key_parts
	count(parts) == 6
} else := {}

# The ARN of something in the account and region of the key.
_beside_key(service, names) := concat(":", array.concat(
	[parts[0], parts[1], service, parts[3], parts[4]],
	[replace(concat("/", names), "//", "/")],
)) if {
	parts := _key_parts
	count(parts) == 6
	every name in names {
		is_string(name)
	}
} else := null

_key_parts := split(_key_arn, ":") if {
	is_string(_key_arn)
} else := []
