//! The pinned clock of a run, and the ids that are made of it.

use chrono::{DateTime, NaiveDateTime, Timelike, Utc};

/// The one instant that a run counts as "now", in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunClock(DateTime<Utc>);

/// The timestamp inside of a phase execution id.
const COMPACT: &str = "%Y%m%dT%H%M%SZ";

/// The longest fraction of a second that clocks write: nanoseconds.
const LONGEST_FRACTION: usize = 9;

impl RunClock {
    /// The current instant.
    pub fn now() -> Self {
        Self::at(Utc::now())
    }

    /// A given instant; fractions of a second are dropped.
    pub fn at(instant: DateTime<Utc>) -> Self {
        Self(instant.with_nanosecond(0).unwrap_or(instant))
    }

    /// The instant.
    pub fn instant(self) -> DateTime<Utc> {
        self.0
    }

    /// `2026-01-31T23:59:59Z`, for [`super::Run::collected_at`].
    pub fn collected_at(self) -> String {
        self.0.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// `m2_20260131T235959Z`, for [`super::Run::phase_execution_id`].
    pub fn phase_execution_id(self) -> String {
        format!("m2_{}", self.0.format(COMPACT))
    }

    /// `m2a_20260131T235959Z`: the id of one lane (`M2.A`).
    pub fn lane_execution_id(self, lane: &str) -> String {
        let lane = lane.to_lowercase().replace('.', "");
        format!("{lane}_{}", self.0.format(COMPACT))
    }

    /// Reads RFC 3339 with the offset `Z`: other offsets name the same instants, but an archive is compared as text.
    pub(super) fn from_collected_at(text: &str) -> Option<Self> {
        let (seconds, rest) = text.split_at_checked("2026-01-31T23:59:59".len())?;
        let fraction = rest.strip_suffix('Z')?;
        let digits = fraction.strip_prefix('.').unwrap_or("0");
        let fraction_is_sound = digits.len() <= LONGEST_FRACTION
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (fraction.is_empty() || fraction.starts_with('.'));
        if !fraction_is_sound {
            return None;
        }
        let clock = Self::at(NaiveDateTime::parse_from_str(seconds, "%Y-%m-%dT%H:%M:%S").ok()?.and_utc());
        // chrono also reads signs, spaces and leap seconds; none of them is written back.
        (clock.collected_at().strip_suffix('Z') == Some(seconds)).then_some(clock)
    }

    /// Reads `m2_<YYYYMMDDTHHMMSSZ>`, or a lane's own id with the lane's letter behind `m2`.
    pub(super) fn from_phase_execution_id(id: &str) -> Option<Self> {
        let (prefix, timestamp) = id.split_once('_')?;
        let lane = prefix.strip_prefix("m2")?;
        if lane.len() > 1 || !lane.bytes().all(|byte| (b'a'..=b'j').contains(&byte)) {
            return None;
        }
        let clock = Self::at(NaiveDateTime::parse_from_str(timestamp, COMPACT).ok()?.and_utc());
        (clock.phase_execution_id().strip_prefix("m2_") == Some(timestamp)).then_some(clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_reads_what_it_writes() {
        let clock = RunClock::now();
        assert_eq!(RunClock::from_collected_at(&clock.collected_at()), Some(clock));
        assert_eq!(RunClock::from_phase_execution_id(&clock.phase_execution_id()), Some(clock));
    }

    #[test]
    fn fractions_and_lane_letters_are_read() {
        let clock = RunClock::from_collected_at("2026-01-31T23:59:59.123Z").unwrap();
        assert_eq!(clock.collected_at(), "2026-01-31T23:59:59Z");
        assert_eq!(RunClock::from_phase_execution_id("m2a_20260131T235959Z"), Some(clock));
    }

    #[test]
    fn only_utc_written_as_z_is_a_clock() {
        for text in [
            "",
            "2026-01-31",
            "2026-01-31T23:59:59",
            "2026-01-31T23:59:59+00:00",
            "2026-01-31T23:59:59z",
            "2026-01-31t23:59:59Z",
            "2026-01-31 23:59:59Z",
            "2026-02-30T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-12-31T23:59:60Z",
            "2026-01-31T23:59:59.Z",
            "2026-01-31T23:59:591Z",
            "2026-01-31T23:59:59.1234567890Z",
            "2026-01-31T23:59:5é",
        ] {
            assert_eq!(RunClock::from_collected_at(text), None, "{text}");
        }
    }

    #[test]
    fn other_ids_are_no_phase_execution_ids() {
        for id in ["", "m2", "m2_", "m3_20260131T235959Z", "m2k_20260131T235959Z", "m2ab_20260131T235959Z", "m2_2026"] {
            assert_eq!(RunClock::from_phase_execution_id(id), None, "{id}");
        }
    }
}
