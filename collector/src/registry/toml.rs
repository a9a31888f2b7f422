//! TOML registries.

use serde_json::{Map, Number, Value};
use toml_edit::{Document, Item};

use super::pin::Pin;
use super::source::Source;
use super::{RegistryError, RegistryProblem, literal, long_form};

/// The keys at the top level of a TOML text. TOML itself refuses a key that occurs twice.
pub(super) fn pins(source: &Source<'_>) -> Result<Vec<Pin>, RegistryError> {
    let document = Document::parse(source.text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        source.error(offset, RegistryProblem::Toml { message: error.message().trim().replace('\n', "; ") })
    })?;
    let table = document.as_table();
    let pin = |(name, _): (&str, &Item)| {
        let (key, item) = table.get_key_value(name)?;
        let offset = key.span().or_else(|| item.span()).map_or(0, |span| span.start);
        // Of the long form, what stands under its key `value`.
        let inner = item.as_table_like().and_then(|table| table.get("value"));
        let place = inner.unwrap_or(item).span();
        let value = value_of_item(name, item)
            .and_then(|value| long_form::pin(name, value, offset, place))
            .map_err(|problem| source.error(offset, problem));
        Some(value)
    };
    table.iter().filter_map(pin).collect()
}

fn value_of_item(name: &str, item: &Item) -> Result<Value, RegistryProblem> {
    match item {
        Item::None => Ok(Value::Null),
        Item::Value(value) => value_of(name, value),
        Item::Table(table) => object(name, table.iter()),
        Item::ArrayOfTables(_) => Err(RegistryProblem::Nested { name: name.to_owned() }),
    }
}

fn value_of(name: &str, value: &toml_edit::Value) -> Result<Value, RegistryProblem> {
    match value {
        toml_edit::Value::String(text) => Ok(Value::String(text.value().clone())),
        // By way of the literal, so that the same numbers are refused in every format.
        toml_edit::Value::Integer(number) => number_of(name, &number.value().to_string()),
        toml_edit::Value::Float(number) => match Number::from_f64(*number.value()) {
            Some(number) => number_of(name, &number.to_string()),
            None => Err(RegistryProblem::NoJson {
                name: name.to_owned(),
                what: "a number that is infinite or not a number",
            }),
        },
        toml_edit::Value::Boolean(value) => Ok(Value::Bool(*value.value())),
        toml_edit::Value::Datetime(_) => Err(RegistryProblem::NoJson { name: name.to_owned(), what: "a date or time" }),
        toml_edit::Value::Array(items) => items.iter().map(|item| value_of(name, item)).collect(),
        toml_edit::Value::InlineTable(table) => table
            .iter()
            .map(|(key, value)| Ok((key.to_owned(), value_of(name, value)?)))
            .collect::<Result<Map<_, _>, _>>()
            .map(Value::Object),
    }
}

fn object<'a>(name: &str, members: impl Iterator<Item = (&'a str, &'a Item)>) -> Result<Value, RegistryProblem> {
    let members = members.map(|(key, item)| Ok((key.to_owned(), value_of_item(name, item)?)));
    members.collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

fn number_of(name: &str, text: &str) -> Result<Value, RegistryProblem> {
    literal::parse(name, text).map_err(|(_, problem)| problem)
}
