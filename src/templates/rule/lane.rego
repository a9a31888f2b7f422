# METADATA
# title: Lane {{lane}}
# description: Say here what is proven once no code of this lane blocks.
# custom:
#   lane: {{lane}}
#   next: {{next}}
#   upstream: [{{upstream}}]
#   stacks: []
#   definition_of_done:
#     - item: {{code}} does not block.
#       codes: [{{code}}]
#   artifacts:
#     - {{prefix}}_blocker_register.json
#     - {{prefix}}_execution_summary.json
package {{package}}

import data.lib.report

artifacts := {
	"{{prefix}}_blocker_register.json": report.blocker_register("{{lane}}"),
	"{{prefix}}_execution_summary.json": report.execution_summary("{{lane}}"),
}
