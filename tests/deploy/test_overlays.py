"""Every overlay is rendered, fits the schemas of Kubernetes and KEDA, and says one thing in all its parts."""

from pathlib import Path

import pytest
from deployment import documents
from deployment.cluster import Cluster
from deployment.overlays import OVERLAYS, form, meaning
from deployment.render import render

overlay = pytest.mark.parametrize("folder", OVERLAYS, ids=lambda path: path.name)


@overlay
def test_every_object_fits_the_schema_of_its_kind(folder: Path) -> None:
    assert list(form(render(folder))) == []


@overlay
def test_its_objects_agree_with_each_other_and_with_the_services(folder: Path) -> None:
    assert list(meaning(Cluster(render(folder)))) == []


@overlay
def test_every_secret_on_the_page_is_asked_for(folder: Path) -> None:
    workloads = Cluster(render(folder)).workloads
    asked = {(name, key) for workload in workloads for name, key, _ in workload.secret_keys()}
    volumes = {
        volume["secret"]["secretName"]
        for workload in workloads
        for volume in workload.pod["volumes"]
        if "secret" in volume
    }
    documented = documents.secret_keys()
    assert {key for key in documented if key[0] not in volumes} == asked
    assert volumes == {name for name, _ in documented} - {name for name, _ in asked}


def test_there_is_an_overlay() -> None:
    assert [folder.name for folder in OVERLAYS] == ["production"]
