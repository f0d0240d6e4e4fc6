"""How the end of a task is told to those who know jobs only."""

from datetime import UTC, datetime

import pytest
from photochanger_providers.adapters.tasks.kinds import outcome_of_task
from photochanger_providers.domain.errors import FAILURE_KINDS
from photochanger_tasks import Reason, State, Task

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def an_ended_task(reason: str, message: str = "Words.") -> Task:
    return Task(
        id="1" * 32,
        position=1,
        kind="photo.process.gemini",
        queue="gemini",
        priority=5,
        tenant="client",
        payload=b"",
        payload_type="photochanger.providers.v1.ProcessPhoto",
        unique_key="2" * 32,
        deadline_at=None,
        run_at=None,
        state=State.FAILED,
        attempt=1,
        failures=1,
        max_attempts=5,
        virtual_start=0,
        parent_id=None,
        step=0,
        cancel_requested=False,
        progress=0,
        stage="",
        status="",
        result=None,
        reason=reason,
        message=message,
        owner=None,
        lease_until=None,
        created_at=NOW,
        started_at=NOW,
        finished_at=NOW,
        decided_by="",
        trace={},
    )


@pytest.mark.parametrize("reason", sorted(FAILURE_KINDS))
def test_a_providers_reason_is_told_as_a_call_would_tell_it(reason: str) -> None:
    outcome = outcome_of_task(an_ended_task(reason.lower()))
    assert outcome.reason == reason


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (Reason.DEADLINE, "TIMEOUT"),
        (Reason.WORKER_LOST, "NETWORK"),
        (Reason.CANCELLED, "CANCELLED"),
        (Reason.BUG, "BAD_RESPONSE"),
        ("events_unavailable", "STORAGE_UNAVAILABLE"),
    ],
)
def test_the_engines_reasons_are_told_in_the_words_of_a_call(reason: str, told: str) -> None:
    outcome = outcome_of_task(an_ended_task(reason))
    assert outcome.reason == told
    assert outcome.message
