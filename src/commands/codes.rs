//! `codes`: the closed set of blocker codes, from the METADATA of the policies.

use comfy_table::{ContentArrangement, Table, TableStyle, presets};

use super::policies;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::table::lines;
use crate::output::{Format, OutputTarget, write_text};
use crate::policy::Code;
use crate::settings::{PolicySettings, SettingsError};

/// Lists every code.
pub(super) fn run(policy: &PolicySettings, outputs: &[OutputTarget]) -> Result<ExitCode, Error> {
    let policies = policies(policy)?;
    let codes: Vec<&Code> = policies.lanes().iter().flat_map(|lane| &lane.codes).collect();
    for target in outputs {
        let text = match target.format {
            Format::Table => table(&codes, presets::NOTHING, (0, 2)),
            Format::Markdown => table(&codes, presets::ASCII_MARKDOWN, (1, 1)),
            Format::Json => format!("{:#}\n", serde_json::json!(codes)),
            other => return Err(SettingsError::NoFormat("codes", other).into()),
        };
        write_text(&text, target)?;
    }
    Ok(ExitCode::Go)
}

fn table(codes: &[&Code], style: TableStyle, padding: (u16, u16)) -> String {
    let mut table = Table::new();
    // A row of Markdown is one line, however long.
    let arrangement =
        if style == presets::NOTHING { ContentArrangement::Dynamic } else { ContentArrangement::Disabled };
    table.load_style(style).set_content_arrangement(arrangement);
    table.set_header(["code", "severity", "taxonomy", "blocks on", "what to do"]);
    for code in codes {
        table.add_row([
            code.code.clone(),
            format!("{:?}", code.severity),
            code.taxonomy.clone(),
            code.title.clone(),
            code.remediation.clone(),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding(padding);
    }
    format!("{}\n", lines(&table))
}
