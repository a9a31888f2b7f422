package m2.a

import data.lib.aws
import data.lib.check

# METADATA
# title: Bucket is not versioned
# description: |
#   A bucket that `versioned_buckets` of the contract lists does not exist, or its versioning is suspended or was never
#   turned on. What is overwritten or deleted in it is lost.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
# custom:
#   code: M2A-B1
#   severity: S1
#   taxonomy: M2-B1
#   remediation: Turn on versioning of the bucket, or correct the handle.
b1 contains check.equals(
	name,
	"the bucket is versioned",
	aws.bucket(name, "versioning", ["Status"]),
	"Enabled",
) if {
	some name in data.contract.m2.versioned_buckets
}
