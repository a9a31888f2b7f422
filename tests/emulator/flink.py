"""What moto's Kinesis Analytics v2 lacks: real times and states, an answer where nothing is, and deletion."""

import functools
import json
import time

from moto.core.exceptions import JsonRESTError
from moto.kinesisanalyticsv2.models import Application, KinesisAnalyticsV2Backend
from moto.kinesisanalyticsv2.responses import KinesisAnalyticsV2Response

from .pages import without_nulls


def install() -> None:
    """Completes moto's classes."""
    Application.__init__ = _create(Application.__init__)
    KinesisAnalyticsV2Backend.create_application = _create_application(KinesisAnalyticsV2Backend.create_application)
    KinesisAnalyticsV2Backend.describe_application = _describe_application(
        KinesisAnalyticsV2Backend.describe_application
    )
    for operation in (_delete_application, _start_application, _stop_application, _untag_resource):
        setattr(KinesisAnalyticsV2Response, operation.__name__.removeprefix("_"), operation)


def _create(original):
    """An application that is ready, its times epoch seconds (moto: STARTING for ever, times as text)."""

    @functools.wraps(original)
    def create(self: Application, *arguments, **options):
        original(self, *arguments, **options)
        self.application_status = "READY"
        self.creation_date_time = self.last_updated_date_time = int(time.time())

    return create


def _create_application(original):
    """CreateApplication that refuses a name that is taken (moto: replaces the application)."""

    @functools.wraps(original)
    def create_application(self: KinesisAnalyticsV2Backend, application_name, **options):
        if application_name in self.applications:
            raise JsonRESTError("ResourceInUseException", f"Application {application_name} already exists")
        return _as_aws(self, application_name, original(self, application_name=application_name, **options))

    return create_application


def _describe_application(original):
    """DescribeApplication with the application's name, or AWS's own error (moto: no name; 500 where there is none)."""

    @functools.wraps(original)
    def describe_application(self: KinesisAnalyticsV2Backend, application_name):
        _existing(self, application_name)
        return _as_aws(self, application_name, original(self, application_name))

    return describe_application


def _as_aws(self: KinesisAnalyticsV2Backend, name: str, detail: dict) -> dict:
    created = self.applications[name].creation_date_time
    return without_nulls(detail) | {"ApplicationName": name, "ApplicationVersionCreateTimestamp": created}


def _existing(self: KinesisAnalyticsV2Backend, name: str) -> Application:
    if name not in self.applications:
        raise JsonRESTError("ResourceNotFoundException", f"Application {name} was not found")
    return self.applications[name]


def _named(self: KinesisAnalyticsV2Response) -> Application:
    return _existing(self.kinesisanalyticsv2_backend, self._get_param("ApplicationName"))


def _delete_application(self: KinesisAnalyticsV2Response) -> str:
    """DeleteApplication (moto: not implemented)."""
    del self.kinesisanalyticsv2_backend.applications[_named(self).application_name]
    return json.dumps({})


def _start_application(self: KinesisAnalyticsV2Response) -> str:
    """StartApplication (moto: not implemented)."""
    _named(self).application_status = "RUNNING"
    return json.dumps({})


def _stop_application(self: KinesisAnalyticsV2Response) -> str:
    """StopApplication (moto: not implemented)."""
    _named(self).application_status = "READY"
    return json.dumps({})


def _untag_resource(self: KinesisAnalyticsV2Response) -> str:
    """UntagResource (moto: not implemented)."""
    parameters = json.loads(self.body)
    self.kinesisanalyticsv2_backend.untag_resource(parameters["ResourceARN"], parameters["TagKeys"])
    return json.dumps({})
