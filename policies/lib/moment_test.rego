package lib.moment_test

import data.lib.moment

test_moments_are_written_in_utc if {
	found := {text: moment.nanoseconds(text) |
		some text in ["2026-02-22T20:40:11Z", "2026-02-22T20:40:11.5Z", "2024-02-29T00:00:00Z", "2026-04-30T23:59:59Z"]
	}
	found == {
		"2026-02-22T20:40:11Z": 1771792811000000000,
		"2026-02-22T20:40:11.5Z": 1771792811500000000,
		"2024-02-29T00:00:00Z": 1709164800000000000,
		"2026-04-30T23:59:59Z": 1777593599000000000,
	}
}

test_anything_else_is_no_moment if {
	every text in [
		null, 7, "", "yesterday", "2026-02-22", "2026-02-22T20:40:11", "2026-02-22T20:40:11+00:00", "2026-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z", "2026-02-22T24:00:00Z", "2026-02-22T20:40:60Z", "1999-01-01T00:00:00Z",
		"2026-02-22T20:40:11.Z", " 2026-02-22T20:40:11Z", "2026-02-22T20:40:11Z ",
	] {
		moment.nanoseconds(text) == null
		moment.day(text) == null
		moment.in_order([text]) == false
	}
}

_one := "2026-02-22T20:40:11Z"

_two := "2026-02-22T21:40:11Z"

test_order_holds_of_moments_alone if {
	moment.in_order([_one, _one, _two])
	moment.in_order([_two, _one]) == false
	moment.in_order([_one, null, _two]) == false
	moment.in_order([]) == false
}

test_an_age_has_a_limit if {
	moment.is_within(_one, _two, 1)
	moment.is_within(_two, _one, 0)
	moment.is_within(_one, _two, 0.5) == false
	moment.is_within(null, _two, 1) == false
	moment.is_within(_one, "soon", 1) == false
	moment.is_within(_one, _two, "1") == false
}

test_a_span_ends_before_its_end if {
	moment.is_in_span(_one, _one, _two)
	moment.is_in_span(_two, _one, _two) == false
	moment.is_in_span(_one, _two, _two) == false
	moment.is_in_span(_one, null, _two) == false
}

test_days_are_counted if {
	moment.days_between("2026-02-22", "2026-02-23") == 1
	moment.days_between("2026-02-27", "2026-03-02") == 3
	moment.days_between("2026-02-30", "2026-03-02") == null
	moment.days_between("2026-02-22", 7) == null
}

test_a_moment_has_a_day if moment.day(_one) == "2026-02-22"

test_each_month_has_its_days if {
	none := {day |
		some day in [
			"2025-01-31", "2025-03-31", "2025-04-31", "2025-05-31", "2025-06-31", "2025-07-31", "2025-08-31", "2025-09-31",
			"2025-10-31", "2025-11-31", "2025-12-31", "2024-02-29", "2024-02-30", "2025-02-28", "2025-02-29",
		]
		moment.nanoseconds(sprintf("%vT00:00:00Z", [day])) == null
	}
	none == {
		"2025-04-31", "2025-06-31", "2025-09-31", "2025-11-31", "2024-02-30", "2025-02-29",
	}
}

test_one_moment_is_in_order if moment.in_order([_one])

test_an_age_is_exact_to_the_nanosecond if {
	moment.is_within("2026-02-22T20:00:00Z", "2026-02-22T21:00:00Z", 1)
	not moment.is_within("2026-02-22T20:00:00Z", "2026-02-22T21:00:00.000000001Z", 1)
}
