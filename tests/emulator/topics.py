"""MSK's topics, which moto has none of, kept with the cluster that they are in.

They are made with CreateTopic, as an administrator would; no record ever goes through one.
"""

import json
from urllib.parse import unquote

from moto.kafka.exceptions import KafkaException, NotFoundException
from moto.kafka.models import FakeKafkaCluster
from moto.kafka.responses import KafkaResponse

from .pages import page


class TopicExistsException(KafkaException):
    """The answer to a second CreateTopic of one name."""

    code = 409

    def __init__(self, topic: str) -> None:
        super().__init__("TopicExistsException", f"Topic {topic} already exists.")


def install() -> None:
    """Adds the operations to moto's MSK."""
    for operation in (_create_topic, _delete_topic, _describe_topic, _list_topics):
        setattr(KafkaResponse, operation.__name__.removeprefix("_"), operation)


def _cluster(self: KafkaResponse) -> tuple[FakeKafkaCluster, str]:
    """The cluster that the path names, and the topic behind it."""
    path = unquote(self.parsed_url.path).split("/clusters/")[-1]
    arn, _, topic = path.partition("/topics")
    self.kafka_backend.describe_cluster_v2(arn)
    cluster = self.kafka_backend.clusters[arn]
    cluster.topics = getattr(cluster, "topics", {})
    return cluster, topic.removeprefix("/")


def _topic(self: KafkaResponse) -> tuple[FakeKafkaCluster, dict]:
    cluster, name = _cluster(self)
    if name not in cluster.topics:
        raise NotFoundException(f"Topic {name} does not exist.")
    return cluster, cluster.topics[name]


def _create_topic(self: KafkaResponse) -> str:
    """MSK CreateTopic."""
    cluster, _ = _cluster(self)
    name = self._get_param("topicName")
    if name in cluster.topics:
        raise TopicExistsException(name)
    arn = f"{cluster.arn.replace(':cluster/', ':topic/')}/{name}"
    cluster.topics[name] = {
        "topicArn": arn,
        "topicName": name,
        "partitionCount": self._get_param("partitionCount"),
        "replicationFactor": self._get_param("replicationFactor"),
    }
    return json.dumps({"topicArn": arn, "topicName": name, "status": "ACTIVE"})


def _delete_topic(self: KafkaResponse) -> str:
    """MSK DeleteTopic."""
    cluster, topic = _topic(self)
    del cluster.topics[topic["topicName"]]
    return json.dumps({"topicArn": topic["topicArn"], "topicName": topic["topicName"], "status": "DELETING"})


def _describe_topic(self: KafkaResponse) -> str:
    """MSK DescribeTopic."""
    return json.dumps(_topic(self)[1] | {"status": "ACTIVE"})


def _list_topics(self: KafkaResponse) -> str:
    """MSK ListTopics, with its pages."""
    cluster, _ = _cluster(self)
    wanted = self._get_param("topicNameFilter") or ""
    topics = [topic | {"outOfSyncReplicaCount": 0} for name, topic in sorted(cluster.topics.items()) if wanted in name]
    parameters = {name: self._get_param(name) for name in ("maxResults", "nextToken")}
    return json.dumps(page(parameters, "topics", topics, "maxResults", "nextToken"))
