"""What moto's Lambda and EKS lack."""

import functools
from datetime import datetime, timezone

from moto.awslambda.models import EventInvokeConfig, LambdaBackend, LambdaFunction
from moto.eks.exceptions import ResourceNotFoundException
from moto.eks.models import EKSBackend, Nodegroup


def install() -> None:
    """Completes moto's classes."""
    LambdaFunction.__init__ = _create_function(LambdaFunction.__init__)
    LambdaFunction.get_configuration = _get_configuration(LambdaFunction.get_configuration)
    LambdaFunction.update_configuration = _update_configuration(LambdaFunction.update_configuration)
    EventInvokeConfig.__init__ = _create_event_invoke_config(EventInvokeConfig.__init__)
    LambdaBackend.put_function_event_invoke_config = _put_function_event_invoke_config(
        LambdaBackend.put_function_event_invoke_config
    )
    LambdaBackend.update_function_event_invoke_config = _update_function_event_invoke_config

    Nodegroup.__init__ = _create_nodegroup(Nodegroup.__init__)
    EKSBackend.list_nodegroups = _list_nodegroups(EKSBackend.list_nodegroups)


def _create_function(original):
    """Lambda CreateFunction that keeps where failures and logs go (moto: dropped)."""

    @functools.wraps(original)
    def create(self: LambdaFunction, account_id, spec, *arguments, **options):
        self.dead_letters = spec.get("DeadLetterConfig")
        self.logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{spec['FunctionName']}"}
        self.logging |= spec.get("LoggingConfig") or {}
        original(self, account_id, spec, *arguments, **options)

    return create


def _get_configuration(original):
    """A function's configuration with where failures and logs go."""

    @functools.wraps(original)
    def get_configuration(self: LambdaFunction, *arguments, **options):
        configuration = original(self, *arguments, **options) | {"LoggingConfig": self.logging}
        if (self.dead_letters or {}).get("TargetArn"):
            configuration["DeadLetterConfig"] = self.dead_letters
        return configuration

    return get_configuration


def _update_configuration(original):
    """Lambda UpdateFunctionConfiguration that changes where failures and logs go (moto: ignored)."""

    @functools.wraps(original)
    def update_configuration(self: LambdaFunction, config_updates):
        self.dead_letters = config_updates.get("DeadLetterConfig", self.dead_letters)
        self.logging |= config_updates.get("LoggingConfig") or {}
        return original(self, config_updates)

    return update_configuration


def _create_event_invoke_config(original):
    """An event invoke configuration whose time is epoch seconds, as in Lambda's answer (moto: text)."""

    @functools.wraps(original)
    def create(self: EventInvokeConfig, arn, last_modified, config):
        original(self, arn, last_modified, config)
        self.last_modified = datetime.now(timezone.utc).timestamp()

    return create


def _put_function_event_invoke_config(original):
    """Lambda PutFunctionEventInvokeConfig that replaces what was there (moto: keeps answering with the first)."""

    @functools.wraps(original)
    def put_function_event_invoke_config(self: LambdaBackend, function_name, config):
        answer = original(self, function_name, config)
        function = self.get_function(function_name)
        function.event_invoke_config = function.event_invoke_config[-1:]
        return answer

    return put_function_event_invoke_config


def _update_function_event_invoke_config(self: LambdaBackend, function_name: str, config: dict) -> dict:
    """Lambda UpdateFunctionEventInvokeConfig, which changes only what it names (moto: a second put)."""
    self.get_function_event_invoke_config(function_name)
    present = self.get_function(function_name).event_invoke_config[0].config
    return self.put_function_event_invoke_config(function_name, present | config)


def _create_nodegroup(original):
    """EKS CreateNodegroup without a way in that nobody asked for (moto: a made-up SSH key, which Terraform removes)."""

    @functools.wraps(original)
    def create(self: Nodegroup, *arguments, remote_access=None, **options):
        original(self, *arguments, remote_access=remote_access, **options)
        self.remote_access = remote_access

    return create


def _list_nodegroups(original):
    """EKS ListNodegroups that refuses an unknown cluster (moto: 500)."""

    @functools.wraps(original)
    def list_nodegroups(self: EKSBackend, cluster_name, max_results, next_token):
        if cluster_name not in self.clusters:
            raise ResourceNotFoundException(
                clusterName=None,
                nodegroupName=None,
                fargateProfileName=None,
                addonName=None,
                message=f"No cluster found for name: {cluster_name}.",
            )
        return original(self, cluster_name, max_results, next_token)

    return list_nodegroups
