//! Waivers: blockers that an owner takes responsibility for, until a date and for a reason.
//!
//! ```text
//! waivers file ─► waivers ─► judged at the run's pinned clock ─┬─► valid: their blockers are shown, and block nothing
//!                                                              └─► expired, unused, malformed, S1: they block themselves
//! ```
//!
//! A waiver hides nothing: the blocker stays where it is, with the waiver's owner, reason and expiry on it.

mod file;

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use file::{SCHEMA_ID, WaiverFileError, read, schema};

use crate::check::Severity;
use crate::policy::Lane;
use crate::verdict::{Blocker, LaneVerdict};

/// One waiver, as its file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// `M2B-B5`.
    pub code: String,
    /// The subject of the blockers, exactly.
    pub subject: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is acceptable.
    pub reason: String,
    /// From this instant on it is expired.
    pub expires_at: DateTime<Utc>,
}

/// What stands on a waived blocker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waived {
    /// Who answers for it.
    pub owner: String,
    /// Why it is acceptable.
    pub reason: String,
    /// From this instant on it blocks again, RFC 3339 UTC.
    pub expires_at: String,
}

/// A waiver as it was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverVerdict {
    /// `M2B-B5`.
    pub code: String,
    /// The subject of the blockers.
    pub subject: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it is acceptable.
    pub reason: String,
    /// When it expires, RFC 3339 UTC.
    pub expires_at: String,
    /// What became of it.
    pub status: WaiverStatus,
    /// How many blockers it waives.
    pub waives: usize,
    /// Why it blocks; absent if it is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What became of a waiver. Only one that is applied does not block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaiverStatus {
    /// It waives at least one blocker.
    Applied,
    /// Its time had passed at the run's pinned clock.
    Expired,
    /// There is nothing to waive.
    Unused,
    /// It names no code of the policies, lacks a part, or stands twice.
    Malformed,
    /// Its code is S1.
    NotWaivable,
}

impl WaiverStatus {
    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Expired => "expired",
            Self::Unused => "unused",
            Self::Malformed => "malformed",
            Self::NotWaivable => "not waivable",
        }
    }
}

/// Waivers and what was found wrong with each before any policy ran.
pub(crate) struct Judged<'waivers> {
    waivers: Vec<(&'waivers Waiver, Option<(WaiverStatus, String)>)>,
}

impl<'waivers> Judged<'waivers> {
    /// Judges waivers by the codes of all lanes, at one instant.
    pub(crate) fn new(waivers: &'waivers [Waiver], lanes: &[Lane], now: DateTime<Utc>) -> Self {
        let mut seen = BTreeSet::new();
        let waivers = waivers.iter().map(|waiver| {
            let is_first = seen.insert((&waiver.code, &waiver.subject));
            (waiver, problem(waiver, is_first, lanes, now))
        });
        Self { waivers: waivers.collect() }
    }

    /// The valid ones: what policies see as waived.
    pub(crate) fn valid(&self) -> impl Iterator<Item = &'waivers Waiver> {
        self.waivers.iter().filter(|(_, problem)| problem.is_none()).map(|(waiver, _)| *waiver)
    }

    /// Marks the blockers that a valid waiver waives.
    pub(crate) fn mark(&self, blockers: &mut [Blocker]) {
        for blocker in blockers {
            let waiver = self.valid().find(|waiver| waiver.code == blocker.code && waiver.subject == blocker.subject);
            blocker.waived = waiver.map(|waiver| Waived {
                owner: waiver.owner.clone(),
                reason: waiver.reason.clone(),
                expires_at: instant(waiver.expires_at),
            });
        }
    }

    /// Why waivers of these codes block, given the blockers of the lane that the codes belong to.
    pub(crate) fn problems(&self, lane: &Lane, blockers: &[Blocker]) -> Vec<String> {
        let of_lane = self.waivers.iter().filter(|(waiver, _)| lane.codes.iter().any(|code| code.code == waiver.code));
        of_lane
            .filter_map(|(waiver, problem)| {
                let judged = judged(waiver, problem.as_ref(), blockers.iter());
                judged.problem.map(|problem| sentence(&judged.code, &judged.subject, &problem))
            })
            .collect()
    }

    /// Every waiver with what became of it, in the order of the file.
    pub(crate) fn verdicts(&self, lanes: &[LaneVerdict]) -> Vec<WaiverVerdict> {
        let blockers = || lanes.iter().flat_map(|lane| &lane.blockers);
        self.waivers.iter().map(|(waiver, problem)| judged(waiver, problem.as_ref(), blockers())).collect()
    }
}

/// One sentence about a waiver that blocks.
pub(crate) fn sentence(code: &str, subject: &str, problem: &str) -> String {
    format!("the waiver of {code} on {subject} {problem}")
}

fn problem(waiver: &Waiver, is_first: bool, lanes: &[Lane], now: DateTime<Utc>) -> Option<(WaiverStatus, String)> {
    let malformed = |problem: &str| Some((WaiverStatus::Malformed, problem.to_owned()));
    for (name, text) in
        [("code", &waiver.code), ("subject", &waiver.subject), ("owner", &waiver.owner), ("reason", &waiver.reason)]
    {
        if text.trim().is_empty() {
            return malformed(&format!("is malformed: its `{name}` is empty"));
        }
    }
    if !is_first {
        return malformed("is malformed: it stands twice");
    }
    let Some(code) = lanes.iter().flat_map(|lane| &lane.codes).find(|code| code.code == waiver.code) else {
        return malformed("is malformed: the policies have no such code");
    };
    if code.severity == Severity::S1 {
        return Some((WaiverStatus::NotWaivable, "cannot be: only S2 can be waived, and the code is S1".to_owned()));
    }
    // At the very instant of its expiry a waiver is expired.
    (waiver.expires_at <= now).then(|| (WaiverStatus::Expired, format!("expired at {}", instant(waiver.expires_at))))
}

fn judged<'blockers>(
    waiver: &Waiver,
    problem: Option<&(WaiverStatus, String)>,
    blockers: impl Iterator<Item = &'blockers Blocker>,
) -> WaiverVerdict {
    let is_named = |blocker: &&Blocker| blocker.code == waiver.code && blocker.subject == waiver.subject;
    let named = blockers.filter(is_named).count();
    let (status, waives, problem) = match problem {
        Some((status, problem)) => (*status, 0, Some(problem.clone())),
        None if named == 0 => {
            (WaiverStatus::Unused, 0, Some("is unused: there is no such blocker, so it has to go".to_owned()))
        }
        None => (WaiverStatus::Applied, named, None),
    };
    WaiverVerdict {
        code: waiver.code.clone(),
        subject: waiver.subject.clone(),
        owner: waiver.owner.clone(),
        reason: waiver.reason.clone(),
        expires_at: instant(waiver.expires_at),
        status,
        waives,
        problem,
    }
}

fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
