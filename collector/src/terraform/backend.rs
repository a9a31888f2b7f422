//! The backend that a stack's files declare.
//!
//! Terraform allows one `backend` (or `cloud`) block among all files of a folder and only literals in it; an override file
//! replaces it. Backend configuration kept in other files (`backend.hcl`) is no part of the stack: the handles supply it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hcl_edit::Span;
use hcl_edit::expr::{Expression, ObjectKey, UnaryOperator};
use hcl_edit::structure::{Block, Body};
use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use serde_json::Value;

use crate::fact::Digest;

/// A stack's files are small; a larger one is not read.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// A `backend` block as it stands in a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Declaration {
    /// The block's label; `cloud` for a `cloud` block.
    pub(super) kind: String,
    /// The file's name.
    pub(super) file: String,
    /// From 1.
    pub(super) line: usize,
    /// What the block sets.
    pub(super) attributes: BTreeMap<String, Value>,
    /// `sha256:<hex>` of the file.
    pub(super) digest: String,
}

/// Why no backend could be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum BackendError {
    /// A file of the stack could not be read.
    #[error("{file} cannot be read")]
    Unreadable {
        /// The file's name.
        file: String,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is far too large for a Terraform file.
    #[error("{file} is larger than {} MiB", MAX_FILE / 1024 / 1024)]
    TooLarge {
        /// The file's name.
        file: String,
    },
    /// A file is not what its extension says.
    #[error("{file}:{line}:{column}: {message}")]
    Syntax {
        /// The file's name.
        file: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A backend block that Terraform refuses.
    #[error("{file}:{line}: {message}")]
    Invalid {
        /// The file's name.
        file: String,
        /// From 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// More than one backend.
    #[error("more than one backend: {}", places.join(", "))]
    Several {
        /// `file:line` of each.
        places: Vec<String>,
    },
}

/// The backend that the files of a folder declare together, if any.
pub(super) fn declared(folder: &Path, files: &[String]) -> Result<Option<Declaration>, BackendError> {
    let (mut primary, mut overriding) = (Vec::new(), None);
    for file in files {
        let mut found = in_file(folder, file)?;
        if is_override(file) {
            if found.len() > 1 {
                return Err(several(&found));
            }
            overriding = found.pop().or(overriding);
        } else {
            primary.append(&mut found);
        }
    }
    if primary.len() > 1 { Err(several(&primary)) } else { Ok(overriding.or(primary.pop())) }
}

/// Whether Terraform reads a file of this name as configuration.
pub(super) fn is_configuration(name: &str) -> bool {
    (name.ends_with(".tf") || name.ends_with(".tf.json")) && !name.starts_with(['.', '#'])
}

fn is_override(name: &str) -> bool {
    let stem = name.trim_end_matches(".json").trim_end_matches(".tf");
    stem == "override" || stem.ends_with("_override")
}

fn several(declarations: &[Declaration]) -> BackendError {
    let places = declarations.iter().map(|declaration| format!("{}:{}", declaration.file, declaration.line)).collect();
    BackendError::Several { places }
}

fn in_file(folder: &Path, file: &str) -> Result<Vec<Declaration>, BackendError> {
    let path = folder.join(file);
    let unreadable = |source| BackendError::Unreadable { file: file.to_owned(), source };
    if fs::metadata(&path).map_err(unreadable)?.len() > MAX_FILE {
        return Err(BackendError::TooLarge { file: file.to_owned() });
    }
    let bytes = fs::read(&path).map_err(unreadable)?;
    let source = Source { file, digest: Digest::of(&bytes).to_string(), text: &String::from_utf8_lossy(&bytes) };
    if file.ends_with(".json") { source.json() } else { source.hcl() }
}

struct Source<'a> {
    file: &'a str,
    digest: String,
    text: &'a str,
}

impl Source<'_> {
    fn hcl(&self) -> Result<Vec<Declaration>, BackendError> {
        let body = hcl_edit::parser::parse_body(self.text).map_err(|error| BackendError::Syntax {
            file: self.file.to_owned(),
            line: error.location().line(),
            column: error.location().column(),
            // The error's full form quotes the line, which may hold a secret.
            message: error.message().to_owned(),
        })?;
        let mut declarations = Vec::new();
        for settings in body.get_blocks("terraform") {
            for block in settings.body.get_blocks("backend") {
                let [label] = block.labels.as_slice() else {
                    return Err(self.invalid(self.line(block.span()), "a backend block has exactly one label"));
                };
                declarations.push(self.hcl_block(label.as_str(), block)?);
            }
            for block in settings.body.get_blocks("cloud") {
                declarations.push(self.hcl_block("cloud", block)?);
            }
        }
        Ok(declarations)
    }

    fn hcl_block(&self, kind: &str, block: &Block) -> Result<Declaration, BackendError> {
        let line = self.line(block.span());
        let attributes = literals(&block.body).map_err(|name| self.not_literal(line, &name))?;
        Ok(self.declaration(kind, line, attributes.into_iter().collect()))
    }

    fn json(&self) -> Result<Vec<Declaration>, BackendError> {
        // The strict reader decides what is JSON; the other one knows where in the text things stand.
        serde_json::from_str::<Value>(self.text).map_err(|error| BackendError::Syntax {
            file: self.file.to_owned(),
            line: error.line(),
            column: error.column(),
            message: "not valid JSON".to_owned(),
        })?;
        let parsed = jsonc_parser::parse_to_ast(self.text, &Default::default(), &Default::default());
        let Some(root) = parsed.ok().and_then(|parsed| parsed.value) else {
            return Err(self.invalid(1, "not valid JSON"));
        };
        let mut declarations = Vec::new();
        for settings in blocks(&root, "terraform") {
            for backend in blocks(settings, "backend") {
                for labelled in backend.as_object().map(|object| object.properties.as_slice()).unwrap_or_default() {
                    declarations.push(self.json_block(labelled.name.as_str(), &labelled.value)?);
                }
            }
            for cloud in blocks(settings, "cloud") {
                declarations.push(self.json_block("cloud", cloud)?);
            }
        }
        Ok(declarations)
    }

    fn json_block(&self, kind: &str, body: &ast::Value<'_>) -> Result<Declaration, BackendError> {
        let line = self.line_at(body.range().start);
        let value: Value = serde_json::from_str(&self.text[body.range().start..body.range().end]).unwrap_or_default();
        let Value::Object(attributes) = value else {
            return Err(self.invalid(line, "a backend block is a JSON object"));
        };
        match attributes.iter().find(|(_, value)| has_template(value)) {
            Some((name, _)) => Err(self.not_literal(line, name)),
            None => Ok(self.declaration(kind, line, attributes.into_iter().collect())),
        }
    }

    fn declaration(&self, kind: &str, line: usize, attributes: BTreeMap<String, Value>) -> Declaration {
        Declaration { kind: kind.to_owned(), file: self.file.to_owned(), line, attributes, digest: self.digest.clone() }
    }

    fn not_literal(&self, line: usize, name: &str) -> BackendError {
        self.invalid(line, &format!("`{name}` of the backend block is not a literal value"))
    }

    fn invalid(&self, line: usize, message: &str) -> BackendError {
        BackendError::Invalid { file: self.file.to_owned(), line, message: message.to_owned() }
    }

    fn line(&self, span: Option<std::ops::Range<usize>>) -> usize {
        self.line_at(span.map_or(0, |span| span.start))
    }

    fn line_at(&self, offset: usize) -> usize {
        1 + self.text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
    }
}

