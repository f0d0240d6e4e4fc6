"""The checks have power: an overlay broken in one place is refused, in words that name the place."""

import copy
from collections.abc import Callable
from typing import TypeAlias

import pytest
from deployment.cluster import Cluster, Workload
from deployment.overlays import FOLDER, form, meaning
from deployment.render import Manifest, render

Break: TypeAlias = Callable[[Cluster], object]


@pytest.fixture(scope="module")
def production() -> list[Manifest]:
    return render(FOLDER / "production")


def workload(cluster: Cluster, name: str) -> Workload:
    return next(each for each in cluster.workloads if each.manifest["metadata"]["name"].startswith(name))


def one(cluster: Cluster, kind: str, name: str) -> Manifest:
    return next(each for each in cluster.of(kind) if each["metadata"]["name"].startswith(name))


def spec(kind: str, name: str, change: Callable[[Manifest], object]) -> Break:
    return lambda cluster: change(one(cluster, kind, name)["spec"])


def pod(name: str, change: Callable[[Manifest], object]) -> Break:
    return lambda cluster: change(workload(cluster, name).pod)


def container(name: str, change: Callable[[Manifest], object]) -> Break:
    return lambda cluster: change(workload(cluster, name).container)


def config(name: str, change: Callable[[Manifest], object]) -> Break:
    return lambda cluster: change(one(cluster, "ConfigMap", name)["data"])


def trigger(name: str, change: Callable[[Manifest], object]) -> Break:
    return spec("ScaledObject", name, lambda scaled: change(scaled["triggers"][0]["metadata"]))


def without(kind: str, name: str) -> Break:
    return lambda cluster: cluster.manifests.remove(one(cluster, kind, name))


def env(variable: str) -> Callable[[Manifest], object]:
    """Leaves a variable out."""

    def change(container: Manifest) -> None:
        container["env"] = [each for each in container["env"] if each["name"] != variable]

    return change


