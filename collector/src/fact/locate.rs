//! Finds the place in a file for an error that was found in its value. Runs only once something is wrong.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde::Deserialize;
use serde_json::Value;

use super::problem::FactProblem;
use super::reader::Refusal;
use super::{
    Apply, Backend, Command, Directory, Handle, Observation, Outputs, Plan, Receipt, Run, Stack, State, Validation,
};
use crate::json::{escape, message};
use crate::location::Location;

/// Where the member that a JSON pointer names starts; of a member of an object, its key.
pub(super) fn pointer(name: &str, text: &str, pointer: &str) -> Option<Location> {
    let root = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default()).ok()?.value?;
    let mut offset = root.start();
    let mut value = &root;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        match value {
            ast::Value::Object(object) => {
                let Some(member) = object.properties.iter().find(|member| member.name.as_str() == token) else { break };
                (offset, value) = (member.start(), &member.value);
            }
            ast::Value::Array(array) => {
                let Some(item) = token.parse().ok().and_then(|index: usize| array.elements.get(index)) else { break };
                (offset, value) = (item.start(), item);
            }
            _ => break,
        }
    }
    Some(Location::of_offset(name, text, offset))
}

/// The smallest part of a document that is at fault for an error in its shape. serde tells what is wrong, but inside of
/// observations and receipts not where.
pub(super) fn shape(json: &Value, error: &serde_json::Error) -> Refusal {
    let (pointer, message) = parts(json)
        .find_map(|(pointer, part, check)| check(part).map(|message| (pointer, message)))
        .unwrap_or_else(|| (String::new(), message(error)));
    // The field itself, where serde names it.
    let field = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')).map(|(field, _)| field);
    let place = match field {
        Some(field) => format!("{pointer}/{}", escape(field)),
        None => pointer.clone(),
    };
    Refusal { pointer: place, problem: FactProblem::Shape { pointer, message } }
}

type Check = fn(&Value) -> Option<String>;

/// What serde says against a part being a `T`.
fn refused<'de, T: Deserialize<'de>>(part: &'de Value) -> Option<String> {
    T::deserialize(part).err().map(|error| message(&error))
}

/// Every part of ours that can be judged on its own, smallest first.
fn parts(json: &Value) -> impl Iterator<Item = (String, &Value, Check)> {
    let observation: Check = |part| refused::<Observation>(part);
    let observations = ["/aws/*/*/*/*", "/evidence/*", "/rehearsal/*", "/approvals/*", "/run/caller_identity"];
    let aspects: [(&str, Check); 9] = [
        ("directory", |part| refused::<Observation<Directory>>(part)),
        ("backend", |part| refused::<Observation<Backend>>(part)),
        ("init", |part| refused::<Observation<Command>>(part)),
        ("validate", |part| refused::<Observation<Validation>>(part)),
        ("plan", |part| refused::<Observation<Plan>>(part)),
        ("apply", |part| refused::<Observation<Apply>>(part)),
        ("post_apply_plan", |part| refused::<Observation<Plan>>(part)),
        ("outputs", |part| refused::<Observation<Outputs>>(part)),
        ("state", |part| refused::<Observation<State>>(part)),
    ];
    let mut patterns: Vec<(String, Check)> = observations.map(|pattern| (pattern.to_owned(), observation)).into();
    patterns.extend(aspects.map(|(aspect, check)| (format!("/terraform/stacks/*/{aspect}"), check)));
    patterns.push(("/terraform/stacks/*".to_owned(), |part| refused::<Stack>(part)));
    patterns.push(("/handles/*".to_owned(), |part| refused::<Handle>(part)));
    patterns.push(("/receipts/*".to_owned(), |part| refused::<Receipt>(part)));
    patterns.push(("/run".to_owned(), |part| refused::<Run>(part)));
    patterns.into_iter().flat_map(move |(pattern, check)| {
        matching(json, &pattern).into_iter().map(move |(pointer, part)| (pointer, part, check))
    })
}

/// Every value behind a JSON pointer in which `*` stands for any key.
fn matching<'a>(json: &'a Value, pattern: &str) -> Vec<(String, &'a Value)> {
    pattern.split('/').skip(1).fold(vec![(String::new(), json)], |found, token| {
        let members = found.into_iter().filter_map(|(pointer, value)| Some((pointer, value.as_object()?)));
        members
            .flat_map(|(pointer, object)| {
                object
                    .iter()
                    .filter(move |(key, _)| token == "*" || token == *key)
                    .map(move |(key, value)| (format!("{pointer}/{}", escape(key)), value))
            })
            .collect()
    })
}
