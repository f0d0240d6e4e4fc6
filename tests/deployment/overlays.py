"""The overlays there are, and all that can be wrong with one."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import kubernetes_validate

from deployment import documents, keda, rules, settings
from deployment.cluster import Cluster, name_of
from deployment.render import Manifest

FOLDER: Final = Path(__file__).resolve().parents[2] / "deploy" / "k8s" / "overlays"
OVERLAYS: Final = sorted(path.parent for path in FOLDER.glob("*/kustomization.yaml"))
KUBERNETES: Final = ("1.30", "1.37")
"""The oldest version we support, and the newest whose schemas are known here."""
_OURS: Final = "keda.sh/v1alpha1"


def form(manifests: Iterable[Manifest]) -> Iterator[str]:
    """What the schemas refuse. A kind without a schema is refused."""
    for manifest in manifests:
        if manifest["apiVersion"] == _OURS and manifest["kind"] == "ScaledObject":
            yield from keda.form(manifest)
            continue
        for version in KUBERNETES:
            try:
                kubernetes_validate.validate(manifest, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{name_of(manifest)}: Kubernetes {version}: {error.message}"
            except kubernetes_validate.SchemaNotFoundError as error:
                yield f"{name_of(manifest)}: {error.message}"


def meaning(cluster: Cluster) -> Iterator[str]:
    """What rules refuse."""
    known = settings.commands()
    for rule in rules.RULES:
        yield from rule(cluster)
    yield from rules.references(cluster, documents.secret_keys())
    yield from settings.settings(cluster, known)
    yield from settings.termination(cluster, known)
    yield from keda.scaling(cluster)
