//! `verify`: evidence packs, read back and proved whole and unaltered.

use std::path::Path;

use comfy_table::{ContentArrangement, Table, TableStyle, presets};
use serde_json::json;

use crate::error::Error;
use crate::evidence::mirror::S3Folder;
use crate::evidence::verify::{self, VerifiedPack};
use crate::exit::ExitCode;
use crate::output::table::lines;
use crate::output::{Format, OutputTarget, write_text};
use crate::settings::{SettingsError, VerifySettings};

/// What stands before the address of a pack in the mirror.
const SCHEME: &str = "s3://";

/// Verifies every pack before anything is said, so that an altered one leaves no half of an answer.
pub(super) fn run(settings: &VerifySettings, outputs: &[OutputTarget]) -> Result<ExitCode, Error> {
    let mut packs = Vec::new();
    for pack in &settings.packs {
        let verified = match pack.to_str().filter(|text| text.starts_with(SCHEME)) {
            Some(address) => mirrored(address, settings)?,
            None => verify::pack(pack)?,
        };
        packs.push((pack.as_path(), verified));
    }
    for target in outputs {
        let text = match target.format {
            Format::Table => table(&packs, presets::NOTHING, (0, 2)),
            Format::Markdown => table(&packs, presets::ASCII_MARKDOWN, (1, 1)),
            Format::Json => format!("{:#}\n", json(&packs)),
            other => return Err(SettingsError::NoFormat("verify", other, super::formats("verify")).into()),
        };
        write_text(&text, target)?;
    }
    Ok(ExitCode::Go)
}

#[cfg(feature = "aws")]
fn mirrored(address: &str, settings: &VerifySettings) -> Result<VerifiedPack, Error> {
    let folder: S3Folder = address.parse().map_err(crate::settings::SettingsError::from)?;
    let options = factgate_collector::aws::Options {
        region: settings.region.clone(),
        endpoint_url: settings.endpoint_url.clone(),
        ..factgate_collector::aws::Options::default()
    };
    super::mirror::connected(None, options, |mirror| mirror.verify(&folder))
}

#[cfg(not(feature = "aws"))]
fn mirrored(address: &str, _: &VerifySettings) -> Result<VerifiedPack, Error> {
    let folder: S3Folder = address.parse().map_err(crate::settings::SettingsError::from)?;
    Err(verify::VerifyError {
        pack: folder.to_string(),
        file: String::new(),
        problem: "this factgate was built without AWS".to_owned(),
        source: None,
    }
    .into())
}

fn table(packs: &[(&Path, VerifiedPack)], style: TableStyle, padding: (u16, u16)) -> String {
    let mut table = Table::new();
    table.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["lane", "status", "generated", "manifest", "pack"]);
    for (place, pack) in packs {
        table.add_row([
            pack.lane.as_str(),
            if pack.overall_pass { "PASS" } else { "BLOCKED" },
            &pack.generated_at_utc,
            &pack.manifest_digest,
            &place.display().to_string(),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding(padding);
    }
    format!("{}\n", lines(&table))
}

fn json(packs: &[(&Path, VerifiedPack)]) -> serde_json::Value {
    packs
        .iter()
        .map(|(place, pack)| {
            json!({
                "pack": place.display().to_string(),
                "lane": pack.lane,
                "phase_execution_id": pack.phase_execution_id,
                "generated_at_utc": pack.generated_at_utc,
                "overall_pass": pack.overall_pass,
                "manifest_digest": pack.manifest_digest,
                "summary": pack.summary,
                "register": pack.register,
            })
        })
        .collect()
}
