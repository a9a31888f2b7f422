//! Answers' bodies: JSON that a canonical document can carry, the root element of XML, and the outermost map of CBOR.

use serde_json::{Map, Number, Value};

/// Beyond this an integer has no exact double, and RFC 8785, in which documents are sealed, knows doubles only.
const MAX_EXACT: u64 = 1 << 53;

/// The JSON object in `bytes`, with integers beyond ±2^53 as strings.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(members.into_iter().map(|(name, value)| (name, exact(value))).collect()),
        Ok(_) => Err("the answer is JSON but not an object".to_owned()),
        // The parser's own message quotes nothing of the input, so a secret cannot slip out through it.
        Err(error) => Err(format!("the answer is not JSON: {error}")),
    }
}

fn exact(value: Value) -> Value {
    match value {
        Value::Number(number) if !is_exact(&number) => Value::String(number.to_string()),
        Value::Array(items) => Value::Array(items.into_iter().map(exact).collect()),
        Value::Object(members) => Value::Object(members.into_iter().map(|(name, item)| (name, exact(item))).collect()),
        other => other,
    }
}

fn is_exact(number: &Number) -> bool {
    if let Some(integer) = number.as_i64() {
        integer.unsigned_abs() <= MAX_EXACT
    } else if let Some(integer) = number.as_u64() {
        integer <= MAX_EXACT
    } else {
        // A fraction, or an integer beyond 64 bits that was parsed as a double.
        number.as_f64().is_some_and(|double| double.fract() != 0.0 || double.abs() <= MAX_EXACT as f64)
    }
}

/// Whether `bytes` are an XML document that is complete, has this root element and, somewhere, these elements. The SDK's own
/// parsers read a missing list as an empty one.
pub(super) fn xml(bytes: &[u8], root: &str, elements: &[&str]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the answer is not UTF-8".to_owned())?;
    if !has_root(text, root) {
        return Err(format!("the answer is not a complete XML document with the root `{root}`"));
    }
    match elements.iter().find(|element| !has_element(text, element)) {
        Some(element) => Err(format!("the answer has no `{element}`")),
        None => Ok(()),
    }
}

/// Whether `bytes` begin as a CBOR map and, somewhere, have this key. The SDK's own parser reads an empty body as an answer in
/// which everything is unset.
pub(super) fn cbor(bytes: &[u8], member: &str) -> Result<(), String> {
    const MAP: u8 = 5;
    const TEXT: u8 = 3 << 5;
    if bytes.first().is_none_or(|first| first >> 5 != MAP) {
        return Err("the answer is not a CBOR map".to_owned());
    }
    // Texts of fewer than 24 bytes have their length in the first byte, the others behind it.
    let key = match u8::try_from(member.len()) {
        Ok(length @ 0..24) => [&[TEXT | length], member.as_bytes()].concat(),
        Ok(length) => [&[TEXT | 24, length], member.as_bytes()].concat(),
        Err(_) => return Err(format!("the answer has no `{member}`")),
    };
    if bytes.windows(key.len()).any(|window| window == key) {
        Ok(())
    } else {
        Err(format!("the answer has no `{member}`"))
    }
}

/// An object with these of its members only; one that it does not have is left out.
pub(super) fn picked(object: &Value, members: &[&str]) -> Value {
    let picked: Map<String, Value> =
        members.iter().filter_map(|member| Some(((*member).to_owned(), object.get(*member)?.clone()))).collect();
    Value::Object(picked)
}

fn has_element(text: &str, element: &str) -> bool {
    text.match_indices(element).any(|(at, _)| {
        text[..at].ends_with('<')
            && text[at + element.len()..].starts_with(|next: char| matches!(next, '>' | '/') || next.is_whitespace())
    })
}

fn has_root(text: &str, root: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim();
    loop {
        let end = if rest.starts_with("<?") {
            "?>"
        } else if rest.starts_with("<!--") {
            "-->"
        } else {
            break;
        };
        let Some(at) = rest.find(end) else { return false };
        rest = rest[at + end.len()..].trim_start();
    }
    let Some(inside) = rest.strip_prefix('<').and_then(|rest| rest.strip_prefix(root)) else { return false };
    let closing = format!("</{root}>");
    match inside.chars().next() {
        Some('>') => inside.ends_with(&closing),
        Some('/') => inside == "/>",
        Some(next) if next.is_whitespace() => {
            inside.ends_with(&closing) || (inside.ends_with("/>") && inside.matches('>').count() == 1)
        }
        _ => false,
    }
}

