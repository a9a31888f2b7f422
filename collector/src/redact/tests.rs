use proptest::prelude::*;
use serde_json::json;

use super::*;

fn redactor() -> Redactor {
    Redactor::new().expect("randomness")
}

#[test]
fn a_fingerprint_is_the_same_within_a_run_and_differs_between_runs() {
    let (run, other) = (redactor(), redactor());
    assert_eq!(run.fingerprint("value"), run.fingerprint("value"));
    assert_ne!(run.fingerprint("value"), run.fingerprint("value2"));
    assert_ne!(run.fingerprint("value"), other.fingerprint("value"));
    assert!(is_fingerprint(&run.fingerprint("")));
}

#[test]
fn a_learned_secret_and_a_value_in_its_place_have_one_fingerprint() {
    let redactor = redactor();
    redactor.learn("correct-horse");
    assert_eq!(redactor.redact_text("is correct-horse."), format!("is {}.", redactor.fingerprint("correct-horse")));
}

#[test]
fn everything_below_the_name_of_a_credential_is_one() {
    let redactor = redactor();
    let mut value = json!({
        "db_passwords": ["hunter2-list"], "api_tokens": {"billing": {"eu": "tok-8871"}, "path": "/platform/token"},
        "api_key_2": "second", "visible": ["plain"],
    });
    redactor.redact_value(&mut value);
    assert_eq!(value["db_passwords"][0], redactor.fingerprint("hunter2-list"));
    assert_eq!(value["api_tokens"]["billing"]["eu"], redactor.fingerprint("tok-8871"));
    assert_eq!(value["api_key_2"], redactor.fingerprint("second"));
    assert_eq!((&value["api_tokens"]["path"], &value["visible"][0]), (&json!("/platform/token"), &json!("plain")));
}

#[test]
fn the_record_of_something_that_is_named_like_a_credential_is_none() {
    let redactor = redactor();
    redactor.learn_value(&json!(918_273_645));
    let record = json!({"status": "present", "value": {"exit_code": 0, "serial": 918_273_645}, "receipts": ["x"]});
    let mut document =
        json!({"parameters": {"/ig/api_key": {"metadata": record}}, "api_key": "kq8v-zz", "more": record});
    redactor.redact_document(&mut document);
    let expected = json!({"parameters": {"/ig/api_key": {"metadata": record}}, "api_key": redactor.fingerprint("kq8v-zz"), "more": record});
    assert_eq!(document, expected);
}

#[test]
fn a_value_is_replaced_for_the_name_that_it_stands_under() {
    let redactor = redactor();
    let named = |name: &str, mut value: Value| {
        redactor.redact_named(name, &mut value);
        value
    };
    assert_eq!(named("DB_PASSWORD", json!("hunter2")), json!(redactor.fingerprint("hunter2")));
    for name in
        ["SSM_AURORA_PASSWORD_PATH", "DDB_IG_IDEMPOTENCY_PARTITION_KEY", "TAG_PROJECT_KEY", "IG_AUTH_HEADER_NAME"]
    {
        assert_eq!(named(name, json!("dedupe_key")), json!("dedupe_key"), "{name}");
    }
}

#[test]
fn a_number_that_was_declared_a_secret_is_replaced_wherever_it_stands() {
    let redactor = redactor();
    redactor.learn_value(&json!(918_273_645));
    redactor.suspect_value(&json!(1_048_576));
    let mut value = json!({"pin": 918_273_645, "limit": 1_048_576, "more": [9_182_736_450_i64]});
    redactor.redact_value(&mut value);
    let expected = json!({"pin": redactor.fingerprint("918273645"), "limit": 1_048_576, "more": [9_182_736_450_i64]});
    assert_eq!(value, expected);
}

#[test]
fn a_secret_is_found_in_every_usual_encoding() {
    let redactor = redactor();
    let secret = "p\"a<ss>&w\\or d\n${x}ü";
    redactor.learn(secret);
    let json = serde_json::Value::from(secret).to_string();
    let forms = [
        secret.to_owned(),
        json.clone(),
        serde_json::Value::from(json.as_str()).to_string(),
        json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"),
        "cCJhPHNzPiZ3XG9yIGQKJHt4fcO8".to_owned(),
        "p%22a%3Css%3E%26w%5Cor%20d%0A%24%7Bx%7D%C3%BC".to_owned(),
        "p%22a%3Css%3E%26w%5Cor+d%0A%24%7Bx%7D%C3%BC".to_owned(),
    ];
    for form in forms {
        let redacted = redactor.redact_text(&format!("[{form}]"));
        assert_eq!(redacted.replace(['"', '\\'], "").len(), FINGERPRINT_PREFIX.len() + 64 + 2, "{redacted}");
    }
}