BROKEN: dict[str, tuple[Break, str]] = {
    # Words Kubernetes or KEDA do not know, or values they refuse.
    "a misspelled key": (
        pod("ingest", lambda p: p["securityContext"].update(runAsNonRooot=True)),
        "runAsNonRooot",
    ),
    "a number as text": (spec("Deployment", "gateway", lambda s: s.update(replicas="3")), "'3'"),
    "a missing field": (
        spec("Service", "media", lambda s: s["ports"][0].pop("port")),
        "'port' is a required property",
    ),
    "a kind nobody knows": (lambda c: c.of("Service")[0].update(kind="Servis"), "Servis"),
    "a misspelled key of KEDA": (
        spec("ScaledObject", "worker-local", lambda s: s.update(maxReplicaCont=3)),
        "Cont",
    ),
    "another scaler": (
        spec("ScaledObject", "worker-local", lambda s: s["triggers"][0].update(type="nats")),
        "nats",
    ),
    "a number where KEDA wants text": (
        trigger("worker-local", lambda m: m.update(lagThreshold=1)),
        "1 is not",
    ),
    "no stream": (trigger("worker-local", lambda m: m.pop("stream")), "stream"),
    "an endpoint with a scheme": (
        trigger("worker-local", lambda m: m.update(natsServerMonitoringEndpoint="http://nats:8222")),
        "http://nats:8222",
    ),
    # Objects that miss each other.
    "a selector of all workers": (
        spec("Deployment", "worker-gemini", lambda s: s["selector"]["matchLabels"].pop("photochanger/queue")),
        "its selector means",
    ),
    "a Service of nobody": (
        spec("Service", "ingest", lambda s: s["selector"].update(app="x")),
        "Service/ingest",
    ),
    "a Service's port that is none": (
        spec("Service", "media", lambda s: s["ports"][0].update(targetPort="grcp")),
        "no port 'grcp'",
    ),
    "a gRPC Service with an address": (
        spec("Service", "media", lambda s: s.pop("clusterIP")),
        "pins each caller",
    ),
    "a port that is not listened on": (
        config("media", lambda d: d.update(GRPC_LISTEN="0.0.0.0:50054")),
        "50054",
    ),
    "listening to itself alone": (
        config("ingest", lambda d: d.update(HEALTH_LISTEN="127.0.0.1:50060")),
        "127.0.0.1",
    ),
    "a target that is not there": (
        config("gateway", lambda d: d.update(INGEST_TARGET="ingest:9102x")),
        "INGEST_TARGET",
    ),
    "a target at another port": (
        config("gateway", lambda d: d.update(MEDIA_TARGET="media:50051")),
        "nobody listens",
    ),
    "a lost ConfigMap": (without("ConfigMap", "ingest"), "there is no ConfigMap ingest"),
    "a lost ServiceAccount": (without("ServiceAccount", "worker"), "no ServiceAccount worker"),
    "a Secret nobody documented": (
        container("ingest", lambda c: c["env"][0]["valueFrom"]["secretKeyRef"].update(key="uri")),
        "nats with uri is not documented",
    ),
    "an optional database": (
        container("ingest", lambda c: c["env"][1]["valueFrom"]["secretKeyRef"].update(optional=True)),
        "may be missing is documented otherwise",
    ),
    "a namespace of its own": (
        lambda c: one(c, "Service", "media")["metadata"].update(namespace="default"),
        "Service/media: is not in the namespace",
    ),
    # Settings.
    "a variable nobody reads": (
        config("gateway", lambda d: d.update(HTTP_LISTN="x")),
        "nobody reads HTTP_LISTN",
    ),
    "a required variable that is missing": (
        config("ingest", lambda d: d.pop("MEDIA_TARGET")),
        "MEDIA_TARGET is not set",
    ),
    "a required Secret that is missing": (
        container("media", env("S3_SECRET_KEY")),
        "S3_SECRET_KEY is not set",
    ),
    "a migration without its database": (
        container("media-migrate", env("DATABASE_URL")),
        "DATABASE_URL is not set",
    ),
    "a value that cannot be read": (
        config("providers", lambda d: d.update(PROVIDER_LIMITS='{"gemini":0}')),
        "PROVIDER_LIMITS:",
    ),
    "a command that does not exist": (
        container("media", lambda c: c.update(args=["server"])),
        "no command 'server'",
    ),
    "a password in a manifest": (
        container("media", lambda c: c["env"].append({"name": "S3_REGION", "value": "x"})),
        "belongs into a ConfigMap or a Secret",
    ),
    "a Secret in the overlay": (
        lambda c: c.manifests.append(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nats", "namespace": "photochanger"}}
        ),
        "Secrets are the operator's",
    ),
    # Stopping, updating, draining.
    "a grace shorter than the drain": (
        pod("worker-gemini", lambda p: p.update(terminationGracePeriodSeconds=60)),
        "is killed after",
    ),
    "the default grace": (
        pod("gateway", lambda p: p.pop("terminationGracePeriodSeconds")),
        "is killed after",
    ),
    "a drain shorter than a job": (config("providers", lambda d: d.update(DRAIN_GRACE="30")), "drains for"),
    "no pause before the stop": (
        container("gateway", lambda c: c.pop("lifecycle")),
        "before its callers know",
    ),
    "a budget that blocks every drain": (
        spec("PodDisruptionBudget", "media", lambda s: (s.pop("maxUnavailable"), s.update(minAvailable=2))),
        "one pod go at a time",
    ),
    "no budget": (without("PodDisruptionBudget", "providers"), "0 PodDisruptionBudgets"),
    "an update with a gap": (
        spec("Deployment", "media", lambda s: s["strategy"]["rollingUpdate"].update(maxUnavailable=1)),
        "nobody to answer",
    ),
    "a single copy": (spec("Deployment", "ingest", lambda s: s.update(replicas=1)), "nobody to answer"),
    "pods on one node": (pod("ingest", lambda p: p.pop("topologySpreadConstraints")), "is not spread"),
    "a Job with the last version's name": (
        lambda c: one(c, "Job", "ingest")["metadata"].update(name="ingest-migrate-0-0-9"),
        "does not end in",
    ),
    "one image of another version": (
        container("media", lambda c: c.update(image="registry.example.com/photochanger/media:0.0.9")),
        "the versions are",
    ),
    "images without a version": (
        lambda c: [
            w.container.update(image=w.container["image"].partition(":")[0] + ":latest") for w in c.workloads
        ],
        "['latest']",
    ),
    "a service that nobody migrates": (without("Job", "media"), "media: has a database or a migration"),
    "a migration that never ends": (
        spec("Job", "ingest", lambda s: s.pop("activeDeadlineSeconds")),
        "stay for ever",
    ),
    # Probes.
    "no readiness": (container("ingest", lambda c: c.pop("readinessProbe")), "no readinessProbe"),
    "a restart when PostgreSQL is away": (
        container("ingest", lambda c: c["livenessProbe"]["grpc"].update(service="readiness")),
        "livenessProbe asks 'readiness'",
    ),
    "a restart when another service is away": (
        container("gateway", lambda c: c["livenessProbe"]["httpGet"].update(path="/readyz")),
        "livenessProbe asks '/readyz'",
    ),
    "a probe at no port": (
        container("media", lambda c: c["startupProbe"]["grpc"].update(port=50061)),
        "no port of it",
    ),
    "no time to start": (
        container("media", lambda c: c["startupProbe"].update(failureThreshold=3)),
        "to start",
    ),
    # Security and resources.
    "a root user": (
        pod("providers", lambda p: p["securityContext"].update(runAsNonRoot=False)),
        "is not root",
    ),
    "a writable image": (
        container("worker-local", lambda c: c["securityContext"].update(readOnlyRootFilesystem=False)),
        "write to its image",
    ),
    "capabilities": (container("media", lambda c: c["securityContext"].pop("capabilities")), "capabilities"),
    "a token of the API": (
        pod("gateway", lambda p: p.update(automountServiceAccountToken=True)),
        "a token of the API",
    ),
    "the node's network": (pod("media", lambda p: p.update(hostNetwork=True)), "with its node"),
    "a folder of the node": (
        pod("media", lambda p: p["volumes"].append({"name": "x", "hostPath": {"path": "/"}})),
        "has the volumes ['x']",
    ),
    "nowhere to write": (pod("media", lambda p: p["volumes"][0]["emptyDir"].clear()), "no bounded folder"),
    "no bound of memory": (container("media", lambda c: c["resources"].pop("limits")), "no bound of memory"),
    "a bound below the request": (
        container("media", lambda c: c["resources"]["limits"].update(memory="64Mi")),
        "more memory than it may",
    ),
    "a lax namespace": (lambda c: c.of("Namespace")[0]["metadata"].pop("labels"), "restricted standard"),
    # Workers.
    "another queue's consumer": (
        trigger("worker-gemini", lambda m: m.update(consumer="turbotext")),
        "reads turbotext",
    ),
    "another stream": (trigger("worker-gemini", lambda m: m.update(stream="JOBS")), "reads the stream JOBS"),
    "more workers than the provider takes": (
        spec("ScaledObject", "worker-gemini", lambda s: s.update(maxReplicaCount=20)),
        "more workers than",
    ),
    "no worker to begin with": (
        spec("ScaledObject", "worker-gemini", lambda s: s.update(minReplicaCount=0)),
        "nobody makes the consumer",
    ),
    "no fallback": (
        spec("ScaledObject", "worker-gemini", lambda s: s.pop("fallback")),
        "NATS does not answer",
    ),
    "a fixed number of workers": (
        spec("Deployment", "worker-local", lambda s: s.update(replicas=1)),
        "would undo",
    ),
    "a queue without KEDA": (without("ScaledObject", "worker-turbotext"), "0 ScaledObjects"),
    "a provider without workers": (without("Deployment", "worker-turbotext"), "which are not the providers"),
    "workers that go at once": (
        spec(
            "ScaledObject",
            "worker-gemini",
            lambda s: s["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"].update(
                stabilizationWindowSeconds=0
            ),
        ),
        "first lull",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_overlay_is_refused(production: list[Manifest], name: str) -> None:
    breaks, told = BROKEN[name]
    cluster = Cluster(copy.deepcopy(production))
    breaks(cluster)
    changed = [manifest for manifest in cluster.manifests if manifest not in production]
    problems = [*form(changed)]
    # What Kubernetes would not even take has no meaning.
    problems = problems or [*meaning(cluster)]
    assert any(told in problem for problem in problems), problems
