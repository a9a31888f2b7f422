"""A hand on the live world: one AWS call through boto3, so that a test can prepare a world or make it drift.

It goes over HTTP like everybody's calls, and boto3 validates its parameters, so a drift is one that AWS would take.
"""

import functools
import json

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

_REGION = "eu-west-2"


class Refused(Exception):
    """The call failed, or was none."""


def call(port: int, service: str, operation: str, parameters: dict) -> object:
    """Calls an operation by its AWS name (`PutBucketVersioning`) and gives its answer as plain JSON.

    The parameter `@region`, which AWS has none of, makes the call from another region than the platform's.
    """
    client = _client(service, port, parameters.pop("@region", _REGION))
    try:
        answer = getattr(client, xform_name(operation))(**parameters)
    except (AttributeError, BotoCoreError, ClientError, ResponseParserError) as error:
        raise Refused(f"{service} {operation}: {error}") from error
    answer.pop("ResponseMetadata", None)
    return json.loads(json.dumps(answer, default=_text))


@functools.cache
def _client(service: str, port: int, region: str):
    # The port is part of the key: a forked world must not talk to the one that it was copied from.
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def _text(value: object) -> str:
    return value.read().decode("utf-8", "replace") if hasattr(value, "read") else str(value)
