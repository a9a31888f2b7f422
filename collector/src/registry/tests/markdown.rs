//! Claims about Markdown registries.

use super::*;

const MD: Format = Format::Markdown;

#[test]
fn bullets_with_an_assignment_are_handles() {
    let text = r#"# Registry

Prose about `PROSE_HANDLE = "x"`, and
`WRAPPED_HANDLE = "x"` at the start of a line.

* `A_STAR = "x"`
- `A_DASH = "x"`
+ `A_PLUS = "x"`
  * `NESTED_ONE = 1`
	- `TABBED_ONE = 1` (remark)
*   `SPACED_ONE   =    [ 1, {"a": null} ]   ` a remark with `CODE` and `x = 1`
* `TIGHT_ONE=true`
* ``BACKTICK_ONE = "a`b"``
* `BARE_NAME`
* `BARE_NAME_WITH_REMARK`: to be pinned
* sentence with `MENTIONED_HANDLE = "x"` inside
* no code at all
"#;
    let expected = json!({
        "A_STAR": "x", "A_DASH": "x", "A_PLUS": "x", "NESTED_ONE": 1, "TABBED_ONE": 1,
        "SPACED_ONE": [1, {"a": null}], "TIGHT_ONE": true, "BACKTICK_ONE": "a`b",
    });
    assert_eq!(values(MD, text), expected);
    let lines: Vec<_> = read(MD, text).handles.into_values().map(|handle| handle.line).collect();
    assert_eq!(lines, [7, 8, 6, 13, 9, 11, 10, 12]);
}

#[test]
fn code_and_comments_are_not_read() {
    let text = r#"* `A_A = 1`
```
* `IN_FENCE = 1`
~~~
```
~~~ text
* `IN_FENCE = 1`
```
~~~~
* an example:
  ```markdown
  * `IN_FENCE = 1`
  ```
* ```
  * `IN_FENCE = 1`
  ```
* ``` `not a fence` ```
<!-- * `COMMENTED = 1` -->
<!--
* `COMMENTED = 1`
--> * `COMMENTED = 1`
> * `QUOTED_ONE = 1`
* `B_B = 2` <!-- was `B_B = 1` --> a remark <!--
* `COMMENTED = 1` -->
* `<!--` starts a comment
* `C_C = "<!--"` and `-->`
"#;
    assert_eq!(values(MD, text), json!({"A_A": 1, "B_B": 2, "C_C": "<!--"}));
}

#[test]
fn a_fence_or_a_comment_without_end_is_an_error() {
    assert_eq!(
        refusal(MD, "* `A = 1`\n\n```\n* `B = 1`\n"),
        "registry:3:1: this code fence is never closed; everything behind it would be code"
    );
    assert!(refusal(MD, "* `A = 1`\n* x\n ~~~~\n~~~\n").starts_with("registry:3:1: this code fence"));
    assert!(refusal(MD, "* `A = 1` <!-- x\n* `B = 1`\n").starts_with("registry:1:11: this comment is never closed"));
}

#[test]
fn the_same_value_twice_is_noted_and_another_value_is_an_error() {
    let handle = &read(MD, "* `A_A = [1, 2]`\n\n* `A_A = [1,2.0]`\n* `A_A = [1, 2]` again").handles["A_A"];
    assert_eq!((handle.line, handle.repeated_on.as_slice()), (1, [3, 4].as_slice()));
    assert_eq!(
        refusal(MD, "* `A_A = \"x\"`\n\n* `A_A = \"y\"`"),
        "registry:3:4: A_A is pinned twice, with different values: \"x\" on line 1, \"y\" on line 3"
    );
    assert!(refusal(MD, "* `A_A = 1`\n* `A_A = \"1\"`").contains("1 on line 1, \"1\" on line 2"));
}

#[test]
fn an_arrow_behind_the_key_of_a_tag_gives_its_value() {
    let text = r#"* `TAG_A_KEY = "a"` -> `fraud-platform`
* `TAG_B_KEY = "b"`->``x`y`` remark
* `TAG_C_KEY = "c"` -> `"quoted"`
* `TAG_D_KEY = "d"` (remark)
* `OTHER_ONE = "e"` -> `ignored`
* `TAG_D_KEY = "d"` -> `late`
"#;
    let handles = read(MD, text).handles;
    let expected = |name: &str| handles[name].expected_tag_value.as_deref();
    assert_eq!(expected("TAG_A_KEY"), Some("fraud-platform"));
    assert_eq!(expected("TAG_B_KEY"), Some("x`y"));
    assert_eq!(expected("TAG_C_KEY"), Some("quoted"));
    assert_eq!(expected("TAG_D_KEY"), Some("late"));
    assert_eq!(expected("OTHER_ONE"), None);
}

#[test]
fn an_arrow_that_leads_nowhere_is_an_error() {
    for remark in
        ["-> fraud-platform", "->", "-> ``", "-> ` `", "→ `x`", "=> `x`", "(so) -> `x`", "-> the `x`", "-> `\"x`"]
    {
        let text = format!("* `TAG_A_KEY = \"a\"` {remark}");
        assert!(refusal(MD, &text).contains("what follows TAG_A_KEY is not the expected value"), "{remark}");
        assert!(advice(MD, &text).contains("* `TAG_A_KEY = \"key\"` -> `expected value`"));
    }
    let text = "* `TAG_A_KEY = \"a\"` -> `x`\n* `TAG_A_KEY = \"a\"` -> `y`";
    assert!(refusal(MD, text).ends_with("different values: -> x on line 1, -> y on line 2"));
}

