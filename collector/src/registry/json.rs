//! JSON registries.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::pin::Pin;
use super::source::Source;
use super::{RegistryError, RegistryProblem, literal, long_form};

/// JSON, and nothing that only looks like it.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The members of the one object of a JSON text; a parser that keeps places also keeps both members of one name.
pub(super) fn pins(source: &Source<'_>) -> Result<Vec<Pin>, RegistryError> {
    let syntax = |error: jsonc_parser::errors::ParseError| {
        source.error(error.range().start, RegistryProblem::Json { message: error.kind().to_string() })
    };
    let parsed = parse_to_ast(source.text, &CollectOptions::default(), &STRICT).map_err(syntax)?;
    let object = match parsed.value {
        Some(ast::Value::Object(object)) => object,
        Some(other) => return Err(source.error(other.start(), RegistryProblem::NoMapping)),
        None => return Ok(Vec::new()),
    };
    let pin = |member: &ast::ObjectProp<'_>| {
        let name = member.name.as_str();
        let start = member.value.start();
        // The value is read again by a parser that is strict about strings, numbers and keys below the top level.
        let value = literal::parse(name, member.value.text(source.text))
            .map_err(|(offset, problem)| source.error(start + offset, as_json(problem)))?;
        let inner = match &member.value {
            ast::Value::Object(object) => object.properties.iter().find(|member| member.name.as_str() == "value"),
            _ => None,
        };
        let place = inner.map_or(&member.value, |inner| &inner.value).range();
        long_form::pin(name, value, member.start(), Some(place.start..place.end))
            .map_err(|problem| source.error(member.start(), problem))
    };
    object.properties.iter().map(pin).collect()
}

/// The advice for literals is for Markdown; here the whole file is JSON.
fn as_json(problem: RegistryProblem) -> RegistryProblem {
    match problem {
        RegistryProblem::Literal { message, .. } => RegistryProblem::Json { message },
        other => other,
    }
}