/// The values of a property that is a block: one object, or a list of them.
fn blocks<'a, 'b>(value: &'b ast::Value<'a>, name: &str) -> Vec<&'b ast::Value<'a>> {
    match value {
        ast::Value::Array(array) => array.elements.iter().flat_map(|element| blocks(element, name)).collect(),
        ast::Value::Object(object) => object
            .properties
            .iter()
            .filter(|property| property.name.as_str() == name)
            .flat_map(|property| match &property.value {
                ast::Value::Array(array) => array.elements.iter().collect(),
                single => vec![single],
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Strings of JSON configuration are templates.
fn has_template(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${") || text.contains("%{"),
        Value::Array(items) => items.iter().any(has_template),
        Value::Object(fields) => fields.values().any(has_template),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A body of literals as JSON; the name of the first attribute that is none otherwise.
fn literals(body: &Body) -> Result<serde_json::Map<String, Value>, String> {
    let mut values = serde_json::Map::new();
    for attribute in body.attributes() {
        let value = literal(&attribute.value).ok_or_else(|| attribute.key.to_string())?;
        values.insert(attribute.key.to_string(), value);
    }
    for block in body.blocks() {
        values.insert(block.ident.to_string(), Value::Object(literals(&block.body)?));
    }
    Ok(values)
}

fn literal(expression: &Expression) -> Option<Value> {
    match expression {
        Expression::Null(_) => Some(Value::Null),
        Expression::Bool(value) => Some(Value::Bool(*value.value())),
        Expression::String(value) => Some(Value::String(value.value().clone())),
        Expression::Number(number) => {
            let number = number.value();
            let integer = number.as_i64().map(Value::from).or_else(|| number.as_u64().map(Value::from));
            integer.or_else(|| number.as_f64().map(Value::from))
        }
        Expression::Array(items) => items.iter().map(literal).collect::<Option<Vec<_>>>().map(Value::Array),
        Expression::Object(fields) => fields
            .iter()
            .map(|(key, value)| {
                let key = match key {
                    ObjectKey::Ident(name) => name.to_string(),
                    ObjectKey::Expression(Expression::String(name)) => name.value().clone(),
                    ObjectKey::Expression(_) => return None,
                };
                Some((key, literal(value.expr())?))
            })
            .collect::<Option<serde_json::Map<_, _>>>()
            .map(Value::Object),
        Expression::Parenthesis(inner) => literal(inner.inner()),
        Expression::UnaryOp(operation) if *operation.operator.value() == UnaryOperator::Neg => {
            let Some(Value::Number(number)) = literal(&operation.expr) else { return None };
            let integer = number.as_i64().and_then(i64::checked_neg).map(Value::from);
            integer.or_else(|| number.as_f64().map(|number| Value::from(-number)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stack(files: &[(&str, &str)]) -> Result<Option<Declaration>, BackendError> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let names: Vec<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
        declared(folder.path(), &names)
    }

    fn found(files: &[(&str, &str)]) -> (String, String, Value) {
        let declaration = stack(files).expect("valid").expect("a backend");
        let place = format!("{}:{}", declaration.file, declaration.line);
        (declaration.kind, place, json!(declaration.attributes))
    }

    fn refused(files: &[(&str, &str)]) -> String {
        stack(files).expect_err("refused").to_string()
    }

    const S3: &str = "# x\nterraform {\n  required_version = \">= 1.5\"\n  backend \"s3\" {\n    bucket = \"b\"\n    encrypt = true\n    max = -3\n    endpoints = { s3 = \"x\" }\n    assume_role {\n      role_arn = \"r\"\n    }\n  }\n}\n";

    #[test]
    fn a_block_is_found_with_its_place_and_literals() {
        let attributes = json!({
            "bucket": "b", "encrypt": true, "max": -3, "endpoints": {"s3": "x"}, "assume_role": {"role_arn": "r"},
        });
        assert_eq!(
            found(&[("main.tf", "locals {}\n"), ("backend.tf", S3)]),
            ("s3".into(), "backend.tf:4".into(), attributes)
        );
    }

    #[test]
    fn a_block_in_json_is_found_with_its_place() {
        let text = "{\n \"terraform\": [\n  {\"backend\": {\n   \"s3\": {\"bucket\": \"b\"}}}\n ]\n}\n";
        assert_eq!(found(&[("main.tf.json", text)]), ("s3".into(), "main.tf.json:4".into(), json!({"bucket": "b"})));
    }

    #[test]
    fn an_override_file_replaces_the_block() {
        let local = "terraform {\n  backend \"local\" {}\n}\n";
        assert_eq!(found(&[("a_override.tf", local), ("backend.tf", S3)]).0, "local");
    }

    #[test]
    fn terraform_cloud_is_a_backend() {
        assert_eq!(found(&[("main.tf", "terraform {\n  cloud {\n    organization = \"o\"\n  }\n}\n")]).0, "cloud");
    }

    #[test]
    fn no_block_is_no_backend() {
        assert_eq!(stack(&[("main.tf", "resource \"x\" \"y\" { backend = 1 }\n")]).expect("valid"), None);
        assert_eq!(stack(&[("main.tf.json", "{}")]).expect("valid"), None);
    }

    #[test]
    fn several_blocks_are_refused_with_their_places() {
        assert_eq!(refused(&[("a.tf", S3), ("b.tf", S3)]), "more than one backend: a.tf:4, b.tf:4");
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        let variable = "terraform {\n  backend \"s3\" {\n    bucket = var.bucket\n  }\n}\n";
        let template = "terraform {\n  backend \"s3\" {\n    bucket = \"a-${var.b}\"\n  }\n}\n";
        let json = "{\"terraform\": {\"backend\": {\"s3\": {\"bucket\": \"${var.b}\"}}}}";
        let message = "`bucket` of the backend block is not a literal value";
        assert_eq!(refused(&[("a.tf", variable)]), format!("a.tf:2: {message}"));
        assert_eq!(refused(&[("a.tf", template)]), format!("a.tf:2: {message}"));
        assert_eq!(refused(&[("a.tf.json", json)]), format!("a.tf.json:1: {message}"));
    }

    #[test]
    fn what_cannot_be_parsed_is_refused_with_its_place_but_without_its_text() {
        let message = refused(&[("a.tf", "locals {\n  password = \"hunter22\" \"\n}\n")]);
        assert!(message.starts_with("a.tf:2:") && !message.contains("hunter22"), "{message}");
        assert_eq!(refused(&[("a.tf.json", "{\n\"a\": }")]), "a.tf.json:2:6: not valid JSON");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = declared(folder.path(), &["gone.tf".to_owned()]).expect_err("refused");
        assert_eq!(error.to_string(), "gone.tf cannot be read");
    }

    #[test]
    fn only_files_that_terraform_reads_are_configuration() {
        let names = ["main.tf", "main.tf.json", ".hidden.tf", "#main.tf#", "main.tf~", "backend.hcl", "x.tfvars"];
        assert_eq!(names.into_iter().filter(|name| is_configuration(name)).count(), 2);
    }
}