#[test]
fn a_bad_literal_says_where_and_what_to_write() {
    for (bullet, place, help) in [
        ("* `A_A = 'x'`", "1:10", "straight double quotes: \"x\""),
        ("* `A_A = “x”`", "1:10", "straight double quotes: \"x\""),
        ("* `A_A = eu-west-2`", "1:10", "double quotes: \"eu-west-2\""),
        ("* `A_A = \"x\",`", "1:13", "remove the mark"),
        ("* `A_A = 1;`", "1:11", "remove the mark"),
        ("* `A_A = \"x`", "1:11", "one text in double quotes"),
        ("* `A_A = \"x\" (remark)`", "1:14", "a remark stands behind the closing backtick"),
        ("* `A_A = [1, 2,]`", "1:16", "no comma behind the last entry"),
        ("* `A_A = {a: 1}`", "1:11", "double quotes around texts and keys"),
        ("* `A_A = True`", "1:10", "true or false, in lower case"),
        ("* `A_A = yes`", "1:10", "true or false, in lower case"),
        ("* `A_A = None`", "1:10", "\"TO_PIN\""),
        ("* `A_A = TO_PIN`", "1:10", "double quotes: \"TO_PIN\""),
        ("* `A_A = `", "1:10", "\"TO_PIN\""),
        ("* `A_A = 007`", "1:11", "in double quotes: \"007\""),
        ("* `A_A = 1_000`", "1:11", "in double quotes: \"1_000\""),
        ("* `A_A == 1`", "1:9", "double quotes"),
        ("* `é`\n\t* `A_A = é`", "2:11", "double quotes: \"é\""),
    ] {
        let message = refusal(MD, bullet);
        assert!(
            message.starts_with(&format!("registry:{place}: the value of A_A is not a JSON literal: ")),
            "{message}"
        );
        assert!(advice(MD, bullet).contains(help), "{bullet}: {}", advice(MD, bullet));
    }
    assert!(refusal(MD, "* `A_A = {\"a\": 1, \"a\": 2}`").contains("the key \"a\" occurs twice in the value of A_A"));
}

#[test]
fn what_looks_pinned_and_is_not_is_an_error() {
    for (bullet, why) in [
        ("* `TF_STATE-BUCKET = \"x\"`", "\"TF_STATE-BUCKET\" is not the name of a handle"),
        ("* `TF.STATE = \"x\"`", "is not the name of a handle"),
        ("* `TF_STATE_BUCKEt = \"x\"`", "is not the name of a handle"),
        ("* `1ST_BUCKET = \"x\"`", "is not the name of a handle"),
        ("* `_TF_BUCKET = \"x\"`", "is not the name of a handle"),
        ("* `TF_STÄTE = \"x\"`", "is not the name of a handle"),
        ("* `TF_STATE: \"x\"`", "there is a colon instead of an equals sign"),
        ("* `TF_STATE := \"x\"`", "there is a colon in front of the equals sign"),
        ("*`TF_STATE = \"x\"`", "there is no space behind the bullet's mark"),
        ("1. `TF_STATE = \"x\"`", "it stands in a numbered item"),
        ("12) `TF_STATE = \"x\"`", "it stands in a numbered item"),
        ("* TF_STATE = \"x\"", "it has no backticks"),
        ("* **TF_STATE** = \"x\"", "it has no backticks"),
        ("* `TF_STATE` = `\"x\"`", "its value stands outside of its backticks"),
        ("* `TF_STATE = \"x\"", "its backtick is never closed on this line"),
        ("* `TF_STATE = [\n  1]`", "its backtick is never closed on this line"),
        ("* [ ] `TF_STATE = \"x\"`", "something stands in front of it"),
        ("* [x] `TF_STATE = \"x\"`", "something stands in front of it"),
        ("* **`TF_STATE = \"x\"`**", "something stands in front of it"),
        ("* ~~`TF_STATE = \"x\"`~~", "something stands in front of it"),
        ("* **`TF_STATE`** = \"x\"", "something stands in front of it"),
        ("* `A_A = 1`, `B_B = 2`", "B_B is pinned in the same bullet as A_A"),
        ("* `TAG_A_KEY = \"1\"` -> `x`, `B_B = 2`", "B_B is pinned in the same bullet as TAG_A_KEY"),
    ] {
        let message = refusal(MD, &format!("* `OTHER_ONE = 1`\n{bullet}"));
        assert!(message.starts_with("registry:2:") && message.contains(why), "{bullet}: {message}");
    }
}

#[test]
fn prose_is_no_near_miss() {
    let text = r#"* `OTHER_ONE = 1`
* `foo = 1`
* `Foo = 1`
* `foo_bar = "x"` in Terraform
* `--flag=value`
* `terraform plan -out=plan.bin`
* `SELECT A FROM B WHERE C = 1`
* `a == b`
* `TF_STATE` == `x`
* `TF_STATE` => see below
* `TF_STATE` is `x`
* `NOTE: text`
* `arn:aws:iam::123456789012:role/x`
* N = 5 brokers
* *`TF_STATE`* is pinned later
* the `TF_STATE = "x"` of last year
1. `TF_STATE`
---
* * *
**`TF_STATE`** = nothing
| `TF_STATE = "x"` | cell |
"#;
    assert_eq!(values(MD, text), json!({"OTHER_ONE": 1}));
}
