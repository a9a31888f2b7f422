"""The few words of the AWS CLI that the operators' manual uses: `aws <service> <operation> --<parameter> <text or JSON>`.

The CLI itself is a large installation; its commands and parameters are those of the service models that botocore has, too.
"""

import json
import os
import sys

import boto3
from botocore import xform_name


def main(arguments: list[str]) -> None:
    """Makes one call; endpoint, region and credentials come from the environment, as for the CLI."""
    service, command, *options = arguments
    client = boto3.client({"s3api": "s3"}.get(service, service), endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    method = command.replace("-", "_")
    members = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape.members
    names = {f"--{xform_name(name, '-')}": (name, shape) for name, shape in members.items()}
    parameters = {}
    for option, text in zip(options[::2], options[1::2], strict=True):
        name, shape = names[option]
        parameters[name] = text if shape.type_name == "string" else json.loads(text)
    getattr(client, method)(**parameters)


main(sys.argv[1:])
