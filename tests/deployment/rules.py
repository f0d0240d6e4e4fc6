"""What has to hold among the objects of an overlay. Each rule tells what is wrong, in words."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from deployment.cluster import Cluster, name_of
from deployment.render import NOT_IN_A_NAMESPACE, Manifest

Problems: TypeAlias = Iterator[str]
SecretKeys: TypeAlias = Mapping[tuple[str, str], bool]
"""Keys of Secrets the documentation names, and whether each may be missing."""

_UNITS: Final = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
_PROBES: Final = ("startupProbe", "livenessProbe", "readinessProbe")
_ALIVE: Final = {"liveness", "/livez"}
_READY: Final = {"readiness", "/readyz"}
_LONGEST_START_SECONDS: Final = 60
_SPREAD: Final = {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}


def selectors(cluster: Cluster) -> Problems:
    """Every selector means the pods of one workload."""
    for manifest in [*cluster.of("Service"), *cluster.of("PodDisruptionBudget"), *cluster.of("Deployment")]:
        selector = manifest["spec"]["selector"]
        wanted = selector.get("matchLabels", selector)
        met = [workload.name for workload in cluster.workloads if workload.selected_by(wanted)]
        if manifest["kind"] == "Deployment" and met != [name_of(manifest)]:
            yield f"{name_of(manifest)}: its selector means {met}, not itself alone"
        elif len(met) != 1:
            yield f"{name_of(manifest)}: its selector means {met}, not one workload"


def spread(cluster: Cluster) -> Problems:
    """Pods are spread over nodes and zones, without that keeping one from starting."""
    for workload in cluster.deployments:
        constraints = workload.pod.get("topologySpreadConstraints", ())
        if {constraint["topologyKey"] for constraint in constraints} != _SPREAD:
            yield f"{workload.name}: is not spread over nodes and zones"
        for constraint in constraints:
            wanted = constraint["labelSelector"]["matchLabels"]
            met = [other.name for other in cluster.workloads if other.selected_by(wanted)]
            if met != [workload.name]:
                yield f"{workload.name}: is spread among {met}"
            if constraint["whenUnsatisfiable"] != "ScheduleAnyway":
                yield f"{workload.name}: a zone that is away keeps pods from starting"


def services(cluster: Cluster) -> Problems:
    """Services lead to ports that are there; those of gRPC have no address of their own."""
    for service in cluster.of("Service"):
        selector = service["spec"]["selector"]
        ports = {
            name: port
            for workload in cluster.deployments
            if workload.selected_by(selector)
            for name, port in workload.ports.items()
        }
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in ports:
                yield f"{name_of(service)}: there is no port {port['targetPort']!r}"
            elif service["spec"].get("clusterIP") == "None" and port["port"] != ports[port["targetPort"]]:
                yield f"{name_of(service)}: without an address of its own its port must be the pods' port"
        if "grpc" in ports and service["spec"].get("clusterIP") != "None":
            yield f"{name_of(service)}: an address of its own pins each caller to one pod"


def listening(cluster: Cluster) -> Problems:
    """Processes listen where their ports and probes say, for others than themselves."""
    for workload in cluster.deployments:
        environment = cluster.environment(workload)
        for name, port in workload.ports.items():
            address = environment.get(f"{name.upper()}_LISTEN")
            if address != f"0.0.0.0:{port}":
                yield f"{workload.name}: the port {name!r} is {port}, and {name.upper()}_LISTEN is {address}"


def targets(cluster: Cluster) -> Problems:
    """Who calls another service calls one that is there."""
    for workload in cluster.deployments:
        for variable, address in cluster.environment(workload).items():
            if not variable.endswith("_TARGET") or address is None:
                continue
            host, _, port = address.partition(":")
            service = cluster.find("Service", host)
            ports = () if service is None else (each["port"] for each in service["spec"]["ports"])
            if not port.isdecimal() or int(port) not in ports:
                yield f"{workload.name}: {variable} is {address}, where nobody listens"


def references(cluster: Cluster, documented: SecretKeys) -> Problems:
    """What an object refers to is there, or is said to be the operator's."""
    files = {name for name, _ in documented}
    for workload in cluster.workloads:
        account = workload.pod.get("serviceAccountName", "default")
        if cluster.find("ServiceAccount", account) is None:
            yield f"{workload.name}: there is no ServiceAccount {account}"
        for source in workload.container.get("envFrom", ()):
            name = source["configMapRef"]["name"]
            if cluster.find("ConfigMap", name) is None:
                yield f"{workload.name}: there is no ConfigMap {name}"
        for name, key, optional in workload.secret_keys():
            if (name, key) not in documented:
                yield f"{workload.name}: the Secret {name} with {key} is not documented"
            elif documented[name, key] is not optional:
                yield f"{workload.name}: whether {key} of the Secret {name} may be missing is documented otherwise"
        for volume in workload.pod.get("volumes", ()):
            if "secret" in volume and volume["secret"]["secretName"] not in files:
                yield f"{workload.name}: the Secret {volume['secret']['secretName']} is not documented"
        mounts = {mount["name"] for mount in workload.container.get("volumeMounts", ())}
        if mounts != {volume["name"] for volume in workload.pod.get("volumes", ())}:
            yield f"{workload.name}: volumes and what is mounted differ"


