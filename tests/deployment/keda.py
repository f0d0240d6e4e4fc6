"""ScaledObjects: their form, what they mean beside the workers, and what KEDA asks NATS for them.

Source: https://keda.sh/docs/2.20/reference/scaledobject-spec/ and https://keda.sh/docs/2.20/scalers/nats-jetstream-stream/
"""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from jsonschema import Draft202012Validator
from photochanger_chassis.settings import describe
from photochanger_providers.drivers.registry import registered_drivers
from photochanger_providers.settings import Settings
from photochanger_tasks.nats.stream import STREAM

from deployment.cluster import Cluster, Workload, name_of
from deployment.render import Manifest
from deployment.rules import Problems

_SECONDS: Final = 10


def _form(required: tuple[str, ...] = (), **properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


def _count(least: int = 0) -> dict[str, object]:
    return {"type": "integer", "minimum": least}


_TEXT: Final = {"type": "string", "minLength": 1}
_NUMBER: Final = {"type": "string", "pattern": "^[0-9]+$"}
_POLICIES: Final = _form(
    ("policies",),
    stabilizationWindowSeconds={"type": "integer", "minimum": 0, "maximum": 3600},
    selectPolicy={"enum": ["Max", "Min", "Disabled"]},
    policies={
        "type": "array",
        "minItems": 1,
        "items": _form(
            ("type", "value", "periodSeconds"),
            type={"enum": ["Pods", "Percent"]},
            value=_count(1),
            periodSeconds={"type": "integer", "minimum": 1, "maximum": 1800},
        ),
    },
)
_TRIGGER: Final = _form(
    ("type", "metadata"),
    type={"const": "nats-jetstream"},
    metadata=_form(
        ("natsServerMonitoringEndpoint", "account", "stream", "consumer", "lagThreshold"),
        natsServerMonitoringEndpoint={"type": "string", "pattern": "^[a-z0-9.-]+:[0-9]+$"},
        account=_TEXT,
        stream=_TEXT,
        consumer=_TEXT,
        lagThreshold={"type": "string", "pattern": "^[1-9][0-9]*$"},
        activationLagThreshold=_NUMBER,
        useHttps={"enum": ["true", "false"]},
    ),
)
SCALED_OBJECT: Final = _form(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "keda.sh/v1alpha1"},
    kind={"const": "ScaledObject"},
    metadata=_form(
        ("name",), name=_TEXT, namespace=_TEXT, labels={"type": "object"}, annotations={"type": "object"}
    ),
    spec=_form(
        ("scaleTargetRef", "triggers"),
        scaleTargetRef=_form(
            ("name",), apiVersion=_TEXT, kind=_TEXT, name=_TEXT, envSourceContainerName=_TEXT
        ),
        pollingInterval=_count(1),
        cooldownPeriod=_count(),
        initialCooldownPeriod=_count(),
        minReplicaCount=_count(),
        maxReplicaCount=_count(1),
        fallback=_form(
            ("failureThreshold", "replicas"),
            failureThreshold=_count(1),
            replicas=_count(),
            behavior={
                "enum": ["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"]
            },
        ),
        advanced=_form(
            (),
            restoreToOriginalReplicaCount={"type": "boolean"},
            horizontalPodAutoscalerConfig=_form(
                (), name=_TEXT, behavior=_form((), scaleUp=_POLICIES, scaleDown=_POLICIES)
            ),
        ),
        triggers={"type": "array", "minItems": 1, "items": _TRIGGER},
    ),
)
"""The part of KEDA's schema that a queue of ours may use; whoever needs more adds it."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a ScaledObject tells KEDA to read."""

    endpoint: str
    account: str
    stream: str
    consumer: str
    lag_threshold: int

    @classmethod
    def of(cls, scaled: Manifest) -> "Trigger":
        """Reads it from the manifest."""
        (trigger,) = scaled["spec"]["triggers"]
        metadata: dict[str, str] = trigger["metadata"]
        return cls(
            endpoint=metadata["natsServerMonitoringEndpoint"],
            account=metadata["account"],
            stream=metadata["stream"],
            consumer=metadata["consumer"],
            lag_threshold=int(metadata["lagThreshold"]),
        )

    def lag(self, endpoint: str) -> int | None:
        """Asks a NATS at `endpoint` (`host:port`) as KEDA does; None where KEDA would see an error. Blocking.

        Source: pkg/scalers/nats_jetstream_scaler.go of https://github.com/kedacore/keda, 2.20
        """
        query = urlencode({"acc": self.account, "consumers": "true", "config": "true"})
        with urllib.request.urlopen(f"http://{endpoint}/jsz?{query}", timeout=_SECONDS) as response:
            answer: dict[str, Any] = json.load(response)
        for account in answer.get("account_details") or ():
            for stream in account.get("stream_detail") or ():
                for consumer in stream.get("consumer_detail") or ():
                    if account["name"] == self.account and (stream["name"], consumer["name"]) == (
                        self.stream,
                        self.consumer,
                    ):
                        return int(consumer["num_pending"]) + int(consumer["num_ack_pending"])
        return None


