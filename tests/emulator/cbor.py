"""Smithy RPC v2 CBOR for moto, which knows the same operations as JSON.

The Rust SDK speaks it with CloudWatch. The request becomes `x-amz-json-1.0`, the answer becomes CBOR again; the service
model says which numbers of the answer are timestamps, because CBOR tags them.
"""

import datetime
import functools
import json
import re

import botocore.session
import cbor2

_TARGETS = {"GraniteServiceVersion20100801": "cloudwatch"}
_EPOCH_TIME = 1


def operation_path(path: str) -> re.Match | None:
    """The target and operation that a path names, if it is of this protocol."""
    return re.match(r"/service/(?P<target>[^/]+)/operation/(?P<operation>[^/]+)$", path)


def to_json(body: bytes) -> bytes:
    """A CBOR request body as JSON."""
    return json.dumps(_plain(cbor2.loads(body) if body else {})).encode()


def from_json(target: str, operation: str, body: bytes) -> bytes:
    """The JSON answer of a call that succeeded, as CBOR."""
    model = _operation(target, operation)
    return cbor2.dumps(_tagged(model and model.output_shape, json.loads(body or b"{}")))


def error_from_json(target: str, operation: str, body: bytes) -> tuple[bytes, dict[str, str]]:
    """The JSON answer of a call that failed, as CBOR, and the headers that go with it.

    The service once spoke the query protocol: the body names the error by its shape, a header by its code of old.
    """
    value = json.loads(body or b"{}")
    code, model = value.get("__type", "").split("#")[-1], _operation(target, operation)
    for shape in model.error_shapes if model else ():
        if shape.metadata.get("error", {}).get("code") == code:
            value["__type"] = f"com.amazonaws.{_TARGETS[target]}#{shape.name}"
    return cbor2.dumps(value), {"x-amzn-query-error": f"{code};Sender"}


@functools.cache
def _operation(target: str, operation: str):
    service = _TARGETS.get(target)
    if service is None:
        return None
    return botocore.session.get_session().get_service_model(service).operation_model(operation)


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value.timestamp() if isinstance(value, datetime.datetime) else value


def _tagged(shape, value):
    if shape is None or value is None:
        return value
    match shape.type_name, value:
        case "structure", dict():
            return {key: _tagged(shape.members.get(key), member) for key, member in value.items() if member is not None}
        case "list", list():
            return [_tagged(shape.member, member) for member in value]
        case "timestamp", _:
            return cbor2.CBORTag(_EPOCH_TIME, value)
        case ("double" | "float"), _:
            return float(value)
    return value
