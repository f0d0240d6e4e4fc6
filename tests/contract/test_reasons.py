"""Every reason a service can give, and every failure a job can end with, has its HTTP meaning."""

from __future__ import annotations

import importlib

import pytest
from photochanger_chassis.errors import ServiceError
from photochanger_gateway.domain.refusals import BY_FAILURE, BY_REASON
from photochanger_ingest.domain.job import FailureReason
from photochanger_providers.domain.errors import ProviderError

MODULES = (
    "photochanger_ingest.domain.errors",
    "photochanger_media.domain.errors",
    "photochanger_providers.domain.errors",
    "photochanger_gateway.domain.refusals",
    "photochanger_chassis.errors",
    "photochanger_chassis.grpc.interceptors",
    "photochanger_chassis.secret_box",
)
"""Where reasons are given; importing them makes their classes known."""


def errors() -> list[type[ServiceError]]:
    """All classes of errors with a reason of their own, by module."""
    for module in MODULES:
        importlib.import_module(module)
    found: set[type[ServiceError]] = set()
    waiting = [ServiceError]
    while waiting:
        for child in waiting.pop().__subclasses__():
            found.add(child)
            waiting.append(child)
    named = (error for error in found if isinstance(getattr(error, "reason", None), str))
    return sorted(
        (error for error in named if error.__module__ in MODULES),
        key=lambda error: (error.__qualname__, error.__module__),
    )


@pytest.mark.parametrize("error", errors(), ids=lambda error: f"{error.__module__}.{error.__qualname__}")
def test_a_reason_has_its_row(error: type[ServiceError]) -> None:
    if issubclass(error, ProviderError):
        assert error.reason.lower() in BY_FAILURE  # it reaches a camera as its job's failure
    else:
        assert error.reason in BY_REASON


def test_all_three_services_were_looked_at() -> None:
    assert {error.__module__ for error in errors()} == set(MODULES)


@pytest.mark.parametrize("failure", FailureReason)
def test_a_failure_of_a_job_has_its_row(failure: FailureReason) -> None:
    assert failure.value in BY_FAILURE