def form(scaled: Manifest) -> Problems:
    """What KEDA's API would refuse, and keys it would silently drop."""
    for error in Draft202012Validator(SCALED_OBJECT).iter_errors(scaled):
        yield f"{name_of(scaled)}: {error.json_path}: {error.message}"


def scaling(cluster: Cluster) -> Problems:
    """Each provider's queue has its workers, and they follow what the queue holds."""
    queues: list[str] = []
    for workload in cluster.deployments:
        if workload.command != "worker":
            continue
        names = _queues(workload)
        queues += names
        scaled = [
            each
            for each in cluster.of("ScaledObject")
            if f"Deployment/{each['spec']['scaleTargetRef']['name']}" == workload.name
        ]
        if len(scaled) != 1:
            yield f"{workload.name}: {len(scaled)} ScaledObjects"
        else:
            yield from _scaled(cluster, workload, names, scaled[0])
        if "replicas" in workload.manifest["spec"]:
            yield f"{workload.name}: each apply would undo what KEDA did"
    for scaled_object in cluster.of("ScaledObject"):
        target = scaled_object["spec"]["scaleTargetRef"]
        if cluster.find(target.get("kind", "Deployment"), target["name"]) is None:
            yield f"{name_of(scaled_object)}: there is no {target['name']} to scale"
    if sorted(queues) != sorted(entry.info.id for entry in registered_drivers()):
        yield f"workers: their queues are {sorted(queues)}, which are not the providers"


def _scaled(cluster: Cluster, workload: Workload, queues: list[str], scaled: Manifest) -> Problems:
    spec, trigger = scaled["spec"], Trigger.of(scaled)
    if queues != [trigger.consumer]:
        yield f"{name_of(scaled)}: reads {trigger.consumer}, the workers take {queues}"
    if trigger.stream != STREAM:
        yield f"{name_of(scaled)}: reads the stream {trigger.stream}, tasks are in {STREAM}"
    at_once = _at_once(cluster.environment(workload), trigger.consumer)
    if trigger.lag_threshold * spec["maxReplicaCount"] > at_once:
        yield f"{name_of(scaled)}: has more workers than the provider's limit lets work, which is {at_once} tasks"
    if spec.get("minReplicaCount", 0) < 1:
        yield f"{name_of(scaled)}: nobody makes the consumer that KEDA reads"
    if (
        not spec.get("minReplicaCount", 0)
        <= spec.get("fallback", {}).get("replicas", -1)
        <= spec["maxReplicaCount"]
    ):
        yield f"{name_of(scaled)}: has no sensible number of workers for when NATS does not answer"
    behavior = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior", {})
    if behavior.get("scaleDown", {}).get("stabilizationWindowSeconds", 300) < 120:
        yield f"{name_of(scaled)}: workers go at the first lull"


def _at_once(environment: Mapping[str, str | None], queue: str) -> int:
    """How many of a queue's tasks run at once in all workers; the rest of a provider's places is for cameras."""
    limits: dict[str, int] = json.loads(environment.get("PROVIDER_LIMITS") or "{}")
    defaults = {row.variable: row.default for row in describe(Settings)}
    share = environment.get("TASK_SHARE") or defaults.get("TASK_SHARE") or "1"
    return max(1, int(limits.get(queue, 0) * float(share)))


def _queues(workload: Workload) -> list[str]:
    arguments = workload.container["args"][1:]
    return [
        value for option, value in zip(arguments[::2], arguments[1::2], strict=True) if option == "--queue"
    ]
