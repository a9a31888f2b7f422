//! `codes`: the closed set of blocker codes, from the METADATA of the policies.

use comfy_table::{ContentArrangement, Table, presets};

use super::{policies, write_rendered};
use crate::error::Error;
use crate::exit::ExitCode;
use crate::output::table::lines;
use crate::output::{Format, OutputTarget};
use crate::policy::{Code, Lane};
use crate::settings::PolicySettings;

/// Lists every code.
pub(super) fn run(policy: &PolicySettings, outputs: &[OutputTarget]) -> Result<ExitCode, Error> {
    let policies = policies(policy)?;
    let codes: Vec<&Code> = policies.lanes().iter().flat_map(|lane| &lane.codes).collect();
    let render = |format| {
        Ok(match format {
            Format::Table => Some(table(&codes)),
            Format::Markdown => Some(reference(policies.lanes())),
            Format::Json => Some(format!("{:#}\n", serde_json::json!(codes))),
            _ => None,
        })
    };
    write_rendered(outputs, render, "codes")?;
    Ok(ExitCode::Go)
}

/// One section a lane, one entry a code: what a code means, for whoever meets one.
fn reference(lanes: &[Lane]) -> String {
    let mut text = String::from("# Blocker codes\n");
    for lane in lanes {
        text.push_str(&format!("\n## {}: {}\n", lane.lane, lane.title));
        paragraph(&mut text, &lane.description);
        for code in &lane.codes {
            text.push_str(&format!("\n### {}: {}\n\n", code.code, code.title));
            text.push_str(&format!(
                "Severity {:?} · taxonomy {} · rule `{}`\n",
                code.severity, code.taxonomy, code.location.file
            ));
            paragraph(&mut text, &code.description);
            paragraph(&mut text, &format!("**What to do:** {}", code.remediation));
            if !code.related_resources.is_empty() {
                text.push('\n');
                text.extend(code.related_resources.iter().map(|link| format!("- <{link}>\n")));
            }
        }
    }
    text
}

fn paragraph(text: &mut String, content: &str) {
    let content = content.trim();
    if !content.is_empty() {
        text.push_str(&format!("\n{content}\n"));
    }
}

fn table(codes: &[&Code]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
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
        column.set_padding((0, 2));
    }
    format!("{}\n", lines(&table))
}
