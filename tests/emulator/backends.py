"""What moto's services lack, added to moto's own state.

Nothing here is canned: every addition reads or writes the backend that moto keeps, so Terraform, a test's own hand and
the collector see one world. Each function is named after the operation that it completes, and says what moto does
without it. Larger additions have files of their own: `compute`, `flink`, `inventory`, `money`, `simulation`, `topics`.
"""

import functools
import hashlib
import json
from datetime import datetime, timezone
from urllib.parse import unquote

from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.core.responses import ActionResult, EmptyResult
from moto.dynamodb.models import DynamoDBBackend
from moto.glue.models import GlueBackend
from moto.glue.responses import GlueResponse
from moto.kafka.exceptions import NotFoundException
from moto.kafka.models import FakeKafkaCluster, KafkaBackend
from moto.kafka.responses import KafkaResponse
from moto.moto_api._internal import mock_random
from moto.s3.responses import S3Response
from moto.sagemaker.responses import SageMakerResponse
from moto.stepfunctions.responses import StepFunctionResponse

from . import compute, flink, inventory, money, simulation, topics
from .pages import page, without_nulls


def install() -> None:
    """Completes moto's classes; call it once, before the first request."""
    GlueResponse.list_schemas = _list_schemas
    GlueBackend.create_registry = _create_registry(GlueBackend.create_registry)
    GlueBackend.get_registry = _get_registry(GlueBackend.get_registry)

    # moto answers 400; the collector and Terraform tell "absent" by MSK's own 404.
    NotFoundException.code = 404
    FakeKafkaCluster.__init__ = _create_cluster(FakeKafkaCluster.__init__)
    FakeKafkaCluster._generate_arn = _cluster_arn
    for name in ("describe_cluster", "describe_cluster_v2", "delete_cluster"):
        setattr(KafkaBackend, name, _of_existing_cluster(getattr(KafkaBackend, name)))
    KafkaBackend.get_cluster_policy = _get_cluster_policy(KafkaBackend.get_cluster_policy)
    KafkaResponse.get_bootstrap_brokers = _get_bootstrap_brokers

    DynamoDBBackend.describe_time_to_live = _of_existing_table(DynamoDBBackend.describe_time_to_live)

    S3Response.get_bucket_versioning = _get_bucket_versioning(S3Response.get_bucket_versioning)

    StepFunctionResponse.validate_state_machine_definition = _validate_state_machine_definition
    StepFunctionResponse.list_state_machine_versions = _list_state_machine_versions

    SageMakerResponse.delete_model_package_group = _delete_model_package_group

    ApiGatewayV2Response.get_authorizers = _get_authorizers
    ApiGatewayV2Response.update_stage = _update_stage
    for name in ("get_stages", "get_routes", "get_integrations"):
        setattr(ApiGatewayV2Response, name, _in_pages(getattr(ApiGatewayV2Response, name)))

    for additions in (compute, flink, inventory, money, simulation, topics):
        additions.install()


def _get_bucket_versioning(original):
    """S3 GetBucketVersioning with the root element that S3 answers (moto: `GetBucketVersioningResponse`, as no S3 does)."""

    @functools.wraps(original)
    def get_bucket_versioning(self: S3Response):
        status, headers, body = original(self)
        text = body.decode() if isinstance(body, bytes) else body
        return status, headers, text.replace("GetBucketVersioningResponse", "VersioningConfiguration")

    return get_bucket_versioning


def _of_existing_table(original):
    """DynamoDB's own error for a table that is not there (moto: `ResourceNotFound`, a code that DynamoDB has none of)."""

    @functools.wraps(original)
    def describe(self: DynamoDBBackend, table_name):
        return original(self, self.get_table(table_name).name)

    return describe


def _list_schemas(self: GlueResponse) -> ActionResult:
    """Glue ListSchemas, with its pages (moto: not implemented)."""
    names = [registry.name for registry in self.glue_backend.registries.values()]
    identity = self._get_param("RegistryId")
    if identity:
        # GetRegistry resolves a name or an ARN, and refuses an unknown one as ListSchemas must.
        names = [self.glue_backend.get_registry(identity)["RegistryName"]]
    schemas = [schema for name in names for schema in self.glue_backend.registries[name].schemas.values()]
    start = int(self._get_param("NextToken") or 0)
    end = start + int(self._get_param("MaxResults") or 25)
    listed = [
        {
            "RegistryName": schema.registry_name,
            "SchemaName": schema.schema_name,
            "SchemaArn": schema.schema_arn,
            "Description": schema.description,
            "SchemaStatus": schema.schema_status,
            "CreatedTime": schema.created_time.isoformat() + "Z",
            "UpdatedTime": schema.updated_time.isoformat() + "Z",
        }
        for schema in schemas[start:end]
    ]
    return ActionResult({"Schemas": listed, "NextToken": str(end) if end < len(schemas) else None})


def _create_registry(original):
    """Glue CreateRegistry that keeps its tags (moto: dropped, so that Terraform's second plan is never clean)."""

    @functools.wraps(original)
    def create_registry(self: GlueBackend, registry_name, description=None, tags=None):
        registry = original(self, registry_name, description, tags)
        if tags:
            self.tag_resource(self.registries[registry_name].registry_arn, tags)
        return registry

    return create_registry


def _get_registry(original):
    """Glue GetRegistry with the registry's status (moto: left out, though a registry there is always usable)."""

    @functools.wraps(original)
    def get_registry(self: GlueBackend, registry_id):
        return original(self, registry_id) | {"Status": "AVAILABLE"}

    return get_registry


