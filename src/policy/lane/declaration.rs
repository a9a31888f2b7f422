//! What the METADATA of a lane's package declares.

use std::collections::BTreeSet;

use super::super::Defect;
use super::super::yaml::Mapping;
use super::{DoneItem, LANES, successor};
use crate::suggestion::did_you_mean;

/// What a lane's package METADATA says of it.
pub(super) struct Declaration {
    pub(super) upstream: Vec<String>,
    pub(super) definition_of_done: Vec<DoneItem>,
    pub(super) artifacts: Vec<String>,
    pub(super) stacks: Option<Vec<String>>,
}

impl Declaration {
    pub(super) fn read(lane: &str, mut custom: Mapping, codes: &[String], defects: &mut Vec<Defect>) -> Self {
        custom.only(&["lane", "next", "upstream", "stacks", "definition_of_done", "artifacts"], defects);
        expect(&mut custom, "lane", Some(lane), defects);
        expect(&mut custom, "next", successor(lane), defects);
        Self {
            upstream: upstream(lane, &mut custom, defects),
            definition_of_done: definition_of_done(&mut custom, codes, defects),
            artifacts: artifacts(lane, &mut custom, defects),
            stacks: custom
                .has("stacks")
                .then(|| custom.texts("stacks", defects).into_iter().map(|(name, _)| name).collect()),
        }
    }
}

/// A key whose value follows from elsewhere and is written down for the reader.
pub(super) fn expect(custom: &mut Mapping, key: &str, expected: Option<&str>, defects: &mut Vec<Defect>) {
    let location = custom.location_of(key);
    let found = match expected {
        Some(_) => custom.text(key, defects),
        None => custom.optional_text(key, defects),
    };
    if found.is_some() && found.as_deref() != expected {
        let help =
            expected.map_or_else(|| format!("leave `{key}` out"), |expected| format!("write `{key}: {expected}`"));
        defects.push(Defect::new(location, format!("`{key}` does not fit here"), help));
    }
}

fn upstream(lane: &str, custom: &mut Mapping, defects: &mut Vec<Defect>) -> Vec<String> {
    let mut upstream: Vec<String> = Vec::new();
    for (name, location) in custom.texts("upstream", defects) {
        // Lanes only depend on lanes before them, so that no chain of them is a circle.
        let problem = match LANES.iter().position(|candidate| *candidate == name) {
            None => Some((format!("there is no lane `{name}`"), did_you_mean(&name, LANES))),
            Some(_) if name.as_str() >= lane => Some((format!("`{name}` does not come before {lane}"), None)),
            Some(_) if upstream.contains(&name) => Some((format!("`{name}` stands twice"), None)),
            Some(_) => None,
        };
        match problem {
            Some((problem, help)) => defects.push(Defect::new(
                location,
                problem,
                help.unwrap_or_else(|| format!("`upstream` lists each lane before {lane} that it needs once")),
            )),
            None => upstream.push(name),
        }
    }
    upstream
}

fn definition_of_done(custom: &mut Mapping, codes: &[String], defects: &mut Vec<Defect>) -> Vec<DoneItem> {
    let help = "write `definition_of_done: [{item: …, codes: [M2A-B1, …]}, …]`";
    let location = custom.location_of("definition_of_done");
    let mut items = Vec::new();
    for node in custom.optional_list("definition_of_done", defects) {
        let mut entry = match node.into_mapping() {
            Ok(entry) => entry,
            Err(location) => {
                defects.push(Defect::new(location, "the item is no mapping", help));
                continue;
            }
        };
        entry.only(&["item", "codes"], defects);
        let item = entry.text("item", defects).unwrap_or_default();
        let mut held_by = Vec::new();
        for (code, location) in entry.texts("codes", defects) {
            if !codes.contains(&code) {
                let help = did_you_mean(&code, codes.iter().map(String::as_str))
                    .unwrap_or_else(|| "an item is held by codes of its own lane".into());
                defects.push(Defect::new(location, format!("the lane has no code `{code}`"), help));
            }
            if !held_by.contains(&code) {
                held_by.push(code);
            }
        }
        if held_by.is_empty() {
            defects.push(Defect::new(entry.location, "no code holds this item", "name at least one code"));
        }
        items.push(DoneItem { item, codes: held_by });
    }
    if items.is_empty() {
        defects.push(Defect::new(location, "the lane has no definition of done", help));
    }
    items
}

fn artifacts(lane: &str, custom: &mut Mapping, defects: &mut Vec<Defect>) -> Vec<String> {
    let prefix = format!("{}_", lane.replace('.', "").to_ascii_lowercase());
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (name, location) in custom.texts("artifacts", defects) {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        let is_json = name.ends_with(".json") && name.starts_with(&prefix) && name.len() > prefix.len() + ".json".len();
        if !is_plain || !(is_json || name.ends_with(".log")) || name.starts_with('.') {
            defects.push(Defect::new(
                location,
                format!("`{name}` is no name for an artifact of {lane}"),
                format!("artifacts are named `{prefix}<name>.json`"),
            ));
        } else if !names.insert(name.clone()) {
            defects.push(Defect::new(location, format!("the artifact `{name}` stands twice"), "list it once"));
        }
    }
    names.into_iter().collect()
}
