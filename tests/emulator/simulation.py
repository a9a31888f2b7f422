"""IAM SimulatePrincipalPolicy, which moto does not implement: what a role's own policies say about a call.

It evaluates the policies that moto keeps, by the rules that AWS documents: an explicit deny wins, an allow is needed, a
permissions boundary must allow too. A condition is judged by the context that the caller gives, and fails where the
context says nothing. What this evaluator does not know (an operator, a policy variable) ends the call with 501: a wrong
decision would be worse than none.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from moto.core.responses import ActionResult
from moto.iam.models import Policy, Role
from moto.iam.responses import IamResponse

_PAGE = 100


def install() -> None:
    """Adds the operation to moto's IAM."""
    IamResponse.simulate_principal_policy = _simulate_principal_policy


def _simulate_principal_policy(self: IamResponse) -> ActionResult:
    role = self.backend.get_role_by_arn(self._get_param("PolicySourceArn"))
    policies = list(_policies(role, self._get_param("PolicyInputList") or []))
    boundary = _boundary(role, self.backend)
    entries = self._get_param("ContextEntries") or []
    context = {entry["ContextKeyName"].lower(): entry["ContextKeyValues"] for entry in entries}
    results = []
    for action in self._get_param("ActionNames"):
        for resource in self._get_param("ResourceArns") or ["*"]:
            results.append(_result(Question(action, resource, context), policies, boundary))
    start = int(self._get_param("Marker") or 0)
    end = start + int(self._get_param("MaxItems") or _PAGE)
    page = {"EvaluationResults": results[start:end], "IsTruncated": end < len(results)}
    return ActionResult(page | ({"Marker": str(end)} if page["IsTruncated"] else {}))


@dataclass
class Question:
    """One action on one resource; `missing` gathers the context keys that a condition asked for in vain."""

    action: str
    resource: str
    context: dict[str, list[str]]
    missing: set[str] = field(default_factory=set)


def _policies(role: Role, additional: list[str]) -> Iterator[tuple[str, list[dict]]]:
    for policy in role.managed_policies.values():
        yield policy.name, _statements(_default_version(policy))
    for name, document in role.policies.items():
        yield name, _statements(document)
    for index, document in enumerate(additional, 1):
        yield f"PolicyInputList.{index}", _statements(document)


def _boundary(role: Role, backend) -> list[dict] | None:
    arn = role.permissions_boundary_arn
    return _statements(_default_version(backend.get_policy(arn))) if arn else None


def _default_version(policy: Policy) -> str:
    return next(version.document for version in policy.versions if version.is_default)


def _statements(document: str) -> list[dict]:
    statements = json.loads(document)["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _result(question: Question, policies: list[tuple[str, list[dict]]], boundary: list[dict] | None) -> dict:
    decided = [(name, _decision(question, statements)) for name, statements in policies]
    decision = _strongest([each for _, each in decided])
    result = {"EvalActionName": question.action, "EvalResourceName": question.resource}
    if boundary is not None:
        limit = _decision(question, boundary)
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": limit == "allowed"}
        if limit != "allowed":
            decision = "explicitDeny" if "explicitDeny" in (limit, decision) else "implicitDeny"
    return result | {
        "EvalDecision": decision,
        "MatchedStatements": [
            {"SourcePolicyId": name, "SourcePolicyType": "IAM Policy"} for name, each in decided if each == decision
        ]
        if decision != "implicitDeny"
        else [],
        "MissingContextValues": sorted(question.missing),
    }


def _decision(question: Question, statements: list[dict]) -> str:
    effects = {statement["Effect"] for statement in statements if _applies(statement, question)}
    return "explicitDeny" if "Deny" in effects else "allowed" if "Allow" in effects else "implicitDeny"


def _strongest(decisions: list[str]) -> str:
    return next((each for each in ("explicitDeny", "allowed") if each in decisions), "implicitDeny")


def _applies(statement: dict, question: Question) -> bool:
    return (
        _names(statement, "Action", question.action, ignore_case=True)
        and _names(statement, "Resource", question.resource, ignore_case=False)
        and all(
            _holds(operator, key, _listed(expected), question)
            for operator, keys in statement.get("Condition", {}).items()
            for key, expected in keys.items()
        )
    )


def _names(statement: dict, element: str, value: str, ignore_case: bool) -> bool:
    negated = f"Not{element}" in statement
    patterns = _listed(statement[f"Not{element}" if negated else element])
    return any(_matches(pattern, value, ignore_case) for pattern in patterns) != negated


def _holds(operator: str, key: str, expected: list[str], question: Question) -> bool:
    name, if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    actual = question.context.get(key.lower())
    if name == "Null":
        return (actual is None) == (expected == ["true"])
    negated = "Not" in name
    match name.replace("Not", ""):
        case "StringEquals":
            compare = str.__eq__
        case "StringEqualsIgnoreCase" | "Bool":
            compare = lambda pattern, value: pattern.lower() == value.lower()
        case "StringLike" | "ArnLike" | "ArnEquals":
            compare = lambda pattern, value: _matches(pattern, value, ignore_case=False)
        case _:
            raise NotImplementedError(f"the condition operator {operator}")
    if actual is None:
        question.missing.add(key)
        return if_exists or negated
    return any(compare(pattern, value) for pattern in expected for value in actual) != negated


def _matches(pattern: str, value: str, ignore_case: bool) -> bool:
    if "${" in pattern:
        raise NotImplementedError(f"the policy variable in {pattern}")
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.IGNORECASE if ignore_case else 0) is not None


def _listed(value) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(each).lower() if isinstance(each, bool) else each for each in values]
