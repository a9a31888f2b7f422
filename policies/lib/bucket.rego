# METADATA
# title: Bucket posture
# description: |
#   The posture that the contract pins for every bucket: encrypted by default, versioned, and closed to the public by
#   all four flags.
package lib.bucket

import data.lib.aws
import data.lib.check
import data.lib.fact

# The checks of one bucket, named by its handle.
posture(name) := flags | {
	check.of({
		"subject": name,
		"claim": "the bucket encrypts by default",
		"refs": [aws.bucket(name, "encryption", ["Rules"])],
		"handles": [],
		"holds": _is_encrypted(_algorithms(name)),
		"expected": data.contract.m2.bucket_posture.encryption_algorithms,
		"actual": _algorithms(name),
	}),
	check.equals(
		name,
		"the bucket is versioned",
		aws.bucket(name, "versioning", ["Status"]),
		data.contract.m2.bucket_posture.versioning,
	),
} if {
	flags := {check.equals(name, sprintf("%v is on", [flag]), aws.bucket(name, "public_access_block", [flag]), true) |
		some flag in data.contract.m2.bucket_posture.public_access_block
	}
}

# Null for a rule that names none.
_algorithms(name) := [object.get(fact.members(rule), ["ApplyServerSideEncryptionByDefault", "SSEAlgorithm"], null) |
	some rule in fact.list(aws.bucket(name, "encryption", ["Rules"]))
]

_is_encrypted(algorithms) if {
	count(algorithms) > 0
	every algorithm in algorithms {
		algorithm in data.contract.m2.bucket_posture.encryption_algorithms
	}
} else := false
