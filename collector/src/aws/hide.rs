//! What answers hold that must not be kept: variables, whoever set them.

use serde_json::{Map, Value};

use super::session::Session;

/// Replaces the values of variables by fingerprints: any of them may be a secret. A value stays that is the text of the pinned
/// handle of the variable's own name, for it stands in the same document anyway. `scanned` names the place to the scan for
/// secrets in plain text, if it is one that must hold none.
pub(super) fn variables(session: &Session<'_>, variables: &mut Map<String, Value>, scanned: Option<&str>) {
    for (name, value) in variables {
        let handle = session.context.handle_text(name);
        let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let Some(source) = scanned {
            session.redactor.watch(source, &format!("Environment.Variables.{name}"), &plain);
        }
        if !value.is_string() || handle.as_deref() != Some(plain.as_str()) {
            session.redactor.suspect(&plain);
            *value = Value::String(session.redactor.fingerprint(&plain));
        }
    }
}

/// The object behind a member of an object, if it is there; an error if it is something else.
pub(super) fn object<'a>(
    members: &'a mut Map<String, Value>,
    name: &str,
) -> Result<Option<&'a mut Map<String, Value>>, String> {
    match members.get_mut(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(format!("the answer's `{name}` is no object")),
    }
}

/// The objects of a list behind a member of an object, none if it is not there; an error if it is something else.
pub(super) fn objects<'a>(
    members: &'a mut Map<String, Value>,
    name: &str,
) -> Result<Vec<&'a mut Map<String, Value>>, String> {
    let items = match members.get_mut(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(format!("the answer's `{name}` is no list")),
    };
    let count = items.len();
    let objects: Vec<_> = items.iter_mut().filter_map(Value::as_object_mut).collect();
    if objects.len() == count { Ok(objects) } else { Err(format!("the answer's `{name}` is no list of objects")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_there_is_nothing_and_what_is_something_else_is_an_error() {
        let mut members = json!({"a": {"b": 1}, "c": null, "d": [{"e": 1}], "f": ["g"]});
        let members = members.as_object_mut().unwrap();
        assert!(object(members, "a").unwrap().is_some());
        assert!(object(members, "c").unwrap().is_none());
        assert!(object(members, "z").unwrap().is_none());
        assert!(object(members, "d").is_err());
        assert_eq!(objects(members, "d").unwrap().len(), 1);
        assert_eq!(objects(members, "c").unwrap().len(), 0);
        assert_eq!(objects(members, "z").unwrap().len(), 0);
        assert!(objects(members, "a").is_err());
        assert!(objects(members, "f").is_err());
    }
}
