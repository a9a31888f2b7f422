package lib.edge_test

import data.lib.edge

_keys(path, stage) := found if {
	found := edge.route_keys("PATH", "STAGE", "POST") with input as {"handles": {
		"PATH": {"value": path, "line": 1},
		"STAGE": {"value": stage, "line": 2},
	}}
}

test_a_path_is_that_of_the_route_with_or_without_its_stage if {
	_keys("/v1/ingest", "v1") == {"POST /v1/ingest", "POST /ingest"}
	_keys("/ingest", "v1") == {"POST /ingest"}
	_keys("/v1/ingest", null) == {"POST /v1/ingest"}
	_keys("/7/ingest", 7) == {"POST /7/ingest"}
	_keys(null, "v1") == set()
	_keys(7, "v1") == set()
}
