package m2.a.lane_test

test_the_lane_leaves_its_evidence_whatever_the_facts_are if {
	artifacts := data.m2.a.artifacts with input as {}
	object.keys(artifacts) == {"m2a_blocker_register.json", "m2a_execution_summary.json"}
}
