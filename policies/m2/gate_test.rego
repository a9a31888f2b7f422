package m2_test

import data.lib.fixture_test as fixture

_ready := data.lib.fixture_test.ready

test_ready_document_has_no_blocker if fixture.blockers(_ready) == set()

test_empty_document_blocks_every_code if count(fixture.codes({})) == 52

test_no_check_of_an_empty_document_is_ok if {
	count(fixture.blockers({})) == count(fixture.identities({}))
}

test_identities_never_depend_on_facts if fixture.identities({}) == fixture.identities(_ready)
