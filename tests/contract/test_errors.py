"""Every reason a service can give has its meaning in HTTP."""

import inspect
from types import ModuleType

import photochanger_ingest.domain.errors as of_ingest
import photochanger_media.domain.errors as of_media
import photochanger_providers.domain.errors as of_providers
import pytest
from photochanger_chassis.errors import ServiceError
from photochanger_gateway.domain.refusals import BY_FAILURE, BY_REASON
from photochanger_ingest.domain.job import FailureReason


@pytest.mark.parametrize("errors", [of_ingest, of_media, of_providers], ids=lambda module: module.__name__)
def test_every_reason_of_a_service_has_a_status(errors: ModuleType) -> None:
    classes = [
        item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, ServiceError)
    ]
    # A class for others to derive from has its kind's reason, or none.
    reasons = {item.reason for item in classes if "reason" in vars(item) and item.reason}
    assert len(reasons) > 5
    assert {
        reason for reason in reasons if reason not in BY_REASON and reason.lower() not in BY_FAILURE
    } == set()


def test_every_failure_of_a_job_has_a_status() -> None:
    assert {reason for reason in FailureReason if reason.value not in BY_FAILURE} == set()
