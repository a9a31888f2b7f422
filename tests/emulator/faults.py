"""Rules: which calls do not get moto's own answer, and what they get instead.

A rule selects calls (every selector that is given must match) and does exactly one thing with them:

    {"service": "s3", "op": "GetBucketEncryption", "user_agent": "aws-sdk-rust", "fault": "access_denied"}
    {"service": "ssm", "body": "bootstrap_brokers", "times": 1, "fault": "throttle"}
    {"service": "kafka", "fault": "hang", "seconds": 30}
    {"service": "glue", "op": "GetRegistry", "reply": {"status": 200, "json": {"RegistryName": "another"}}}
    {"service": "kafka", "op": "DescribeClusterV2", "patch": {"clusterInfo.state": "CREATING"}}

`method`, `path` and `body` are regular expressions; `user_agent` is a part of the text, so that a fault can be aimed at
the collector alone while Terraform, which shares the emulator, goes on undisturbed.
"""

import json
import re
from dataclasses import asdict, dataclass, field, fields

from . import protocol
from .protocol import Call, Reply

FAULTS = protocol.FAILURES | {"hang", "malformed"}


class BadRule(Exception):
    """A rule that could not mean what its author meant; a test with a misspelt rule would prove nothing."""


@dataclass
class Rule:
    """One rule, with its fields named as in JSON. `times` counts down; a rule without it holds until it is cleared."""

    service: str | None = None
    op: str | None = None
    method: str | None = None
    path: str | None = None
    body: str | None = None
    user_agent: str | None = None
    times: int | None = None
    fault: str | None = None
    seconds: float = 30.0
    reply: dict | None = None
    patch: dict = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: dict) -> "Rule":
        """Checks a rule as a client sent it."""
        unknown = set(value) - {each.name for each in fields(cls)}
        if unknown:
            raise BadRule(f"unknown keys: {sorted(unknown)}")
        rule = cls(**value)
        actions = [rule.fault is not None, rule.reply is not None, bool(rule.patch)]
        if sum(actions) != 1:
            raise BadRule("a rule has exactly one of fault, reply and patch")
        if rule.fault is not None and rule.fault not in FAULTS:
            raise BadRule(f"unknown fault {rule.fault!r}; known: {sorted(FAULTS)}")
        if rule.reply is not None and set(rule.reply) - {"status", "headers", "body", "json"}:
            raise BadRule("a reply has the keys status, headers, and body (text) or json")
        return rule

    def selects(self, call: Call) -> bool:
        """Whether this rule is for that call."""
        expressions = (
            (self.method, call.method),
            (self.path, call.path),
            (self.body, call.body.decode("utf-8", "replace")),
        )
        return (
            self.times != 0
            and self.service in (None, call.service)
            and self.op in (None, call.operation)
            and (self.user_agent is None or self.user_agent in call.user_agent)
            and all(expression is None or re.search(expression, text) for expression, text in expressions)
        )

    def answer(self, call: Call) -> Reply | None:
        """The answer in place of moto's; none for a patch (which needs moto's) and for a hang (which has none)."""
        if self.fault == "malformed":
            return protocol.malformed(call)
        if self.fault in protocol.FAILURES:
            return protocol.failure(call, self.fault)
        if self.reply is None:
            return None
        if "json" in self.reply:
            body = json.dumps(self.reply["json"])
        else:
            body = self.reply.get("body", "")
        content_types = {"json": "application/x-amz-json-1.1", "rest-json": "application/json"}
        headers = {
            "Content-Type": content_types.get(call.protocol, "text/xml"),
            "x-amzn-RequestId": protocol.REQUEST_ID,
            **self.reply.get("headers", {}),
        }
        return Reply(self.reply.get("status", 200), headers, b"" if call.method == "HEAD" else body.encode())

    def patched(self, reply: Reply) -> Reply:
        """Moto's answer with the members that the patch names replaced; an error answer stays as it is."""
        if not self.patch or reply.status >= 300:
            return reply
        document = json.loads(reply.body)
        for path, value in self.patch.items():
            *parents, last = path.split(".")
            target = document
            for parent in parents:
                target = target[parent]
            target[last] = value
        return Reply(reply.status, reply.headers, json.dumps(document).encode())


class Rules:
    """The rules in force, newest first."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def add(self, values: list[dict]) -> None:
        """Puts checked rules in front of the present ones: all of them, or none if one is bad."""
        self._rules[0:0] = [Rule.from_json(value) for value in values]

    def clear(self) -> None:
        """Forgets every rule."""
        self._rules.clear()

    def as_json(self) -> list[dict]:
        """The rules as a client may read them back; a used-up rule shows `times` 0."""
        return [asdict(rule) for rule in self._rules]

    def take(self, call: Call) -> Rule | None:
        """The rule for this call, counted as used."""
        for rule in self._rules:
            if rule.selects(call):
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None
