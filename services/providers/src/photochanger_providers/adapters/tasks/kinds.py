"""The kinds of this service's tasks: one a provider, each with a queue of its own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from photochanger.providers.v1.processing_service_pb2 import ProcessResponse
from photochanger.providers.v1.processing_tasks_pb2 import ProcessPhoto
from photochanger_chassis.ids import Ids
from photochanger_chassis.postgres import outbox
from photochanger_chassis.postgres.outbox import OutboxEvent
from photochanger_chassis.postgres.pool import Connection
from photochanger_tasks import Kinds, Queue, Reason, State, Task, TaskKind
from photochanger_tasks.kinds import Handler

from photochanger_providers.adapters.outcome_codec import failed_event, succeeded_event
from photochanger_providers.adapters.postgres.photo_tasks import note_end
from photochanger_providers.adapters.tasks.names import kind_of
from photochanger_providers.application.ports import Measures
from photochanger_providers.application.run_photo import Provider
from photochanger_providers.domain.errors import (
    FAILURE_KINDS,
    BadProviderResponse,
    NetworkFailed,
    ProcessingCancelled,
    ProviderTimedOut,
    StorageUnavailable,
)
from photochanger_providers.domain.order import Failed, JobId

_HISTORY: Final = timedelta(days=7)  # by then the input photo is gone as well
_ENGINE_REASONS: Final = {
    Reason.DEADLINE: Failed(ProviderTimedOut.reason, "The job's deadline has passed."),
    Reason.TIMEOUT: Failed(ProviderTimedOut.reason, "Every attempt took too long."),
    Reason.WORKER_LOST: Failed(NetworkFailed.reason, "The workers that processed the photo were lost."),
    Reason.CANCELLED: Failed(ProcessingCancelled.reason, "The processing was cancelled."),
    Reason.BUG: Failed(
        BadProviderResponse.reason, "Processing failed for a reason of our own; see the logs."
    ),
}


def photo_kinds(
    providers: Sequence[Provider],
    *,
    context: str,
    ids: Ids,
    measures: Measures,
    share: float,
    timeout: timedelta,
    handler: Handler[ProcessPhoto] | None = None,
) -> Kinds:
    """Makes the kinds.

    Args:
        providers: each gets a kind, and a queue of its own name.
        context: the service's name in subjects of events.
        ids: of events.
        measures: counts ends.
        share: of a provider's places, how many tasks may take at once; the others stay free for cameras.
        timeout: how long one attempt may take.
        handler: runs a photo; None in a process that only submits.
    """
    hook = partial(_ended, ids=ids, measures=measures)
    return Kinds.of(
        context,
        *(
            TaskKind(
                name=kind_of(provider.info.id),
                queue=provider.info.id,
                payload=ProcessPhoto,
                timeout=timeout,
                retention=_HISTORY,
                dead_retention=_HISTORY,
                on_done=hook,
                on_end=hook,
                handler=handler,
            )
            for provider in providers
        ),
        queues=[Queue(provider.info.id, fleet_limit(provider.limit, share)) for provider in providers],
    )


def fleet_limit(places: int, share: float) -> int:
    """Returns how many of a provider's tasks run at once: its share of the places, at least one."""
    return max(1, int(places * share))


def outcome_of_task(task: Task) -> Failed:
    """Tells how a task that is not done ended, in the words of `ProcessingService.Process`."""
    known = _ENGINE_REASONS.get(task.reason)
    if known is not None:
        return known
    reason = task.reason.upper()
    if reason in FAILURE_KINDS:
        return Failed(reason, task.message)
    # Our own database or NATS, away in the middle of the work.
    return Failed(StorageUnavailable.reason, task.message)


async def _ended(conn: Connection, task: Task, *, ids: Ids, measures: Measures) -> None:
    """Stores the effect of a task's end with its event, in the transaction that ends it."""
    job_id = JobId(ProcessPhoto.FromString(task.payload).job_id)
    now: datetime = task.finished_at or task.created_at
    provider_id, effort = await note_end(conn, job_id, task)
    if task.state is State.DONE:
        event = succeeded_event(job_id, ProcessResponse.FromString(task.result or b""), now=now)
        outcome = "done"
    else:
        failed = replace(outcome_of_task(task), effort=effort)
        event, outcome = failed_event(job_id, failed, now=now), failed.reason
    await outbox.add(
        conn,
        OutboxEvent(
            id=ids.new_id(),
            subject="events.providers.processing.finished",
            aggregate_id=job_id,
            data=event.SerializeToString(),
            data_type=event.DESCRIPTOR.full_name,
            occurred_at=now,
        ),
    )
    measures.finished(provider_id or task.queue, outcome)
