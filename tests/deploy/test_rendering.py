"""Our renderer does what kustomize does."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from deployment.cluster import name_of
from deployment.overlays import OVERLAYS
from deployment.render import NotSupported, render


def kustomize() -> list[str] | None:
    """The command that renders, where this machine has one that is new enough (Debian's kubectl is not)."""
    if found := shutil.which("kustomize"):
        return [found, "build"]
    found = shutil.which("kubectl")
    if found is None:
        return None
    ran = subprocess.run([found, "kustomize", "--help"], capture_output=True, text=True, check=False)
    return [found, "kustomize"] if ran.returncode == 0 and "--load-restrictor" in ran.stdout else None


@pytest.mark.parametrize("folder", OVERLAYS, ids=lambda path: path.name)
def test_an_overlay_is_rendered_as_kustomize_renders_it(folder: Path) -> None:
    command = kustomize()
    if command is None:
        pytest.skip(
            "neither kustomize nor a kubectl with it is on the PATH: what we render is compared with nothing"
        )
    rendered = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=True).stdout
    theirs = {name_of(manifest): manifest for manifest in yaml.safe_load_all(rendered)}
    assert {name_of(manifest): manifest for manifest in render(folder)} == theirs


@pytest.mark.parametrize(
    "kustomization",
    [
        "replicas: [{name: gateway, count: 2}]",
        "configMapGenerator: [{name: gateway, files: [a.txt]}]",
        "resources: [a.yaml]\npatches: [{target: {kind: Service}, patch: '[{op: remove, path: /spec}]'}]",
        "resources: [a.yaml]\npatches: [{target: {kind: Service}, patch: 'spec: {clusterIP: None}'}]",
        "resources: [a.yaml]\nlabels: [{pairs: {a: b}, includeSelectors: true}]",
    ],
)
def test_what_the_renderer_does_not_know_it_refuses(tmp_path: Path, kustomization: str) -> None:
    (tmp_path / "kustomization.yaml").write_text(kustomization)
    (tmp_path / "a.yaml").write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {a: b}}\n"
    )
    with pytest.raises(NotSupported):
        render(tmp_path)


def test_a_changed_setting_changes_the_name_of_its_config_map_and_what_refers_to_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"
        "spec: {template: {spec: {containers: [{image: i, envFrom: [{configMapRef: {name: c}}]}]}}}\n"
    )
    names = []
    for value in ("1", "2"):
        (tmp_path / "kustomization.yaml").write_text(
            f"resources: [a.yaml]\nconfigMapGenerator: [{{name: c, literals: [A={value}]}}]"
        )
        deployment, config_map = render(tmp_path)
        (source,) = deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"]
        assert source["configMapRef"]["name"] == config_map["metadata"]["name"]
        names.append(config_map["metadata"]["name"])
    assert names[0] != names[1]
