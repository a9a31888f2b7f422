"""Real OPA, for comparison with the project's own engine: jobs on standard input, results on standard output.

    {"jobs": [{"policies":  ["policies"],                    folders or files: *.rego, and data.json at its folder's path
               "modules":   {"probe.rego": "package probe …"},
               "data":      {"contract": {…}},               merged under `data`
               "documents": [{"input": {…}, "data": {"factgate": {…}}}, …],
               "queries":   ["data.m2.a.b1", …],
               "tests":     true}]}                          also run every rule named test_…

    {"jobs": [{"results": [{"data.m2.a.b1": {"value": […]}}, …],          one object per document
               "tests":   {"data.m2.a_test.test_denied_read_blocks": {"value": true}}}]}

A query's outcome is `{"value": …}`, `{"undefined": true}` or `{"error": "…"}`; a job whose policies do not compile has
`{"error": "…"}` alone. Every key may be left out; `inputs` is short for documents without data. One engine serves all
documents of a job, so that thousands of them cost one compilation.

Queries are made rules, and tests are asked for many at a time: OPA takes a second to compile a query that it has not seen
before, and keeps what it compiled; and of a query that itself goes `with` a document it evaluates each reference anew.
"""

import json
import re
import sys
from pathlib import Path

from opa_bindings.engine import OpaEngine, OpaError

TESTS_TOGETHER = 50
"""How many unit tests one query asks for."""


def main() -> None:
    """Runs every job."""
    request = json.load(sys.stdin)
    json.dump({"jobs": [outcome(job) for job in request["jobs"]]}, sys.stdout)


def outcome(job: dict) -> dict:
    """The results of one job."""
    modules = dict(job.get("modules", {}))
    rules = {query: f"answer_{number}" for number, query in enumerate(job.get("queries", []))}
    with OpaEngine() as engine:
        try:
            for root in map(Path, job.get("policies", [])):
                modules |= load(engine, root)
            for name, source in sorted(modules.items()):
                engine.add_policy(name, source)
            engine.add_data(job.get("data", {}))
            answers = [f"{rule} := {query}" for query, rule in rules.items()]
            engine.add_policy("answers.rego", "\n\n".join(["package answers", *answers]))
            # Compilation is lazy: this makes a policy set that does not compile fail as a whole, and only once.
            engine.eval_query("true")
        except (OpaError, OSError, ValueError) as error:
            return {"error": str(error)}
        documents = job.get("documents", []) + [{"input": each} for each in job.get("inputs", [])]
        asked = {query: f"data.answers.{rule}" for query, rule in rules.items()}
        results = [{query: evaluated(engine, path, each) for query, path in asked.items()} for each in documents]
        result: dict = {"results": results}
        if job.get("tests"):
            tests = test_rules(modules)
            groups = [tests[first : first + TESTS_TOGETHER] for first in range(0, len(tests), TESTS_TOGETHER)]
            result["tests"] = {test: found for group in groups for test, found in tested(engine, group).items()}
        return result


def load(engine: OpaEngine, root: Path) -> dict[str, str]:
    """The modules at or below a path; data files go to the engine, each at its folder's path, as `opa eval -d` does."""
    if not root.exists():
        raise FileNotFoundError(f"no policies at {root}")
    if root.is_file():
        return {str(root): root.read_text()}
    for file in sorted(root.rglob("data.json")):
        value = json.loads(file.read_text())
        for folder in reversed(file.relative_to(root).parent.parts):
            value = {folder: value}
        engine.add_data(value)
    return {str(file): file.read_text() for file in sorted(root.rglob("*.rego"))}


def evaluated(engine: OpaEngine, query: str, document: dict | None) -> dict:
    """One query over one document, or without any input. A document's own data replaces the engine's for this once."""
    changes = "" if document is None else " with input as input.input"
    for key in (document or {}).get("data", {}):
        changes += f' with data["{key}"] as input.data["{key}"]'
    try:
        bindings = engine.eval_query(f"value := {query}{changes}", document)
    except OpaError as error:
        return {"error": str(error)}
    return {"value": bindings[0]["value"]} if bindings else {"undefined": True}


def tested(engine: OpaEngine, tests: list[str]) -> dict[str, dict]:
    """Unit tests, in one query as long as none of them ends in an error."""
    together = ", ".join(f'"{test}": [value | value := {test}]' for test in tests)
    found = evaluated(engine, f"{{{together}}}", None)
    if "error" in found:
        return {test: evaluated(engine, test, None) for test in tests}
    return {test: {"value": values[0]} if values else {"undefined": True} for test, values in found["value"].items()}


def test_rules(modules: dict[str, str]) -> list[str]:
    """The paths of all rules named `test_…`."""
    rules = set()
    for source in modules.values():
        package = re.search(r"^package\s+(\S+)", source, re.MULTILINE)
        if package:
            rules |= {f"data.{package[1]}.{name}" for name in re.findall(r"^(test_\w+)", source, re.MULTILINE)}
    return sorted(rules)


if __name__ == "__main__":
    main()
