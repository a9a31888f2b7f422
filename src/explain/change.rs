//! Edits as such: made in a document, put together, taken apart, reduced to those that are needed.

use factgate_collector::json::{escape, unescape};
use serde_json::{Value, json};

use super::Edit;

/// The document after edits, one after the other, if they can be made.
pub(super) fn edited(document: &Value, edits: &[Edit]) -> Option<Value> {
    let mut edited = document.clone();
    edits.iter().all(|edit| put(&mut edited, &edit.pointer, edit.value.clone())).then_some(edited)
}

/// Puts a value where a pointer leads, with the objects that are missing on the way.
pub(super) fn put(document: &mut Value, pointer: &str, value: Value) -> bool {
    let mut place = document;
    for step in pointer.split('/').skip(1).map(unescape) {
        place = match place {
            Value::Array(items) => {
                let Some(item) = step.parse().ok().and_then(|index: usize| items.get_mut(index)) else { return false };
                item
            }
            _ => {
                if place.is_null() {
                    *place = json!({});
                }
                let Some(fields) = place.as_object_mut() else { return false };
                fields.entry(step).or_insert(Value::Null)
            }
        };
    }
    *place = value;
    true
}

/// Adds an edit that comes after others: one of a part of what another one writes becomes a part of that.
pub(super) fn add(edits: &mut Vec<Edit>, edit: Edit) {
    let is_within = |other: &Edit| rest(&edit.pointer, &other.pointer).is_some();
    if let Some(around) = edits.iter_mut().find(|other| is_within(other)) {
        let rest = rest(&edit.pointer, &around.pointer).unwrap_or_default().to_owned();
        if put(&mut around.value, &rest, edit.value.clone()) {
            return;
        }
    }
    edits.retain(|other| rest(&other.pointer, &edit.pointer).is_none());
    edits.push(edit);
}

/// The values within a value that have no members, in their order.
pub(super) fn leaves(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::Object(fields) => fields.values().flat_map(leaves).collect(),
        other => vec![other],
    }
}

/// What of a pointer goes on from another one that leads to it or to something around it.
pub(super) fn rest<'pointer>(pointer: &'pointer str, around: &str) -> Option<&'pointer str> {
    pointer.strip_prefix(around).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The edits that make one value of another, member by member. Lists are written as a whole, and what only the first has stays.
pub(super) fn differences(pointer: &str, from: &Value, to: &Value) -> Vec<Edit> {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => {
            let members = to.iter().flat_map(|(name, to)| {
                let pointer = format!("{pointer}/{}", escape(name));
                match from.get(name) {
                    Some(from) => differences(&pointer, from, to),
                    None => vec![Edit { pointer, value: to.clone() }],
                }
            });
            members.collect()
        }
        _ if from == to => Vec::new(),
        _ => vec![Edit { pointer: pointer.to_owned(), value: to.clone() }],
    }
}

/// As few of the items as are needed, in their order: none of those left can be done without (`ddmin`, Zeller and Hildebrandt, "Simplifying
/// and Isolating Failure-Inducing Input", 2002).
pub(super) fn fewest<T: Clone, E>(
    mut items: Vec<T>,
    is_enough: &mut impl FnMut(&[T]) -> Result<bool, E>,
) -> Result<Vec<T>, E> {
    let mut size = items.len();
    while size > 0 {
        let mut start = 0;
        let mut has_fewer = false;
        while start < items.len() {
            let end = items.len().min(start + size);
            let fewer = [&items[..start], &items[end..]].concat();
            if is_enough(&fewer)? {
                items = fewer;
                has_fewer = true;
            } else {
                start = end;
            }
        }
        // Without one, another one may have become needless.
        size = if size == 1 && has_fewer { 1 } else { size / 2 };
    }
    Ok(items)
}

/// Every combination of so many of the edits.
pub(super) fn combinations(edits: &[Edit], size: usize) -> Vec<Vec<Edit>> {
    match (size, edits) {
        (0, _) => vec![Vec::new()],
        (_, []) => Vec::new(),
        (_, [first, rest @ ..]) => {
            let with_first = combinations(rest, size - 1).into_iter().map(|mut others| {
                others.insert(0, first.clone());
                others
            });
            with_first.chain(combinations(rest, size)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use serde_json::json;

    use super::*;

    fn edit(pointer: &str, value: Value) -> Edit {
        Edit { pointer: pointer.to_owned(), value }
    }

    #[test]
    fn an_edit_within_another_becomes_a_part_of_it() {
        let mut edits = vec![edit("/a", json!({"x": 1})), edit("/ab", json!(1))];
        add(&mut edits, edit("/a/y/z", json!(2)));
        add(&mut edits, edit("/ab", json!(3)));
        assert_eq!(edits, [edit("/a", json!({"x": 1, "y": {"z": 2}})), edit("/ab", json!(3))]);
        add(&mut edits, edit("", json!({})));
        assert_eq!(edits, [edit("", json!({}))]);
    }

    #[test]
    fn differences_make_one_value_of_the_other() {
        let (from, to) = (
            json!({"a": {"x": 1, "y": [1]}, "gone": 1, "same": 1}),
            json!({"a": {"x": 2, "y": [2], "z/": 1}, "same": 1}),
        );
        let edits = differences("/p", &from, &to);
        assert_eq!(edits, [edit("/p/a/x", json!(2)), edit("/p/a/y", json!([2])), edit("/p/a/z~1", json!(1))]);
        let edited = edited(&json!({"p": from}), &edits).unwrap();
        assert_eq!(edited, json!({"p": {"a": {"x": 2, "y": [2], "z/": 1}, "gone": 1, "same": 1}}));
    }

    #[test]
    fn none_of_the_fewest_can_be_done_without() {
        for (count, needed) in [(1, vec![]), (9, vec![0, 8]), (40, vec![3, 4, 17]), (5, vec![0, 1, 2, 3, 4])] {
            let mut tried = 0;
            let found = fewest((0..count).collect(), &mut |items: &[usize]| {
                tried += 1;
                Ok::<_, Infallible>(needed.iter().all(|needed| items.contains(needed)))
            });
            assert_eq!(found, Ok(needed));
            assert!(tried < 60, "{count}: {tried}");
        }
        // Either of them will do once the other is gone; both are needed or none.
        let found =
            fewest(vec![1, 2, 3], &mut |items: &[u8]| Ok::<_, Infallible>(items.contains(&1) == items.contains(&2)));
        assert_eq!(found, Ok(vec![]));
    }
}
