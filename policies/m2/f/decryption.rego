package m2.f

import data.lib.aws
import data.lib.fact
import data.lib.handle
import data.lib.iam
import data.lib.role as identity

# What decides whether a role can decrypt a parameter: of one that is not encrypted with a key of the platform's own,
# its description alone.
_decryption_refs(name, path) := array.concat(
	[_description(path), aws.key(_secrets.key, "key", ["KeyMetadata", "Arn"])],
	identity.policies(name),
) if {
	_needs_key(path)
} else := [_description(path)]

_decryption_faults(name, path) := [] if {
	not _needs_key(path)
} else := ["the parameter is encrypted with another key than the platform's"] if {
	not _names_platform_key(_key_of(path))
} else := [sprintf("%s is not permitted on the platform's key", [action]) |
	some action in iam.missing_under(identity.documents(name), [_secrets.decrypt_action], _key_arn, _request)
]

# Parameter Store decrypts with AWS's own key for whoever may read the parameter.
_needs_key(path) if {
	not fact.value(_type(path)) in _secrets.plain_types
	not _key_of(path) == _secrets.aws_key
}

_type(path) := aws.parameter(path, "metadata", ["Type"])

_key_of(path) := fact.value(aws.parameter(path, "metadata", ["KeyId"]))

_names_platform_key(id) if {
	is_string(id)
	id in {
		handle.value(_secrets.key),
		_key_arn,
		fact.value(aws.key(_secrets.key, "key", ["KeyMetadata", "KeyId"])),
	}
} else := false

_key_arn := fact.value(aws.key(_secrets.key, "key", ["KeyMetadata", "Arn"]))

# Policies often bind the use of the key to requests that come through Parameter Store.
_request := {"kms:viaservice": sprintf("ssm.%s.amazonaws.com", [split(_key_arn, ":")[3]])} if {
	is_string(_key_arn)
	count(split(_key_arn, ":")) == 6
} else := {}
