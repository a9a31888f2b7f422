//! Secrets are planted wherever the collector looks, and occur in nothing that it writes.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::{Value, json};

use crate::harness::files::files;
use crate::harness::world::World;

/// What every planted secret contains; nothing else does. It has no character that an encoding would change, so that it is
/// found in JSON, in URLs and in what is left of a secret that was cut.
const CANARY: &str = "c4n4ry";

/// What stands beside the secrets and is none: it must be found, or the search is worth nothing.
const PLAIN: &str = "v1sible";

/// The inputs with secrets in them, the only files that may hold one.
const PLANTED: [&str; 2] = ["terraform/core/secrets.tf", "dev_full.registry.md"];

/// A secret with what encodings change: quotes, backslash, angle brackets, ampersand, slash, plus, blank, beyond ASCII.
fn secret(place: &str) -> String {
    format!("{CANARY}-{place}-\"q\\<&>/+= é end-of-{CANARY}")
}

/// A stack with a secret in every place that Terraform has for one, and each encoding of one leaked by `nonsensitive`.
fn stack() -> String {
    let text = |place: &str| json!(secret(place)).to_string();
    format!(
        r#"
variable "release" {{
  type      = string
  sensitive = true
  default   = {variable}
}}

variable "database_password" {{
  type    = string
  default = {named}
}}

locals {{
  leaks = {{
    plain  = nonsensitive(var.release)
    base64 = nonsensitive(base64encode(var.release))
    url    = nonsensitive(urlencode(var.release))
    json   = nonsensitive(jsonencode({{ a = var.release }}))
    twice  = nonsensitive(jsonencode(jsonencode([var.release])))
  }}
}}

output "sensitive" {{
  value     = {output}
  sensitive = true
}}

output "sensitive_object" {{
  value     = {{ a = [{nested}] }}
  sensitive = true
}}

output "database_passwords" {{
  value = [{listed}]
}}

output "api_tokens" {{
  value = {{ billing = {mapped} }}
}}

output "leaks" {{
  value = local.leaks
}}

output "visible" {{
  value = "{PLAIN}-output"
}}

resource "terraform_data" "release" {{
  input = var.release
}}

resource "terraform_data" "leak" {{
  for_each = local.leaks
  input    = each.value
}}

resource "terraform_data" "{PLAIN}" {{
  input = "{PLAIN}-resource"
}}

check "leaking_message" {{
  assert {{
    condition     = var.release == ""
    error_message = "refused: ${{nonsensitive(var.release)}} and ${{var.database_password}}"
  }}
}}

resource "aws_ssm_parameter" "plain_text" {{
  name           = "/fraud-platform/dev_full/plain_text"
  type           = "String"
  insecure_value = {insecure}
}}

resource "aws_ssm_parameter" "stored" {{
  name  = "/fraud-platform/dev_full/stored"
  type  = "String"
  value = {stored}
}}

resource "aws_ssm_parameter" "secure" {{
  name  = "/fraud-platform/dev_full/secure"
  type  = "SecureString"
  value = {secure}
}}
"#,
        variable = text("variable"),
        named = text("named"),
        output = text("output"),
        nested = text("nested"),
        listed = text("listed"),
        mapped = text("mapped"),
        insecure = text("insecure"),
        stored = text("stored"),
        secure = text("secure"),
    )
}

/// A function with secrets in its environment. It is planned and not created: the emulator needs containers for that.
fn function() -> String {
    format!(
        r#"
resource "aws_lambda_function" "handler" {{
  function_name = "fraud-platform-dev-full-handler"
  role          = aws_iam_role.eks_nodegroup.arn
  runtime       = "python3.13"
  handler       = "handler.run"
  filename      = "${{path.module}}/handler.zip"

  environment {{
    variables = {{
      SETTING     = {environment}
      DB_PASSWORD = {password}
    }}
  }}
}}
"#,
        environment = json!(secret("environment")),
        password = json!(secret("password")),
    )
}

/// A resource that cannot be planned.
const FAILING: &str = r#"
resource "terraform_data" "failing" {
  lifecycle {
    precondition {
      condition     = length(path.module) == 0
      error_message = "it never holds"
    }
  }
}
"#;

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |chunk: &[u8]| {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[bits >> shift & 63]))
    };
    // A rest that does not fill three bytes has digits that depend on what follows.
    bytes.chunks_exact(3).flat_map(digits).collect()
}

/// The places at which a mark stands in these bytes: as it is, and in base64 at each of the three alignments.
fn found(mark: &str, bytes: &[u8]) -> Vec<String> {
    let encoded = (0..3).map(|skipped| base64(&mark.as_bytes()[skipped..]));
    let text = String::from_utf8_lossy(bytes);
    std::iter::once(mark.to_owned())
        .chain(encoded)
        .filter_map(|form| {
            let at = text.find(&form)?;
            let around: String = text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
            Some(format!("{around}«{}»", text[at..].chars().take(60).collect::<String>()))
        })
        .collect()
}

/// Everything below a world's folder that the run could have written: not the inputs, and not the provider's binary.
fn written(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = files(folder);
    for planted in PLANTED {
        assert!(!found(CANARY, &files.remove(planted).unwrap()).is_empty(), "the search must find what was planted");
    }
    files.retain(|name, _| !name.contains("/.terraform/providers/"));
    files.into_iter().collect()
}

