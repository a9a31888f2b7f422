# METADATA
# title: Moments
# description: |
#   Times as the facts write them: RFC 3339 in UTC, ending in `Z`. Anything else is no moment, and nothing holds of it:
#   it is neither before nor after another, and has no age.
package lib.moment

# Nanoseconds since 1970; null for what is no moment.
nanoseconds(text) := time.parse_rfc3339_ns(text) if {
	_is_written_well(text)
	_is_day_of_month(text)
} else := null

# All of them are moments, and none is before the one that stands before it.
in_order(texts) if {
	count(texts) > 0
	moments := [moment | some text in texts; moment := nanoseconds(text); moment != null]
	count(moments) == count(texts)
	sort(moments) == moments
} else := false

# Both are moments, and the earlier one is not more than so many hours before the later one. It may also be after it.
is_within(earlier, later, hours) if {
	in_order([earlier, earlier])
	in_order([later, later])
	is_number(hours)
	nanoseconds(later) - nanoseconds(earlier) <= hours * 3600000000000
} else := false

# The moment lies in a span that has begun and not ended.
is_in_span(text, start, end) if {
	in_order([start, text, end])
	nanoseconds(text) < nanoseconds(end)
} else := false

# The day of a moment, as text; null for what is no moment.
day(text) := substring(text, 0, 10) if {
	nanoseconds(text) != null
} else := null

# How many days lie between two days as texts; null where one of them is none.
days_between(start, end) := days if {
	moments := [nanoseconds(sprintf("%vT00:00:00Z", [text])) | some text in [start, end]]
	not null in moments
	days := (moments[1] - moments[0]) / 86400000000000
} else := null

# A text that the parser refuses would end the evaluation, so this lets through only what it takes.
_is_written_well(text) if {
	is_string(text)
	regex.match(
		`^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z$`,
		text,
	)
}

_is_day_of_month(text) if {
	month := substring(text, 5, 2)
	month != "02"
	substring(text, 8, 2) <= object.get({"04": "30", "06": "30", "09": "30", "11": "30"}, month, "31")
}

_is_day_of_month(text) if {
	substring(text, 5, 2) == "02"
	substring(text, 8, 2) <= _end_of_february(to_number(substring(text, 0, 4)))
}

# Every fourth year of this century, 2000 included.
_end_of_february(year) := "29" if {
	year % 4 == 0
} else := "28"