/// The JSON document that IAM and S3 wrap into a string; IAM also percent-encodes it.
pub(super) fn policy_document(text: &str) -> Result<Value, String> {
    let decoded = if text.trim_start().starts_with('{') { text.to_owned() } else { percent_decoded(text)? };
    object(decoded.as_bytes()).map(Value::Object).map_err(|error| format!("a policy document cannot be read: {error}"))
}

fn percent_decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = if first == b'%' {
            let mut byte = [0];
            let pair = tail.get(..2).ok_or("a policy document ends inside a percent escape")?;
            hex::decode_to_slice(pair, &mut byte).map_err(|_| "a policy document has a wrong percent escape")?;
            bytes.push(byte[0]);
            &tail[2..]
        } else {
            bytes.push(first);
            tail
        };
    }
    String::from_utf8(bytes).map_err(|_| "a policy document is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn integers_beyond_exact_doubles_become_strings() {
        let body = br#"{"a":9007199254740992,"b":9007199254740993,"c":[-9007199254740993,{"d":18446744073709551615}],"e":1.5,"f":1721558399.123}"#;
        let expected = json!({
            "a": 9_007_199_254_740_992_u64,
            "b": "9007199254740993",
            "c": ["-9007199254740993", {"d": "18446744073709551615"}],
            "e": 1.5,
            "f": 1_721_558_399.123,
        });
        assert_eq!(object(body).map(Value::Object), Ok(expected));
    }

    #[test]
    fn only_a_json_object_is_an_answer() {
        for body in ["", "[]", "null", "\"text\"", "{\"a\":1", "<html/>", "{} trailing"] {
            assert!(object(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn another_root_element_is_no_answer() {
        for body in ["<A/>", "<?xml version=\"1.0\"?>\n<A x=\"y\"><B/></A>\n", "<!-- c --><A></A>", "<A xmlns=\"u\"/>"]
        {
            assert_eq!(xml(body.as_bytes(), "A", &[]), Ok(()), "{body}");
        }
        for body in ["", "<html><A/></html>", "<AB/>", "<A><B/>", "<A", "<A x=\"y\"><B/>", "{}", "<?xml"] {
            assert!(xml(body.as_bytes(), "A", &[]).is_err(), "{body}");
        }
    }

    #[test]
    fn a_missing_list_is_not_an_empty_one() {
        for body in ["<A><List/></A>", "<A><List></List></A>", "<A><List x=\"y\"/></A>"] {
            assert_eq!(xml(body.as_bytes(), "A", &["List"]), Ok(()), "{body}");
        }
        for body in ["<A/>", "<A>List</A>", "<A><Lists/></A>", "<A></List></A>"] {
            assert!(xml(body.as_bytes(), "A", &["List"]).is_err(), "{body}");
        }
    }

    #[test]
    fn only_a_map_with_its_member_is_cbor() {
        let long = "a-member-of-more-than-24-bytes";
        assert_eq!(cbor(b"\xbf\x63abc\x80\xff", "abc"), Ok(()));
        assert_eq!(cbor(b"\xa1\x63abc\x80", "abc"), Ok(()));
        assert_eq!(cbor(&[b"\xa1\x78\x1e", long.as_bytes(), b"\x80"].concat(), long), Ok(()));
        for body in [&b""[..], b"<html>abc</html>", b"\x63abc", b"\xbf\xff", b"\xbf\x64abcd\x80\xff", b"{\"abc\":[]}"] {
            assert!(cbor(body, "abc").is_err(), "{body:?}");
        }
    }

    #[test]
    fn policy_documents_are_decoded_or_refused() {
        let plain = r#"{"Statement":[{"Action":"sts:AssumeRole+x"}]}"#;
        let encoded = "%7B%22Statement%22%3A%5B%7B%22Action%22%3A%22sts%3AAssumeRole+x%22%7D%5D%7D";
        assert_eq!(policy_document(plain), policy_document(encoded));
        assert!(policy_document(plain).is_ok());
        for text in ["", "%7", "%zz", "%FF", "[]", "%7B"] {
            assert!(policy_document(text).is_err(), "{text}");
        }
    }
}
