"""Manifests beside the settings classes of the services they start."""

import os
import runpy
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final
from unittest.mock import patch

from photochanger_chassis.settings import SettingsError, describe, load
from photochanger_providers.drivers.registry import registered_drivers
from pydantic_settings import BaseSettings

from deployment.cluster import IMAGES, Cluster, Workload
from deployment.rules import Problems

ROOT: Final = Path(__file__).resolve().parents[2]
LONGEST_JOB: Final = timedelta(seconds=60)
_ROOM: Final = timedelta(seconds=5)
_STORING: Final = timedelta(seconds=10)
_SECRETS: Final = {
    "DATABASE_URL": "postgresql://user:password@postgres:5432/name",
    "JWT_SIGNING_KEY": "-" * 32,
    "NATS_URL": "nats://nats:4222",
    "S3_ENDPOINT_URL": "https://s3.example.com",
    "SECRETS_ENCRYPTION_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
}
"""Values a service would take, for what comes out of Secrets."""

Commands = Mapping[str, Mapping[str, type[BaseSettings]]]


@cache
def commands() -> Commands:
    """Each service's commands and the settings they read, as docs/settings.md is made of them."""
    found: dict[str, Mapping[str, type[BaseSettings]]] = dict(
        runpy.run_path(str(ROOT / "tools" / "docs" / "settings_page.py"))["SERVICES"]
    )
    # A worker reads what the service does, unless it has a class of its own.
    found["providers"] = {"worker": found["providers"]["serve"], **found["providers"]}
    return found


def of_drivers() -> set[str]:
    """The variables that come with each provider."""
    prefixes = {entry.info.id.upper().replace("-", "_") for entry in registered_drivers()}
    return {f"{prefix}_{what}" for prefix in prefixes for what in ("API_KEY", "BASE_URL")}


def settings_of(workload: Workload, known: Commands) -> type[BaseSettings] | None:
    """The settings class of what a workload runs."""
    return known[IMAGES[workload.image]].get(workload.command)


def settings(cluster: Cluster, known: Commands) -> Problems:
    """A process gets what it needs, can read it, and gets nothing that no process of its service knows."""
    for workload in cluster.workloads:
        wanted = settings_of(workload, known)
        if wanted is None:
            yield f"{workload.name}: {workload.image} has no command {workload.command!r}"
            continue
        given = cluster.environment(workload)
        # One ConfigMap is for all commands of a service.
        names = {row.variable for each in known[IMAGES[workload.image]].values() for row in describe(each)}
        if workload.image == "providers":
            names |= of_drivers()
        yield from (f"{workload.name}: nobody reads {name}" for name in sorted(given.keys() - names))
        try:
            _read(wanted, given)
        except SettingsError as error:
            yield f"{workload.name}: {error}"


def termination(cluster: Cluster, known: Commands) -> Problems:
    """A pod that has to go gets the time its process takes, which is longer than the longest job."""
    for workload in cluster.deployments:
        wanted = settings_of(workload, known)
        if wanted is None:
            continue
        try:
            values = _read(wanted, cluster.environment(workload)).model_dump()
        except SettingsError:
            continue  # said by the other rule
        drain = values.get("drain_grace", values.get("drain_grace_seconds", 0))
        drains = drain if isinstance(drain, timedelta) else timedelta(seconds=drain)
        hook = workload.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        needed = timedelta(seconds=hook) + values.get("drain_delay", timedelta()) + drains
        grace = timedelta(seconds=workload.pod.get("terminationGracePeriodSeconds", 30))
        if drains < LONGEST_JOB + _STORING:
            yield f"{workload.name}: drains for {drains}, a job may take {LONGEST_JOB} and has to be stored"
        if grace < needed + _ROOM:
            yield f"{workload.name}: is killed after {grace}, and stops in {needed}"
        if workload.command == "serve" and hook < 1:
            yield f"{workload.name}: stops before its callers know"


def _read(wanted: type[BaseSettings], given: Mapping[str, str | None]) -> BaseSettings:
    values = {name: _SECRETS.get(name, "secret") if value is None else value for name, value in given.items()}
    # The one way in that the services have, too.
    with patch.dict(os.environ, values, clear=True):
        return load(wanted)
