//! What a place that says nothing could say: what it says in a document that passes, or the same as its siblings do, under its own name.
//! `/terraform/stacks/ops/plan` has the plans of the other stacks, a parameter's `metadata` that of the other parameters.

use std::collections::BTreeSet;

use factgate_collector::json::{escape, unescape};
use serde_json::Value;

use super::change::rest;

/// What an observation that is there could be: what its siblings are before what the model says.
pub(super) fn other_values(facts: &Value, model: &Value, place: &str, trusted: &BTreeSet<&str>) -> Vec<Value> {
    let (mut own, others): (Vec<Value>, Vec<Value>) =
        (siblings(facts, place, trusted), values(facts, model, place, trusted));
    own.extend(others);
    own
}

/// What an observation could be: its value, and the fingerprints of that. `model` is a document that passes, and speaks of the same things; `trusted` are facts of checks that hold.
pub(super) fn values(facts: &Value, model: &Value, place: &str, trusted: &BTreeSet<&str>) -> Vec<Value> {
    let mut found: Vec<Value> =
        model.pointer(place).filter(|found| is_present(found)).map(answer).into_iter().collect();
    for value in siblings(facts, place, trusted).into_iter().chain(siblings(model, place, trusted)) {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// The values of present siblings of an observation, those first that the trusted facts are about.
fn siblings(facts: &Value, place: &str, trusted: &BTreeSet<&str>) -> Vec<Value> {
    let Some((parent, aspect)) = place.rsplit_once('/') else { return Vec::new() };
    let Some((around, own)) = parent.rsplit_once('/') else { return Vec::new() };
    let own = unescape(own);
    let mut found = Vec::new();
    for name in facts.pointer(around).and_then(Value::as_object).into_iter().flat_map(|siblings| siblings.keys()) {
        let sibling = format!("{around}/{}/{aspect}", escape(name));
        let Some(observation) = facts.pointer(&sibling).filter(|found| is_present(found)) else { continue };
        if *name != own {
            let is_trusted = trusted.iter().any(|fact| rest(fact, &sibling).is_some());
            found.push((!is_trusted, renamed(&answer(observation), &[(name, &own)])));
        }
    }
    // The sort is stable.
    found.sort_by_key(|(is_other, _)| *is_other);
    found.into_iter().map(|(_, value)| value).collect()
}

fn is_present(observation: &Value) -> bool {
    observation["status"] == "present"
}

/// A present observation without its receipts.
fn answer(observation: &Value) -> Value {
    let mut answer = observation.clone();
    if let Some(fields) = answer.as_object_mut() {
        fields.remove("receipts");
    }
    answer
}

/// A document that speaks of what the handles of another one pin, in place of what its own do.
pub(super) fn adapted(model: &Value, facts: &Value) -> Value {
    let handles = model["handles"].as_object().into_iter().flatten();
    let mut names: Vec<(&str, &str)> = Vec::new();
    for (name, handle) in handles {
        let other = &facts["handles"][name]["value"];
        match (&handle["value"], other) {
            (Value::String(own), Value::String(other)) => {
                names.push((own, other));
                // What follows the kind of a resource in its ARN also stands in the ARNs of its parts.
                let tails =
                    [own, other].map(|arn| arn.split_once('/').map(|(_, tail)| tail).filter(|tail| tail.contains('/')));
                if let [Some(own), Some(other)] = tails {
                    names.push((own, other));
                }
            }
            (Value::Array(own), Value::Array(other)) => {
                names.extend(own.iter().zip(other).filter_map(|(own, other)| Some((own.as_str()?, other.as_str()?))));
            }
            _ => {}
        }
    }
    for section in ["run", "approvals"] {
        counterparts(&model[section], &facts[section], &mut names);
    }
    names.retain(|(own, other)| own != other && !own.is_empty());
    names.sort_by_key(|(own, _)| std::cmp::Reverse(own.len()));
    renamed(model, &names)
}

/// The texts that stand at the same places of two values.
fn counterparts<'values>(own: &'values Value, other: &'values Value, found: &mut Vec<(&'values str, &'values str)>) {
    match (own, other) {
        (Value::String(own), Value::String(other)) => found.push((own, other)),
        (Value::Object(own), Value::Object(other)) => {
            for (name, own) in own.iter().filter(|(name, _)| *name != "receipts" && *name != "status") {
                counterparts(own, other.get(name).unwrap_or(&Value::Null), found);
            }
        }
        _ => {}
    }
}

/// A value in which names stand in place of others: of whole texts and names of members, and of whole words of other texts.
pub(super) fn renamed(value: &Value, names: &[(&str, &str)]) -> Value {
    let whole = |text: &str| names.iter().find(|(from, _)| *from == text).map(|(_, to)| (*to).to_owned());
    match value {
        Value::String(text) => Value::String(whole(text).unwrap_or_else(|| with_words(text, names))),
        Value::Array(items) => items.iter().map(|item| renamed(item, names)).collect(),
        Value::Object(fields) => {
            let field =
                |(name, field): (&String, &Value)| (whole(name).unwrap_or_else(|| name.clone()), renamed(field, names));
            Value::Object(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

/// A text in which the names that are words of it are replaced, the longest first.
fn with_words(text: &str, names: &[(&str, &str)]) -> String {
    let is_word = |character: char| character.is_alphanumeric() || "-_".contains(character);
    // Of a name that begins or ends otherwise, such as a path, that is a limit itself.
    let is_apart = |one: Option<char>, other: Option<char>| !one.is_some_and(is_word) || !other.is_some_and(is_word);
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let before = text[..text.len() - rest.len()].chars().next_back();
        let found = names.iter().find_map(|(from, to)| {
            let after = rest.strip_prefix(from).filter(|_| !from.is_empty())?;
            let is_whole = is_apart(before, Some(next)) && is_apart(from.chars().next_back(), after.chars().next());
            is_whole.then_some((to, after))
        });
        match found {
            Some((to, after)) => {
                replaced.push_str(to);
                rest = after;
            }
            None => {
                replaced.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sibling_speaks_under_the_name_of_the_place() {
        let present = |value: Value| json!({"status": "present", "value": value, "receipts": ["r"]});
        let facts = json!({"aws": {"ssm": {"parameters": {
            "/a/one": {"metadata": present(json!({"Name": "/a/one", "Tier": 1}))},
            "/a/two": {"metadata": present(json!({"Name": "/a/two", "Tier": 2}))},
            "/a/three": {"metadata": {"status": "absent"}, "tags": present(json!({}))},
            "/a/four": {"metadata": {"status": "absent"}},
        }}}});
        let place = "/aws/ssm/parameters/~1a~1four/metadata";
        let answer = |value: Value| json!({"status": "present", "value": value});
        let [one, two] = [1, 2].map(|tier| answer(json!({"Name": "/a/four", "Tier": tier})));
        let nothing = json!({});
        assert_eq!(values(&facts, &nothing, place, &BTreeSet::new()), [one.clone(), two.clone()]);
        let trusted = BTreeSet::from(["/aws/ssm/parameters/~1a~1two/metadata/value/Name"]);
        assert_eq!(values(&facts, &nothing, place, &trusted), [two.clone(), one.clone()]);
        assert_eq!(values(&facts, &nothing, "/aws", &trusted), [Value::Null; 0]);
        let model = json!({
            "handles": {"P": {"value": "/one"}, "Q": {"value": "x"}},
            "aws": {"ssm": {"parameters": {"/one": {"metadata": present(json!({"Name": "/one", "xx": "x"}))}}}},
        });
        let facts = json!({
            "handles": {"P": {"value": "/a/four"}, "Q": {"value": "yy"}, "R": {"value": "r"}}, "aws": facts["aws"],
        });
        let like_model = answer(json!({"Name": "/a/four", "xx": "yy"}));
        assert_eq!(values(&facts, &adapted(&model, &facts), place, &trusted), [like_model, two, one]);
    }

    #[test]
    fn a_model_speaks_of_what_the_handles_of_a_document_pin() {
        let handles = |cluster: &str, subnets: Value| json!({"C": {"value": cluster}, "S": {"value": subnets}});
        let model = json!({
            "handles": handles("arn:k:cluster/stream/1-2", json!(["one", "two"])),
            "run": {"region": "here"},
            "said": ["arn:k:topic/stream/1-2/*", "subnet/two", "arn:here:x"],
        });
        let facts = json!({
            "handles": handles("arn:k:cluster/msk/3-4", json!(["three", "four"])), "run": {"region": "there"},
        });
        assert_eq!(adapted(&model, &facts)["said"], json!(["arn:k:topic/msk/3-4/*", "subnet/four", "arn:there:x"]));
    }

    #[test]
    fn a_name_stands_in_place_of_whole_words_only() {
        let value = json!({"state": "arn:aws:s3:::state/x", "state_machines": ["states", "state-1", "a state"]});
        let expected = json!({"bucket": "arn:aws:s3:::bucket/x", "state_machines": ["states", "state-1", "a bucket"]});
        assert_eq!(renamed(&value, &[("state", "bucket")]), expected);
        let names = [("eu-west-2", "ap-south-1"), ("123", "998"), ("/a/b", "/c")];
        assert_eq!(renamed(&json!("arn:eu-west-2:123:parameter/a/b"), &names), json!("arn:ap-south-1:998:parameter/c"));
    }
}