/// One run of `gate` with every kind of output, with credentials and variables in its environment that are secrets, too.
fn gate(world: &World, mode: &str) -> Output {
    let temporary = world.folder().join("tmp");
    std::fs::create_dir_all(&temporary).unwrap();
    let (facts, verdict) = (format!("{mode}.facts.json"), format!("json={mode}.verdict.json"));
    let fixed = ["gate", "--registry", "dev_full.registry.md", "--terraform-root", "terraform", "--raw", "raw"];
    let more = ["--evidence-root", "packs", "-o", "table", "--facts", &facts, "-o", &verdict];
    let mut command = Command::new(env!("CARGO_BIN_EXE_factgate"));
    world
        .enter(&mut command)
        .args(fixed.iter().chain(&more))
        .args(["--terraform", mode.split('.').next().unwrap()])
        .env("TMPDIR", &temporary)
        .env("AWS_SECRET_ACCESS_KEY", format!("{CANARY}SecretAccessKey0123456789"))
        .env("AWS_SESSION_TOKEN", format!("{CANARY}SessionToken0123456789"))
        .env("TF_VAR_database_password", secret("environment-variable"))
        .current_dir(world.folder())
        .output()
        .unwrap()
}

#[test]
fn the_search_finds_every_form() {
    for (text, count) in [("x c4n4ry x", 1), (&base64(b"12c4n4ry4567"), 1), (&base64(b"1c4n4ry45678"), 1), ("c4n", 0)] {
        assert_eq!(found(CANARY, text.as_bytes()).len(), count, "{text}");
    }
    assert_eq!(base64(b"light work!!"), "bGlnaHQgd29yayEh");
}

/// Stores a secret in a parameter that exists already.
fn plant(world: &World, parameter: &str, kind: &str) {
    world.aws.hand("ssm", "DeleteParameter", json!({"Name": parameter}));
    let planted = json!({"Name": parameter, "Type": kind, "Value": secret("brokers")});
    world.aws.hand("ssm", "PutParameter", planted);
}

#[test]
fn no_planted_secret_occurs_in_anything_written() {
    let world = World::applied();
    std::fs::write(world.folder().join(PLANTED[0]), stack()).unwrap();
    // A registry is no place for a secret, and is read by everybody who can read the facts.
    world.change_registry(|text| {
        let url = format!("https://operator:{CANARY}-in-an-address@dashboards.example");
        format!("{text}\n* `DASHBOARD_URL = {}`\n* `DASHBOARD_PASSWORD = {}`\n", json!(url), json!(secret("registry")))
    });
    let with_function = world.terraform_root().join("core/function.tf");
    std::fs::write(&with_function, function()).unwrap();
    let brokers = "/fraud-platform/dev_full/msk/bootstrap_brokers";
    plant(&world, brokers, "SecureString");
    // A peer that repeats a secret in a message that the collector keeps.
    let refusal = json!({"message": format!("no access with {}", secret("brokers"))});
    let reply = json!({"status": 400, "json": refusal, "headers": {"x-amzn-errortype": "AccessDeniedException"}});
    world.aws.add_rule(json!({"service": "kafka", "op": "GetClusterPolicy", "reply": reply}));

    let mut leaks = Vec::new();
    let mut visible = 0;
    // A plan that fails has printed what it had planned until then, and tells nobody which of that is secret.
    let failing = world.terraform_root().join("core/failing.tf");
    std::fs::write(&failing, FAILING).unwrap();
    let run = gate(&world, "plan.failing");
    assert_eq!(run.status.code(), Some(1), "{}", String::from_utf8_lossy(&run.stderr));
    let facts = std::fs::read_to_string(world.folder().join("plan.failing.facts.json")).unwrap();
    assert!(facts.contains("(withheld: there is no plan") && facts.contains("it never holds"), "{facts}");
    std::fs::remove_file(&failing).unwrap();
    // `plan` sees the secrets as planned, `apply` writes them, and the last run finds them in state.
    for mode in ["plan", "apply", "plan.again"] {
        if mode == "plan.again" {
            plant(&world, brokers, "String");
        }
        let run = gate(&world, mode);
        // The collection must have got as far as a verdict for this to say anything.
        let (stdout, stderr) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert_eq!(run.status.code(), Some(1), "{mode}: {stderr}\n{stdout}");
        // The secrets stand where the gate looks for secrets in plain text: it says so, without repeating them.
        assert!(stdout.contains("M2F-B4 "), "{mode}: {stdout}");
        if mode == "plan" {
            std::fs::remove_file(&with_function).unwrap();
        }
        for (stream, bytes) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            leaks.extend(found(CANARY, bytes).into_iter().map(|leak| format!("{mode} {stream}: {leak}")));
        }
    }
    let written = written(world.folder());
    for (name, bytes) in &written {
        leaks.extend(found(CANARY, bytes).into_iter().map(|leak| format!("{name}: {leak}")));
        visible += usize::from(!found(PLAIN, bytes).is_empty());
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    // Control: what is not secret was written, by the same runs into the same files.
    assert!(visible >= 3, "{visible}");
    let facts = std::fs::read(world.folder().join("plan.again.facts.json")).unwrap();
    let facts: Value = serde_json::from_slice(&facts).unwrap();
    let value = &facts["aws"]["ssm"]["parameters"][brokers]["value"]["value"]["Parameter"]["Value"];
    assert!(value.as_str().unwrap().starts_with("redacted:hmac-sha256:"), "{value}");
    assert!(written.iter().any(|(name, _)| name.starts_with("raw/")));
    assert!(!written.iter().any(|(name, _)| name.starts_with("tmp/")), "temporary files are left");
}
