"""What an HTTP request asks of AWS, and how an error or a broken answer looks in the protocol of that request.

The client chose the protocol, so it is read from the request and not from a model of the service.
"""

import json
import re
import urllib.parse
from dataclasses import dataclass
from xml.sax.saxutils import escape

import cbor2
from moto.core.request import Request
from moto.core.routing import get_service_router
from werkzeug.exceptions import NotFound

REQUEST_ID = "emulator"


@dataclass(frozen=True)
class Call:
    """One AWS call. `service` is the name in the signature: `s3`, `kafka`, `tagging`, `monitoring`, …"""

    service: str
    operation: str
    protocol: str
    method: str
    path: str
    body: bytes
    user_agent: str


@dataclass(frozen=True)
class Reply:
    """A complete HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def identify(environ: dict, body: bytes) -> Call:
    """Names the service, operation and protocol of a request whose body has been read."""
    scope = re.search(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    service = scope[1].lower() if scope else ""
    path = urllib.parse.unquote(environ.get("RAW_URI") or environ.get("PATH_INFO", "/"))
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    rpc = re.match(r"/service/[^/]+/operation/([^/?]+)", path)
    if target:
        protocol, operation = "json", target.split(".")[-1]
    elif rpc:
        protocol, operation = "cbor", rpc[1]
    elif "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
        protocol = "ec2" if service == "ec2" else "query"
        operation = urllib.parse.parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
    else:
        protocol, operation = "rest-xml" if service == "s3" else "rest-json", _routed(environ, service)
    agents = (environ.get("HTTP_USER_AGENT", ""), environ.get("HTTP_X_AMZ_USER_AGENT", ""))
    return Call(service, operation, protocol, environ["REQUEST_METHOD"], path, body, " ".join(filter(None, agents)))


def _routed(environ: dict, service: str) -> str:
    """The operation behind a REST method and path, by moto's own routing; empty when there is none."""
    if not service:
        return ""
    if service == "apigateway" and environ.get("PATH_INFO", "").startswith("/v2/"):
        service = "apigatewayv2"
    try:
        # A copy, because routing must not consume anything of the request that moto answers afterwards.
        operation, _ = get_service_router(service).match(Request(dict(environ)))
    except (NotFound, NotImplementedError, LookupError, ValueError):
        return ""
    except Exception as unknown:
        # botocore has no common base for "no such service"; everything else is a defect of the emulator.
        if type(unknown).__name__ == "UnknownServiceError":
            return ""
        raise
    return operation.name


# Per kind of failure and protocol: the HTTP status and error code that AWS's own services of that protocol send.
_FAILURES = {
    "access_denied": {
        "json": (400, "AccessDeniedException"),
        "rest-json": (403, "AccessDeniedException"),
        "rest-xml": (403, "AccessDenied"),
        "query": (403, "AccessDenied"),
        "ec2": (403, "UnauthorizedOperation"),
        "cbor": (400, "AccessDeniedException"),
    },
    "throttle": {
        "json": (400, "ThrottlingException"),
        "rest-json": (429, "TooManyRequestsException"),
        "rest-xml": (503, "SlowDown"),
        "query": (400, "Throttling"),
        "ec2": (503, "RequestLimitExceeded"),
        "cbor": (400, "ThrottlingException"),
    },
    "server_error": {
        "json": (500, "InternalServerError"),
        "rest-json": (500, "InternalServerErrorException"),
        "rest-xml": (500, "InternalError"),
        "query": (500, "InternalFailure"),
        "ec2": (500, "InternalError"),
        "cbor": (500, "InternalServiceFault"),
    },
}

FAILURES = frozenset(_FAILURES)


def failure(call: Call, kind: str) -> Reply:
    """The answer of a service that fails this call in the given way."""
    status, code = _FAILURES[kind][call.protocol]
    messages = {
        "access_denied": f"User is not authorized to perform: {call.service}:{call.operation}",
        "throttle": "Rate exceeded",
        "server_error": "An internal error occurred",
    }
    return error(call, status, code, messages[kind])


def error(call: Call, status: int, code: str, message: str) -> Reply:
    """An error answer in the protocol of the call. An answer to HEAD has no body, as in HTTP."""
    content_type, body = _error_body(call.protocol, code, message)
    headers = {"Content-Type": content_type, "x-amzn-RequestId": REQUEST_ID}
    if call.protocol in ("json", "rest-json"):
        headers["x-amzn-ErrorType"] = code
    if call.protocol == "cbor":
        headers["smithy-protocol"] = "rpc-v2-cbor"
    return Reply(status, headers, b"" if call.method == "HEAD" else body)


def _error_body(protocol: str, code: str, message: str) -> tuple[str, bytes]:
    if protocol == "json":
        return "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message}).encode()
    if protocol == "rest-json":
        return "application/json", json.dumps({"message": message}).encode()
    if protocol == "cbor":
        return "application/cbor", cbor2.dumps({"__type": code, "message": message})
    detail = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    document = {
        "rest-xml": f"<Error>{detail}<RequestId>{REQUEST_ID}</RequestId></Error>",
        "query": f"<ErrorResponse><Error><Type>Sender</Type>{detail}</Error>"
        f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>",
        "ec2": f"<Response><Errors><Error>{detail}</Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>",
    }[protocol]
    return "text/xml", f'<?xml version="1.0" encoding="UTF-8"?>{document}'.encode()


def malformed(call: Call) -> Reply:
    """A success whose body cannot be parsed. HEAD has no body to break: it then succeeds without its headers."""
    content_type, body = {
        "json": ("application/x-amz-json-1.1", b'{"cut": ["off'),
        "rest-json": ("application/json", b'{"cut": ["off'),
        "cbor": ("application/cbor", b"\xbf\x63cut"),
    }.get(call.protocol, ("text/xml", b'<?xml version="1.0" encoding="UTF-8"?><Cut><Off'))
    headers = {"Content-Type": content_type, "x-amzn-RequestId": REQUEST_ID}
    if call.protocol == "cbor":
        headers["smithy-protocol"] = "rpc-v2-cbor"
    return Reply(200, headers, b"" if call.method == "HEAD" else body)