#[test]
fn a_secret_is_found_in_json_within_json_of_any_encoder() {
    let redactor = redactor();
    let secret = "p\"a<ss>&w\\or é";
    redactor.learn(secret);
    let json = |text: &str| serde_json::Value::from(text).to_string();
    let go = |text: &str| json(text).replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    let python = json(secret).replace('é', "\\u00e9");
    for form in [go(&go(secret)), json(&go(&go(secret))), go(&json(&go(&go(secret)))), python.clone(), go(&python)] {
        let redacted = redactor.redact_text(&form);
        assert_eq!(redacted.replace(['"', '\\'], "").len(), FINGERPRINT_PREFIX.len() + 64, "{form} {redacted}");
    }
}

#[test]
fn a_multi_line_secret_is_found_line_by_line_and_however_it_is_wrapped() {
    let redactor = redactor();
    redactor.learn("first-line-of-it\nsecond-line-of-it\nx\n");
    redactor.learn("one two three four");
    let redacted = redactor.redact_text("  + second-line-of-it\n│ one two\n│ three\n  four x");
    assert!(!redacted.contains("second-line-of-it") && !redacted.contains("three"), "{redacted}");
    assert!(redacted.ends_with(" x"));
}

#[test]
fn overlapping_secrets_leave_no_part_of_either() {
    let redactor = redactor();
    redactor.learn("abcdefgh");
    redactor.learn("efghijkl");
    redactor.learn("abcdef");
    assert_eq!(redactor.redact_text("-abcdefghijkl-"), format!("-{}-", redactor.fingerprint("abcdefghijkl")));
    assert_eq!(redactor.redact_text("-abcdefgh-"), format!("-{}-", redactor.fingerprint("abcdefgh")));
}

#[test]
fn a_short_secret_is_replaced_only_where_its_place_is_known() {
    let redactor = redactor();
    redactor.learn("test");
    assert_eq!(redactor.redact_text("a test"), "a test");
    let mut body = json!({"password": "test", "name": "test"});
    redactor.redact_value(&mut body);
    assert_eq!(body, json!({"password": redactor.fingerprint("test"), "name": "test"}));
}

#[test]
fn what_is_public_elsewhere_is_not_hidden_for_having_been_learned() {
    let redactor = redactor();
    redactor.learn("platform-bucket");
    assert_ne!(redactor.redact_text("platform-bucket"), "platform-bucket");
    redactor.exempt("my-platform-bucket-eu");
    assert_eq!(redactor.redact_text("platform-bucket"), "platform-bucket");
}

#[test]
fn what_an_output_shows_is_hidden_only_if_it_is_declared_a_secret() {
    let redactor = Redactor::new().unwrap();
    redactor.suspect("https://workspace.example.com");
    assert!(redactor.redact_text("at https://workspace.example.com").contains("redacted:"));
    redactor.show_value(&json!({"url": ["https://workspace.example.com"]}));
    assert_eq!(redactor.redact_text("at https://workspace.example.com"), "at https://workspace.example.com");
    redactor.learn("https://workspace.example.com");
    assert!(!redactor.redact_text("at https://workspace.example.com").contains("workspace"));
}

