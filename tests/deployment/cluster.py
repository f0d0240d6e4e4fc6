"""What has been rendered, as questions about it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from deployment.render import Manifest, pod_of

IMAGES: Final = {
    "gateway": "admin-gateway",
    "ingest": "ingest",
    "media": "media",
    "providers": "providers",
}
"""Whose code an image has, by the image's last name."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment or a Job, with its one container."""

    manifest: Manifest

    @property
    def name(self) -> str:
        """`kind/name`, for messages."""
        return name_of(self.manifest)

    @property
    def pod(self) -> Manifest:
        """The specification of its pods."""
        pod = pod_of(self.manifest)
        assert pod is not None
        return pod

    @property
    def container(self) -> Manifest:
        """The container."""
        container: Manifest = self.pod["containers"][0]
        return container

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of its pods."""
        labels: dict[str, str] = self.manifest["spec"]["template"]["metadata"].get("labels", {})
        return labels

    @property
    def image(self) -> str:
        """The last name of its image: `providers`."""
        return str(self.container["image"]).rpartition("/")[2].partition(":")[0]

    @property
    def command(self) -> str:
        """What of the service it runs: `serve`, `worker`, `migrate`."""
        return str(self.container["args"][0])

    @property
    def ports(self) -> dict[str, int]:
        """Its ports, by name."""
        return {port["name"]: port["containerPort"] for port in self.container.get("ports", ())}

    def secret_keys(self) -> Iterator[tuple[str, str, bool]]:
        """Name, key and whether it may be missing, of every key it takes from a Secret."""
        for variable in self.container.get("env", ()):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference:
                yield reference["name"], reference["key"], reference.get("optional", False)

    def selected_by(self, selector: Mapping[str, str]) -> bool:
        """Whether a selector means its pods."""
        return selector.items() <= self.labels.items()


class Cluster:
    """All objects of an overlay."""

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self.manifests: Final = list(manifests)

    def of(self, kind: str) -> list[Manifest]:
        """The objects of a kind."""
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]

    def find(self, kind: str, name: str) -> Manifest | None:
        """One object."""
        return next((each for each in self.of(kind) if each["metadata"]["name"] == name), None)

    @property
    def deployments(self) -> list[Workload]:
        """What runs for ever."""
        return [Workload(manifest) for manifest in self.of("Deployment")]

    @property
    def jobs(self) -> list[Workload]:
        """What runs once."""
        return [Workload(manifest) for manifest in self.of("Job")]

    @property
    def workloads(self) -> list[Workload]:
        """All that runs."""
        return [*self.deployments, *self.jobs]

    def environment(self, workload: Workload) -> dict[str, str | None]:
        """What a workload's process gets; None for what comes out of a Secret."""
        variables: dict[str, str | None] = {}
        for source in workload.container.get("envFrom", ()):
            config_map = self.find("ConfigMap", source["configMapRef"]["name"])
            variables |= {} if config_map is None else config_map["data"]
        for variable in workload.container.get("env", ()):
            variables[variable["name"]] = variable.get("value")
        return variables


def name_of(manifest: Manifest) -> str:
    """`kind/name`, for messages."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"
