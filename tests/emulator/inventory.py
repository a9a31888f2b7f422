"""The Resource Groups Tagging inventory of services that moto leaves out of it: EKS and API Gateway v2."""

from collections.abc import Iterator

from moto.apigatewayv2.models import ApiGatewayV2Backend
from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource
from moto.eks.models import EKSBackend


def install() -> None:
    """Lets the inventory ask these backends as it asks the others."""
    for backend, namespace, resources in (
        (EKSBackend, "eks", _clusters),
        (ApiGatewayV2Backend, "apigateway", _apis),
    ):
        backend.__bases__ = (*backend.__bases__, TaggableResourcesMixin)
        backend.SERVICE_NAMESPACE = namespace
        backend.iter_tagged_resources = resources


def _clusters(self: EKSBackend) -> Iterator[TaggedResource]:
    for cluster in self.clusters.values():
        yield TaggedResource(cluster.arn, cluster.tags or {}, "eks:cluster")
        for nodegroup in cluster.nodegroups.values():
            yield TaggedResource(nodegroup.arn, nodegroup.tags or {}, "eks:nodegroup")


def _apis(self: ApiGatewayV2Backend) -> Iterator[TaggedResource]:
    for api in self.apis.values():
        yield TaggedResource(api.arn, self.get_tags(api.arn), "apigateway:apis")