def secrets(cluster: Cluster) -> Problems:
    """Nothing secret is in a manifest."""
    for secret in cluster.of("Secret"):
        yield f"{name_of(secret)}: Secrets are the operator's"
    for workload in cluster.workloads:
        for variable in workload.container.get("env", ()):
            if "value" in variable:
                yield f"{workload.name}: {variable['name']} belongs into a ConfigMap or a Secret"


def disruption(cluster: Cluster) -> Problems:
    """Nodes can be drained, one pod of a service at a time."""
    for workload in cluster.deployments:
        replicas = workload.manifest["spec"].get("replicas", 1)
        budgets = [
            budget
            for budget in cluster.of("PodDisruptionBudget")
            if workload.selected_by(budget["spec"]["selector"]["matchLabels"])
        ]
        if replicas > 1 and len(budgets) != 1:
            yield f"{workload.name}: {len(budgets)} PodDisruptionBudgets"
        for budget in budgets:
            if budget["spec"].get("maxUnavailable") != 1 or "minAvailable" in budget["spec"]:
                yield f"{name_of(budget)}: should let one pod go at a time"


def probes(cluster: Cluster) -> Problems:
    """A pod is restarted when it does not live, and gets nothing while it is not ready."""
    for workload in cluster.deployments:
        for name in _PROBES:
            probe = workload.container.get(name)
            if probe is None:
                yield f"{workload.name}: has no {name}"
                continue
            asked, port = _asked(probe)
            if asked not in (_READY if name == "readinessProbe" else _ALIVE):
                yield f"{workload.name}: {name} asks {asked!r}"
            if port not in {*workload.ports, *workload.ports.values()}:
                yield f"{workload.name}: {name} asks at {port}, which is no port of it"
        start = workload.container.get("startupProbe", {})
        if start.get("periodSeconds", 10) * start.get("failureThreshold", 3) < _LONGEST_START_SECONDS:
            yield f"{workload.name}: is killed before it has had {_LONGEST_START_SECONDS} s to start"


