"""The WSGI application in front of moto: rules, the log, and the emulator's own endpoints.

    GET|POST|DELETE /_overlay/rules   the rules in force / add a list of rules / forget them
    GET|DELETE      /_overlay/log     the calls so far / forget them
    POST            /_overlay/reset   an empty world: no resource, rule or call
    POST            /_overlay/hand    {"service", "operation", "parameters"}: one AWS call by boto3 → its answer
    POST            /_overlay/fork    a copy of this world on another port → {"port": …, "pid": …}
    POST            /_overlay/stop    end this process
"""

import contextlib
import dataclasses
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable

from . import backends, cbor, hand, protocol
from .call_log import CallLog
from .faults import BadRule, Rule, Rules
from .protocol import Call, Reply

_PREFIX = "/_overlay/"


class Overlay:
    """Answers a request by rule, or lets moto answer it.

    One lock guards everything, moto's state included: requests are answered one at a time, so that a fork never copies
    a half-done call or a lock that someone holds. Waiting (the fault `hang`) happens outside of it.
    """

    def __init__(self, moto: Callable, fork: Callable[[], dict], stop: Callable[[], None]) -> None:
        backends.install()
        self._world = threading.Lock()
        # Apart from `_world`, which the hand's own call needs.
        self._hand = threading.Lock()
        self._moto, self._fork, self._stop = moto, fork, stop
        self._rules, self._log = Rules(), CallLog()
        self._put: set[bytes] = set()

    @contextlib.contextmanager
    def at_rest(self):
        """Holds the world still: within, neither moto nor boto3 is halfway through anything."""
        with self._hand, self._world:
            yield

    def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        body = _read_body(environ)
        if environ["PATH_INFO"].startswith(_PREFIX):
            reply = self._administer(environ, body)
        else:
            call = protocol.identify(environ, body)
            with self._world:
                rule = self._rules.take(call) if call.service else None
                hangs = rule is not None and rule.fault == "hang"
                reply = None if hangs else self._once(call, self._answer(call, rule, environ))
                if call.service:
                    self._log.record(call, reply and reply.status, rule is not None)
            if reply is None:
                time.sleep(rule.seconds)
                # The client gets no byte: its connection ends while it still waits for an answer.
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                reply = Reply(500, {}, b"")
        headers = {key: value for key, value in reply.headers.items() if key.lower() != "content-length"}
        length = next((value for key, value in reply.headers.items() if key.lower() == "content-length"), None)
        # An answer to HEAD keeps the length that its body would have.
        headers["Content-Length"] = length if environ["REQUEST_METHOD"] == "HEAD" and length else str(len(reply.body))
        start_response(f"{reply.status} Emulated", list(headers.items()))
        return [reply.body]

    def _administer(self, environ: dict, body: bytes) -> Reply:
        endpoint = environ["PATH_INFO"].removeprefix(_PREFIX), environ["REQUEST_METHOD"]
        if endpoint == ("fork", "POST"):
            return _json(self._fork())
        if endpoint == ("hand", "POST"):
            with self._hand:
                try:
                    return _json(hand.call(int(environ["SERVER_PORT"]), **json.loads(body)))
                except (hand.Refused, TypeError, ValueError) as error:
                    return _json({"error": str(error)}, 400)
        if endpoint == ("stop", "POST"):
            self._stop()
            return _json({})
        with self._world:
            match endpoint:
                case "rules", "POST":
                    try:
                        self._rules.add(json.loads(body))
                    except (BadRule, TypeError, ValueError) as error:
                        return _json({"error": str(error)}, 400)
                case "rules", "DELETE":
                    self._rules.clear()
                case "log", "GET":
                    return _json(self._log.entries)
                case "log", "DELETE":
                    self._log.clear()
                case "reset", "POST":
                    self._rules.clear()
                    self._log.clear()
                    _ask(self._moto, {**environ, "PATH_INFO": "/moto-api/reset", "RAW_URI": "/moto-api/reset"})
                case "rules", "GET":
                    pass
                case _:
                    return _json({"error": f"no such endpoint: {endpoint}"}, 404)
            return _json(self._rules.as_json())

    def _once(self, call: Call, reply: Reply) -> Reply:
        """Lets a client that asks again have what it was given already.

        On an overloaded machine Terraform sometimes repeats the PutItem that took its state lock, as if it had not got the
        answer, and then waits for a lock that is its own. The very same item, with its unique lock id, is no other's.
        """
        if (call.service, call.operation) != ("dynamodb", "PutItem"):
            return reply
        if reply.status == 200:
            self._put.add(call.body)
        elif call.body in self._put and b"ConditionalCheckFailed" in reply.body:
            self._log.record(call, reply.status, False, "repeated")
            return Reply(200, {"Content-Type": "application/x-amz-json-1.0"}, b"{}")
        return reply

    def _answer(self, call: Call, rule: Rule | None, environ: dict) -> Reply:
        ready = rule and rule.answer(call)
        if ready is not None:
            return ready
        try:
            reply = _ask_in_json(self._moto, environ, call) if call.protocol == "cbor" else _ask(self._moto, environ)
        except Exception as error:
            # moto raises what it does not implement. The SDKs retry a 500 for minutes, but not a 501.
            self._log.record(call, 501, False, f"{type(error).__name__}: {error}")
            return protocol.error(call, 501, "EmulatorNotImplemented", f"{type(error).__name__}: {error}")
        return rule.patched(reply) if rule else reply


def _read_body(environ: dict) -> bytes:
    """Reads the whole body, chunked or not, and leaves the request as if it had come in one piece."""
    chunked = "chunked" in environ.pop("HTTP_TRANSFER_ENCODING", "")
    stream = environ["wsgi.input"]
    body = stream.read() if chunked else stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return body


def _ask(moto: Callable, environ: dict) -> Reply:
    started: list = []

    def start_response(status, headers, _failure=None):
        started[:] = [int(status.split()[0]), dict(headers)]

    body = b"".join(moto(environ, start_response))
    return Reply(started[0], started[1], body)


def _ask_in_json(moto: Callable, environ: dict, call: Call) -> Reply:
    named = cbor.operation_path(environ["PATH_INFO"])
    target, operation = named["target"], named["operation"]
    body = cbor.to_json(call.body)
    reply = _ask(
        moto,
        {
            **environ,
            "PATH_INFO": "/",
            "RAW_URI": "/",
            "REQUEST_URI": "/",
            "HTTP_X_AMZ_TARGET": f"{target}.{operation}",
            "CONTENT_TYPE": "application/x-amz-json-1.0",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        },
    )
    headers = {
        "Content-Type": "application/cbor",
        "smithy-protocol": "rpc-v2-cbor",
        "x-amzn-RequestId": protocol.REQUEST_ID,
    }
    if reply.status < 300:
        return dataclasses.replace(reply, headers=headers, body=cbor.from_json(target, operation, reply.body))
    body, additional = cbor.error_from_json(target, operation, reply.body)
    return dataclasses.replace(reply, headers=headers | additional, body=body)


def _json(value: object, status: int = 200) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(value).encode())
