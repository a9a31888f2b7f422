package m2_test

import data.lib.fixture_test as fixture

_ready := data.lib.fixture_test.ready

test_ready_document_has_no_blocker if fixture.blockers(_ready) == set()

test_ready_document_closes_the_phase if {
	fixture.rehearsal_blockers(_ready) == set()
	fixture.rollup_blockers(_ready) == set()
}

test_empty_document_blocks_every_code if {
	count(fixture.codes_of(fixture.blockers({}))) == 52
	count(fixture.codes_of(fixture.rehearsal_blockers({}))) == 7
	count(fixture.codes_of(fixture.rollup_blockers({}))) == 8
}

test_no_check_of_an_empty_document_is_ok if {
	evaluated := fixture.checks_of_all({})
	{[code, check.subject, check.claim] | some code, rule in evaluated; some check in rule; check.ok} == set()
}

test_identities_never_depend_on_facts if fixture.identities({}) == fixture.identities(_ready)
