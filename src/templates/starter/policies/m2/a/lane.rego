# METADATA
# title: State backend
# description: What holds the state of the platform keeps its history, so that a state that was overwritten can be restored.
# custom:
#   lane: M2.A
#   next: M2.B
#   upstream: []
#   stacks: []
#   definition_of_done:
#     - item: every bucket that the contract lists is versioned.
#       codes: [M2A-B1]
#   artifacts:
#     - m2a_blocker_register.json
#     - m2a_execution_summary.json
package m2.a

import data.lib.report

artifacts := {
	"m2a_blocker_register.json": report.blocker_register("M2.A"),
	"m2a_execution_summary.json": report.execution_summary("M2.A"),
}
