//! The approvals that an operator gives, as files.

use std::fs;

use chrono::{Duration, SecondsFormat, Utc};

use super::world::World;

/// Writes `<kind>.toml` into a world's folder; `valid_for` from now on, and of these stacks.
pub(crate) fn write(world: &World, kind: &str, stacks: &[&str], valid_for: Duration) {
    let now = Utc::now();
    let text = |instant: chrono::DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Secs, true);
    let stacks = if stacks.is_empty() { String::new() } else { format!("stacks = {stacks:?}\n") };
    let approval = format!(
        "format = \"factgate.approval/v1\"\nkind = \"{kind}\"\napproved_by = \"operator\"\napproved_at = \"{}\"\n\
         expires_at = \"{}\"\nreason = \"P0 of dev_full\"\n{stacks}",
        text(now - Duration::hours(1)),
        text(now + valid_for),
    );
    fs::write(world.folder().join(format!("{kind}.toml")), approval).unwrap();
}

/// The three approvals that P0 and the hand-off to M3 need.
pub(crate) fn write_all(world: &World) {
    write(world, "rehearsal", &["data_ml", "ops"], Duration::hours(8));
    write(world, "m2_go_ahead", &[], Duration::hours(8));
    write(world, "m3_handoff", &[], Duration::hours(8));
}
