package {{package}}

import data.lib.aws
import data.lib.check

# To do: name the handle that the claim is about, the claim, the fact that shows it, and the value that the fact must have.
# No fact equals null, so {{code}} blocks until then. `lib/check.rego` has other kinds of checks, `lib/aws.rego` the places
# of the facts.

# METADATA
# title: {{title}}
# description: Say here on what {{code}} blocks, and why.
# custom:
#   code: {{code}}
#   severity: S1
#   taxonomy: {{taxonomy}}
#   remediation: Write the claim of {{code}}. It blocks until it has one.
{{rule}} contains check.equals(
	"A_HANDLE",
	"{{code}} has a claim",
	aws.bucket("A_HANDLE", "versioning", ["Status"]),
	null,
)
