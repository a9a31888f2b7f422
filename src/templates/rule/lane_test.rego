package {{package}}.lane_test

test_the_lane_leaves_its_evidence_whatever_the_facts_are if {
	artifacts := data.{{package}}.artifacts with input as {}
	object.keys(artifacts) == {"{{prefix}}_blocker_register.json", "{{prefix}}_execution_summary.json"}
}
