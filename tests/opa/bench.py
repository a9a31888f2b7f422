"""Real OPA under a stopwatch: one engine, warm, for the benchmark beside the project's own.

The first line of standard input is a job: {"policies": [folder, …], "input": {…}, "data": {…}, "queries": [query, …]}. The
answer is a line {"values": […]}, or {"error": "…"}: every query was evaluated once, so all of them are compiled. Each further
line is a number of rounds, and the answer is how many nanoseconds they took: what the engine needs for all queries, and for
reading the input from and writing the result to JSON, which no caller of OPA is spared. What Python makes of either is not
in it.
"""

import json
import sys
import time
from pathlib import Path

from opa_bindings.engine import OpaEngine, OpaError, _cstr, _dumps

from evaluate import load


def main() -> None:
    """Serves one benchmark."""
    job = json.loads(sys.stdin.readline())
    with OpaEngine() as engine:
        try:
            for root in job["policies"]:
                for name, source in load(engine, Path(root)).items():
                    if not name.endswith("_test.rego"):
                        engine.add_policy(name, source)
            engine.add_data(job.get("data", {}))
            values = [engine.eval_query(f"value := {query}", job["input"])[0]["value"] for query in job["queries"]]
        except (OpaError, OSError, ValueError, IndexError) as error:
            answer({"error": str(error)})
            return
        answer({"values": values})
        queries = [_cstr(f"value := {query}") for query in job["queries"]]
        document = _dumps(job["input"])
        for line in sys.stdin:
            answer(elapsed(engine, queries, document, int(line)))


def elapsed(engine: OpaEngine, queries: list[bytes], document: bytes, rounds: int) -> int:
    """The nanoseconds that so many rounds take inside the library."""
    library, handle = engine._lib, engine._handle
    total = 0
    for _ in range(rounds):
        for query in queries:
            start = time.perf_counter_ns()
            result = library.OpaEvalQuery(handle, query, document, 0, 0)
            total += time.perf_counter_ns() - start
            library.OpaFreeString(result)
    return total


def answer(value: object) -> None:
    """One line of JSON."""
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
