"""Renders our kustomizations, so that their tests need nothing but Python.

Knows only what deploy/k8s uses, and refuses the rest. What it does is held to kustomize itself wherever `kubectl` or
`kustomize` is on the PATH (test_rendering.py). https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
"""

import copy
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

Manifest: TypeAlias = dict[str, Any]
"""An object of Kubernetes, as its YAML is read."""

NOT_IN_A_NAMESPACE: Final = frozenset({"Namespace"})
_NAME: Final = "kustomization.yaml"
_KEYS: Final = frozenset(
    {
        *("apiVersion", "kind", "namespace", "nameSuffix", "resources"),
        *("labels", "images", "configMapGenerator", "patches"),
    }
)
_POD_KINDS: Final = frozenset({"Deployment", "Job"})
# kustomize does the same, so that a name holds no word by chance.
_HASH_LETTERS: Final = str.maketrans("013ae", "ghkmt")
_HASH_LENGTH: Final = 10


class NotSupported(Exception):
    """The kustomization uses something this renderer does not know."""


def render(folder: Path) -> list[Manifest]:
    """Returns the objects that `kubectl kustomize FOLDER` prints, in no special order.

    Raises:
        NotSupported: the folder uses more of kustomize than we know.
    """
    manifests, generated = _accumulate(folder)
    names = {name: f"{name}-{_hash(manifest)}" for name, manifest in generated.items()}
    for name, manifest in generated.items():
        manifest["metadata"]["name"] = names[name]
    for pod in filter(None, map(pod_of, manifests)):
        for container in pod["containers"]:
            for source in container.get("envFrom", ()):
                reference = source["configMapRef"]
                reference["name"] = names.get(reference["name"], reference["name"])
    return manifests


def pod_of(manifest: Manifest) -> Manifest | None:
    """Returns the specification of the pods an object makes."""
    if manifest["kind"] not in _POD_KINDS:
        return None
    pod: Manifest = manifest["spec"]["template"]["spec"]
    return pod


def _accumulate(folder: Path) -> tuple[list[Manifest], dict[str, Manifest]]:
    """The objects of a folder, and which of them are generated ConfigMaps, by the name they are given."""
    with (folder / _NAME).open(encoding="utf-8") as file:
        wanted = yaml.safe_load(file)
    if unknown := wanted.keys() - _KEYS:
        raise NotSupported(f"{folder / _NAME}: {', '.join(sorted(unknown))}")
    manifests: list[Manifest] = []
    generated: dict[str, Manifest] = {}
    for entry in wanted.get("resources", ()):
        path = folder / entry
        if path.is_dir():
            below, maps = _accumulate(path)
            manifests += below
            generated |= maps
        else:
            with path.open(encoding="utf-8") as file:
                manifests += yaml.safe_load_all(file)
    for entry in wanted.get("configMapGenerator", ()):
        _generate(entry, manifests, generated)
    for entry in wanted.get("patches", ()):
        _patch(entry, manifests)
    if "namespace" in wanted:
        _set_namespace(wanted["namespace"], manifests)
    for manifest in manifests:
        if manifest["kind"] != "Namespace":
            manifest["metadata"]["name"] += wanted.get("nameSuffix", "")
        for entry in wanted.get("labels", ()):
            _label(entry, manifest)
        for container in _containers(manifest):
            container["image"] = _image(container["image"], wanted.get("images", ()))
    return manifests, generated


def _generate(entry: Manifest, manifests: list[Manifest], generated: dict[str, Manifest]) -> None:
    if unknown := entry.keys() - {"name", "behavior", "literals"}:
        raise NotSupported(f"configMapGenerator: {', '.join(sorted(unknown))}")
    data = dict(literal.split("=", 1) for literal in entry["literals"])
    if entry.get("behavior") == "merge":
        generated[entry["name"]]["data"] |= data
        return
    made: Manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": entry["name"]},
        "data": data,
    }
    manifests.append(made)
    generated[entry["name"]] = made


def _patch(entry: Manifest, manifests: Iterable[Manifest]) -> None:
    operations = yaml.safe_load(entry["patch"])
    if not isinstance(operations, list):
        raise NotSupported("patches other than JSON 6902")
    target = entry["target"]
    if unknown := target.keys() - {"kind", "name"}:
        raise NotSupported(f"a patch's target by {', '.join(sorted(unknown))}")
    for manifest in manifests:
        name = manifest["metadata"]["name"]
        if manifest["kind"] == target["kind"] and re.fullmatch(target.get("name", ".*"), name):
            for operation in operations:
                _replace(manifest, copy.deepcopy(operation))


def _replace(manifest: Manifest, operation: Manifest) -> None:
    if operation["op"] != "replace":
        raise NotSupported(f"the patch {operation['op']!r}")
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    place: Any = manifest
    for part in way:
        place = place[int(part)] if isinstance(place, list) else place[part]
    key = int(last) if isinstance(place, list) else last
    place[key]  # to replace what is not there is an error
    place[key] = operation["value"]


def _set_namespace(namespace: str, manifests: Iterable[Manifest]) -> None:
    for manifest in manifests:
        if manifest["kind"] == "Namespace":
            manifest["metadata"]["name"] = namespace
        if manifest["kind"] not in NOT_IN_A_NAMESPACE:
            manifest["metadata"]["namespace"] = namespace


def _label(entry: Manifest, manifest: Manifest) -> None:
    pairs: dict[str, str] = entry["pairs"]
    manifest["metadata"].setdefault("labels", {}).update(pairs)
    in_selectors = entry.get("includeSelectors", False)
    pod = pod_of(manifest)
    if pod is not None and (in_selectors or entry.get("includeTemplates", False)):
        manifest["spec"]["template"]["metadata"].setdefault("labels", {}).update(pairs)
    if in_selectors:
        for selector in _selectors(manifest, pod):
            selector.update(pairs)


def _selectors(manifest: Manifest, pod: Manifest | None) -> Iterator[dict[str, str]]:
    if manifest["kind"] in {"Service", "PodDisruptionBudget"}:
        raise NotSupported(f"labels in the selector of a {manifest['kind']}")
    if manifest["kind"] == "Deployment":
        yield manifest["spec"]["selector"]["matchLabels"]
    for constraint in (pod or {}).get("topologySpreadConstraints", ()):
        yield constraint["labelSelector"]["matchLabels"]


def _containers(manifest: Manifest) -> list[Manifest]:
    pod = pod_of(manifest) or {}
    return [*pod.get("initContainers", ()), *pod.get("containers", ())]


def _image(image: str, changes: Iterable[Manifest]) -> str:
    for change in changes:
        if image == change["name"]:
            if unknown := change.keys() - {"name", "newName", "newTag"}:
                raise NotSupported(f"images: {', '.join(sorted(unknown))}")
            return f"{change.get('newName', image)}:{change['newTag']}"
    return image


def _hash(config_map: Manifest) -> str:
    # kustomize means to hash the name, too, and looks for it where none is.
    content = {"kind": "ConfigMap", "name": "", "data": config_map["data"]}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH].translate(_HASH_LETTERS)