def security(cluster: Cluster) -> Problems:
    """Pods fulfil the `restricted` standard, write to their own folder for temporary files alone, and ask no API.

    Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/
    """
    for workload in cluster.workloads:
        pod, container = workload.pod, workload.container
        context, inner = pod.get("securityContext", {}), container.get("securityContext", {})
        wanted = {
            "does not say that it is not root": context.get("runAsNonRoot") is True,
            "has a fixed user": "runAsUser" not in {**context, **inner},
            "has no seccomp profile": context.get("seccompProfile") == {"type": "RuntimeDefault"},
            "may gain privileges": inner.get("allowPrivilegeEscalation") is False,
            "keeps capabilities": inner.get("capabilities") == {"drop": ["ALL"]},
            "may write to its image": inner.get("readOnlyRootFilesystem") is True,
            "is privileged": not inner.get("privileged", False),
            "shares something with its node": not any(
                pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")
            ),
            "has a token of the API": pod.get("automountServiceAccountToken") is False,
            "gets addresses of Services as variables": pod.get("enableServiceLinks") is False,
            "has more than one container": len(pod["containers"]) == 1 and "initContainers" not in pod,
        }
        yield from (f"{workload.name}: {problem}" for problem, good in wanted.items() if not good)
        paths = {mount["mountPath"]: mount["name"] for mount in container.get("volumeMounts", ())}
        volumes = {volume["name"]: volume for volume in pod.get("volumes", ())}
        temporary = volumes.get(paths.get("/tmp", ""), {}).get("emptyDir", {})
        if "sizeLimit" not in temporary:
            yield f"{workload.name}: has no bounded folder for temporary files"
        if strange := [
            volume["name"] for volume in volumes.values() if not {"emptyDir", "secret"} & volume.keys()
        ]:
            yield f"{workload.name}: has the volumes {strange}"
    for account in cluster.of("ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"{name_of(account)}: hands out a token of the API"


def resources(cluster: Cluster) -> Problems:
    """Everything asks for what it needs, and has a bound of memory."""
    for workload in cluster.workloads:
        given = workload.container.get("resources", {})
        requests, limits = given.get("requests", {}), given.get("limits", {})
        if not {"cpu", "memory"} <= requests.keys() or "memory" not in limits:
            yield f"{workload.name}: asks for no CPU or memory, or has no bound of memory"
        elif _bytes(requests["memory"]) > _bytes(limits["memory"]):
            yield f"{workload.name}: asks for more memory than it may have"


def versions(cluster: Cluster) -> Problems:
    """One version everywhere, by name; a Job has it in its name, as it cannot be changed."""
    tags = {
        str(workload.container["image"]).rpartition("/")[2].partition(":")[2]
        for workload in cluster.workloads
    }
    if len(tags) != 1 or not tags - {"", "latest"}:
        yield f"images: the versions are {sorted(tags)}"
        return
    suffix = "-" + re.sub(r"[^a-z0-9]", "-", tags.pop().partition("@")[0])
    for job in cluster.jobs:
        if not job.manifest["metadata"]["name"].endswith(suffix):
            yield f"{job.name}: its name does not end in {suffix}"


def migrations(cluster: Cluster) -> Problems:
    """Each service with a database is migrated by a Job that ends, and that nothing changes afterwards."""
    migrated = {job.image for job in cluster.jobs if job.command == "migrate"}
    served = {
        workload.image for workload in cluster.deployments if "DATABASE_URL" in cluster.environment(workload)
    }
    for image in sorted(migrated ^ served):
        yield f"{image}: has a database or a migration, not both"
    for job in cluster.jobs:
        spec = job.manifest["spec"]
        if job.pod.get("restartPolicy") != "Never" or spec.get("backoffLimit", 6) > 6:
            yield f"{job.name}: may be tried for ever"
        if "activeDeadlineSeconds" not in spec or "ttlSecondsAfterFinished" not in spec:
            yield f"{job.name}: may stay for ever"
        if job.container.get("envFrom"):
            yield f"{job.name}: a Job cannot follow a ConfigMap, whose name changes"


def namespaces(cluster: Cluster) -> Problems:
    """All is in one namespace, which refuses what is not restricted."""
    spaces = cluster.of("Namespace")
    names = [space["metadata"]["name"] for space in spaces]
    for manifest in cluster.manifests:
        if manifest["kind"] not in NOT_IN_A_NAMESPACE and [manifest["metadata"].get("namespace")] != names:
            yield f"{name_of(manifest)}: is not in the namespace {names}"
    for space in spaces:
        if space["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{name_of(space)}: does not enforce the restricted standard"


def updates(cluster: Cluster) -> Problems:
    """A new version of a service comes before the old one goes."""
    for workload in cluster.deployments:
        if workload.command == "serve":
            strategy = workload.manifest["spec"].get("strategy", {}).get("rollingUpdate", {})
            if strategy.get("maxUnavailable") != 0 or workload.manifest["spec"].get("replicas", 1) < 2:
                yield f"{workload.name}: an update leaves nobody to answer"


RULES: Final[tuple[Callable[[Cluster], Problems], ...]] = (
    *(selectors, spread, services, listening, targets, secrets, disruption, probes),
    *(security, resources, versions, migrations, namespaces, updates),
)
"""All rules that need nothing but the objects."""


def _asked(probe: Manifest) -> tuple[str, Any]:
    if "grpc" in probe:
        return probe["grpc"].get("service", ""), probe["grpc"]["port"]
    return probe["httpGet"]["path"], probe["httpGet"]["port"]


def _bytes(quantity: str) -> int:
    return int(quantity[:-2]) * _UNITS[quantity[-2:]]
