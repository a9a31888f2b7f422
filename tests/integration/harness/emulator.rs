//! The AWS stand-in, as a process: started once, forked for every world.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::tools;

/// Longer than any answer takes, forks on a busy machine included; a test must end even if the emulator hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// One emulated AWS account. Dropping it ends its process.
pub(crate) struct Emulator {
    port: u16,
    /// The process, if it was started rather than forked: then it is ours to reap.
    process: Option<Child>,
}

/// A call that the emulator answered, as it logs it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LoggedCall {
    /// The service's name in the signature: `s3`, `kafka`, `tagging`, …
    pub(crate) service: String,
    /// The operation: `GetBucketEncryption`.
    pub(crate) operation: String,
    /// The start of the request's body, where most services name the resource.
    pub(crate) body: String,
    /// Path and query, where S3 and MSK name it.
    pub(crate) path: String,
    /// Who asked.
    pub(crate) user_agent: String,
    /// The HTTP status; none for a call that never got an answer.
    pub(crate) status: Option<u16>,
    /// Whether a rule decided the answer.
    pub(crate) ruled: bool,
}

impl LoggedCall {
    /// Whether the program under test made this call, and not Terraform or the hand.
    pub(crate) fn is_collectors(&self) -> bool {
        self.user_agent.contains(COLLECTOR)
    }
}

/// The part of a user agent that only the collector's SDK sends: faults aimed at it leave Terraform undisturbed.
pub(crate) const COLLECTOR: &str = "aws-sdk-rust";

impl Emulator {
    /// An account with nothing in it.
    pub(crate) fn empty() -> Self {
        static EMPTY: LazyLock<Emulator> = LazyLock::new(Emulator::start);
        EMPTY.fork()
    }

    fn start() -> Self {
        let mut process = Command::new(tools::python())
            .args(["-m", "emulator", "--exit-with-parent"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("PYTHONPATH", tools::repository().join("tests"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // boto3, the hand, must find no credentials or settings but its own.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the emulator starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("ready ").and_then(|port| port.parse().ok());
        let port =
            port.unwrap_or_else(|| panic!("the emulator did not start; its message is above. help: run tests/setup"));
        Self { port, process: Some(process) }
    }

    /// A copy of this account, which changes apart from it from now on.
    pub(crate) fn fork(&self) -> Self {
        let answer = self.admin("POST", "fork", &Value::Null);
        let port = answer["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a fork names its port");
        Self { port, process: None }
    }

    /// The endpoint, by address: S3 clients then put the bucket into the path.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Puts a rule in front of the present ones; `tests/emulator/faults.py` shows what a rule can say.
    pub(crate) fn add_rule(&self, rule: Value) {
        self.admin("POST", "rules", &json!([rule]));
    }

    /// Adds a fault that hits the collector alone: every call of an operation, from now on.
    pub(crate) fn fail(&self, service: &str, operation: &str, fault: &str) {
        self.add_rule(json!({"service": service, "op": operation, "user_agent": COLLECTOR, "fault": fault}));
    }

    /// Forgets all rules.
    pub(crate) fn clear_rules(&self) {
        self.admin("DELETE", "rules", &Value::Null);
    }

    /// All calls since the log was last cleared. A fork starts with a copy of its origin's log.
    pub(crate) fn log(&self) -> Vec<LoggedCall> {
        serde_json::from_value(self.admin("GET", "log", &Value::Null)).expect("the log has the fields of LoggedCall")
    }

    /// Forgets all calls.
    pub(crate) fn clear_log(&self) {
        self.admin("DELETE", "log", &Value::Null);
    }

    /// Takes everything out of the account, rules and log included.
    pub(crate) fn reset(&self) {
        self.admin("POST", "reset", &Value::Null);
    }

    /// Makes one AWS call by the operation's own name; this is how a test makes a world drift.
    pub(crate) fn hand(&self, service: &str, operation: &str, parameters: Value) -> Value {
        self.try_hand(service, operation, parameters).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As `hand`, for a call that may be refused.
    pub(crate) fn try_hand(&self, service: &str, operation: &str, parameters: Value) -> Result<Value, String> {
        let call = json!({"service": service, "operation": operation, "parameters": parameters});
        match self.request("POST", "hand", &call) {
            (200, answer) => Ok(answer),
            (_, answer) => Err(answer["error"].to_string()),
        }
    }

    fn admin(&self, method: &str, endpoint: &str, body: &Value) -> Value {
        match self.request(method, endpoint, body) {
            (200, answer) => answer,
            (status, answer) => panic!("{method} /_overlay/{endpoint}: {status} {answer}"),
        }
    }

    fn request(&self, method: &str, endpoint: &str, body: &Value) -> (u16, Value) {
        let exchange = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let body = body.to_string();
            let headers = format!("Host: 127.0.0.1\r\nConnection: close\r\nContent-Length: {}", body.len());
            write!(stream, "{method} /_overlay/{endpoint} HTTP/1.1\r\n{headers}\r\n\r\n{body}")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer = exchange().unwrap_or_else(|error| panic!("the emulator does not answer {endpoint}: {error}"));
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an HTTP status");
        (status, serde_json::from_str(body).expect("a JSON answer"))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // A request that fails here finds a process that has ended already, which is all that is wanted.
        if let Some(process) = &mut self.process {
            process.kill().ok();
            process.wait().ok();
        } else if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            write!(
                stream,
                "POST /_overlay/stop HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
            .ok();
            stream.set_read_timeout(Some(PATIENCE)).ok();
            stream.read_to_end(&mut Vec::new()).ok();
        }
    }
}