def _create_cluster(original):
    """MSK CreateClusterV2 whose cluster is ready at once, its time a real one (moto: CREATING for ever, no zone)."""

    @functools.wraps(original)
    def create(self: FakeKafkaCluster, *arguments, **options):
        original(self, *arguments, **options)
        self.state = "ACTIVE"
        self.creation_time = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return create


def _cluster_arn(self: FakeKafkaCluster) -> str:
    """A cluster's ARN as MSK writes it, `cluster/<name>/<uuid>` (moto: without the name)."""
    suffix = "s1" if self.cluster_type == "SERVERLESS" else "1"
    identity = f"{self.cluster_name}/{mock_random.uuid4()}-{suffix}"
    return f"arn:aws:kafka:{self.region_name}:{self.account_id}:cluster/{identity}"


def _of_existing_cluster(original):
    """An MSK read that refuses an unknown cluster with 404 (moto: 500)."""

    @functools.wraps(original)
    def read(self: KafkaBackend, cluster_arn, *arguments, **options):
        if cluster_arn not in self.clusters:
            raise NotFoundException("The requested resource was not found.")
        return original(self, cluster_arn, *arguments, **options)

    return read


def _get_cluster_policy(original):
    """MSK GetClusterPolicy that answers 404 where there is none (moto: an empty text)."""

    @functools.wraps(original)
    def get_cluster_policy(self: KafkaBackend, cluster_arn):
        policy, version = original(self, cluster_arn)
        if not policy:
            raise NotFoundException("Cluster policy does not exist.")
        return policy, version

    return get_cluster_policy


def _get_bootstrap_brokers(self: KafkaResponse) -> str:
    """MSK GetBootstrapBrokers (moto: not implemented), derived from the cluster, so that each cluster has its own."""
    path = unquote(self.parsed_url.path)
    cluster_arn = path.split("/clusters/")[-1].removesuffix("/bootstrap-brokers")
    cluster = self.kafka_backend.describe_cluster_v2(cluster_arn)
    identity = hashlib.sha256(cluster["clusterArn"].encode()).hexdigest()[:8]
    if cluster["clusterType"] == "SERVERLESS":
        hosts = [f"boot-{identity}.c2.kafka-serverless.{self.region}.amazonaws.com"]
    else:
        zone = f"{cluster['clusterName']}.{identity}.c2.kafka.{self.region}.amazonaws.com"
        hosts = [f"b-{n + 1}.{zone}" for n in range(min(cluster["provisioned"]["numberOfBrokerNodes"], 3))]
    return json.dumps({"bootstrapBrokerStringSaslIam": ",".join(f"{host}:9098" for host in hosts)})


def _validate_state_machine_definition(self: StepFunctionResponse) -> ActionResult:
    """Step Functions ValidateStateMachineDefinition (moto: not implemented): the structure, not states' fields."""
    try:
        definition = json.loads(self._get_param("definition"))
        states = definition["States"]
        named = [definition["StartAt"], *(state["Next"] for state in states.values() if "Next" in state)]
        wrong = [f"there is no state {name}" for name in named if name not in states]
        wrong += [f"the state {name} has no type" for name, state in states.items() if "Type" not in state]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        wrong = [f"the definition is malformed: {error!r}"]
    diagnostics = [{"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": message} for message in wrong]
    return ActionResult({"result": "FAIL" if wrong else "OK", "diagnostics": diagnostics, "truncated": False})


def _list_state_machine_versions(self: StepFunctionResponse) -> ActionResult:
    """Step Functions ListStateMachineVersions (moto: not implemented), newest first."""
    machine = self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn"))
    versions = [
        {"stateMachineVersionArn": version.arn, "creationDate": version.creation_date}
        for _, version in sorted(machine.versions.items(), reverse=True)
    ]
    parameters = {name: self._get_param(name) for name in ("maxResults", "nextToken")}
    return ActionResult(page(parameters, "stateMachineVersions", versions, "maxResults", "nextToken"))


def _delete_model_package_group(self: SageMakerResponse) -> ActionResult:
    """SageMaker DeleteModelPackageGroup (moto: not implemented)."""
    name = self._get_param("ModelPackageGroupName")
    self.sagemaker_backend.describe_model_package_group(name)
    del self.sagemaker_backend.model_package_groups[name]
    return EmptyResult()


def _get_authorizers(self: ApiGatewayV2Response):
    """API Gateway v2 GetAuthorizers (moto: not implemented)."""
    api = self.apigatewayv2_backend.get_api(self.path.split("/")[-2])
    items = [authorizer.to_json() for authorizer in api.authorizers.values()]
    return 200, {}, json.dumps(_page_of(self, items))


def _update_stage(self: ApiGatewayV2Response):
    """API Gateway v2 UpdateStage (moto: not implemented), which changes only what it names."""
    *_, api_id, _, name = (unquote(part) for part in self.path.split("/"))
    api = self.apigatewayv2_backend.get_api(api_id)
    present, changes = api.get_stage(name), json.loads(self.body)
    settings = present.default_route_settings | changes.get("defaultRouteSettings", {})
    stage = api.create_stage(present.config | changes | {"stageName": name, "defaultRouteSettings": settings})
    stage.created = present.created
    return 200, {}, json.dumps(stage.to_json())


def _in_pages(original):
    """An API Gateway v2 list in pages (moto: all at once)."""

    @functools.wraps(original)
    def read(self: ApiGatewayV2Response):
        status, headers, body = original(self)
        return status, headers, json.dumps(_page_of(self, json.loads(body)["items"]))

    return read


def _page_of(self: ApiGatewayV2Response, items: list) -> dict:
    parameters = {name: values[0] for name, values in self.querystring.items()}
    return page(parameters, "items", without_nulls(items), "maxResults", "nextToken")