#[test]
fn credentials_are_recognised_by_their_shape() {
    let redactor = redactor();
    let aws = format!("AKIA{}", "IOSFODNN7EXAMPLE");
    let hex = "0123456789abcdef0123456789abcdef";
    let cases: &[(String, &str)] = &[
        (format!("id {aws} used"), &aws),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(), "wJalrXUtnFEMI"),
        ("SecretAccessKey:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(), "wJalrXUtnFEMI"),
        ("password=hunter2".to_owned(), "hunter2"),
        ("+ password = \"correct horse\" -> \"battery staple\"".to_owned(), "horse"),
        ("+ password = \"correct horse\" -> \"battery staple\"".to_owned(), "staple"),
        ("{\"db_password\": \"a b\\\"c d\"}".to_owned(), "c d"),
        ("{\\\"password\\\":\\\"hunter2\\\"}".to_owned(), "hunter2"),
        ("password: 'it is'".to_owned(), "it is"),
        ("api_key: a1b2c3d4".to_owned(), "a1b2c3d4"),
        ("secret: password=hunter2".to_owned(), "hunter2"),
        ("login --password hunter2 now".to_owned(), "hunter2"),
        ("password = \"cut sho".to_owned(), "cut sho"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n".to_owned(), "MIIE"),
        ("-----BEGIN PRIVATE KEY-----\\nMIIE".to_owned(), "MIIE"),
        ("Authorization: Basic dXNlcjpwYXNz".to_owned(), "dXNlcjpwYXNz"),
        ("bearer abcdefghijklmnopqrstuvwxyz".to_owned(), "abcdefghij"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl".to_owned(), "eyJhbGci"),
        (format!("ghp_{}", "abcdefghijklmnopqrstuvwxyz0123456789"), "ghp_"),
        (format!("dapi{hex}"), hex),
        (format!("xoxb-{}", "1234567890-abcdef"), "1234567890"),
        ("https://user:pass@example.com/x".to_owned(), "user:pass"),
        ("git::https://tok3n@github.com/a/b".to_owned(), "tok3n"),
        ("?X-Amz-Signature=abcdef012345&x=1".to_owned(), "abcdef012345"),
    ];
    for (text, secret) in cases {
        let redacted = redactor.redact_text(text);
        assert!(!redacted.contains(secret), "{text} → {redacted}");
        assert_eq!(redactor.redact_text(&redacted), redacted, "{text}");
    }
}

#[test]
fn what_is_no_secret_is_left_alone() {
    let redactor = redactor();
    let texts = [
        format!("password = {}", redactor.fingerprint("x")),
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned(),
        "commit 8843d7f92416211de9ebb963ff4ce28125932878".to_owned(),
        "arn:aws:secretsmanager:eu-west-2:123456789012:secret:prod/db-AbCdEf".to_owned(),
        "arn:aws:kafka:eu-west-2:123456789012:cluster/stream/0e4c1b6d-1111-2222-3333-444455556666-s1".to_owned(),
        "boot-abc.c1.kafka-serverless.eu-west-2.amazonaws.com:9098".to_owned(),
        "b-1.x.kafka.eu-west-2.amazonaws.com:9098,b-2.x.kafka.eu-west-2.amazonaws.com:9098".to_owned(),
        "password = (sensitive value)".to_owned(),
        "password = var.db_password".to_owned(),
        "password = random_password.db.result".to_owned(),
        "api_key = \"/platform/dev_full/ig/api_key\"".to_owned(),
        "\"NextToken\": \"abc123def456\"".to_owned(),
        "ExpiredToken: The security token included in the request is expired".to_owned(),
        "Invalid token: unexpected character".to_owned(),
        "source = \"git::ssh://git@github.com/a/b\"".to_owned(),
        "authorization = \"AWS_IAM\"".to_owned(),
        "SSM_IG_API_KEY_PATH = \"/x\"".to_owned(),
        "contact ops@example.com".to_owned(),
        "s3://bucket/evidence/key.json".to_owned(),
    ];
    for text in texts {
        assert_eq!(redactor.redact_text(&text), text);
    }
}

#[test]
fn public_shapes_are_not_learned() {
    let redactor = redactor();
    for public in ["arn:aws:iam::123456789012:role/x", "b-1.x.amazonaws.com:9098,b-2.x.amazonaws.com:9098"] {
        redactor.learn(public);
        assert_eq!(redactor.redact_text(public), public);
    }
}

#[test]
fn keys_of_objects_are_redacted_as_well() {
    let redactor = redactor();
    redactor.learn("hunter22");
    let mut body = json!({"x-hunter22": [{"a": "hunter22"}]});
    redactor.redact_value(&mut body);
    let print = redactor.fingerprint("hunter22");
    assert_eq!(body, json!({(format!("x-{print}")): [{"a": print}]}));
}

#[test]
fn its_debug_form_tells_no_secret() {
    let redactor = redactor();
    redactor.learn("hunter22");
    assert_eq!(format!("{redactor:?}"), "Redactor { secrets: 1, .. }");
}

fn survives(redacted: &str, secret: &str) -> bool {
    FINGERPRINT.split(redacted).any(|piece| piece.contains(secret))
}

proptest! {
    #[test]
    fn no_learned_secret_survives_and_redacting_twice_changes_nothing(
        secrets in prop::collection::vec("[a-c:=\" \\\\redact\n]{6,12}|.{6,20}", 1..6),
        pieces in prop::collection::vec("[a-c:=\" \\\\redact\n]{0,8}|.{0,12}", 1..6),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let redactor = redactor();
        secrets.iter().for_each(|secret| redactor.learn(secret));
        let mut text = String::new();
        for (piece, pick) in pieces.iter().zip(&picks) {
            text.push_str(piece);
            text.push_str(&secrets[pick.index(secrets.len())]);
        }
        let redacted = redactor.redact_text(&text);
        for secret in secrets.iter().filter(|secret| secret.trim().chars().count() >= 6) {
            prop_assert!(!survives(&redacted, secret), "{secret:?} in {redacted:?}");
        }
        prop_assert_eq!(redactor.redact_text(&redacted), redacted);
    }

    #[test]
    fn redacting_a_body_twice_changes_nothing(secret in "[a-z0-9\"<& ]{6,12}", key in ".{0,8}", text in ".{0,20}") {
        let redactor = redactor();
        redactor.learn(&secret);
        let mut body = json!({(format!("{key}{secret}")): [text, format!("{text}{secret}")], "token": secret});
        redactor.redact_value(&mut body);
        let once = body.clone();
        redactor.redact_value(&mut body);
        prop_assert_eq!(body, once);
    }
}
