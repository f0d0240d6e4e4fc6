"""The camera's own photo in place of a failure, whichever of call and event brings the failure first."""

import asyncio
from typing import TYPE_CHECKING

from google.protobuf.field_mask_pb2 import FieldMask
from photochanger.ingest.v1 import job_pb2, slot_pb2, slot_service_pb2
from photochanger.providers.v1 import processing_events_pb2, processing_service_pb2
from photochanger_chassis.errors import ErrorKind
from photochanger_chassis.nats.events import ReceivedEvent
from photochanger_ingest.testing.camera import Camera, a_photo
from photochanger_ingest.testing.fakes import Refusal

if TYPE_CHECKING:
    from .conftest import Platform, Replica


def failed(job: job_pb2.Job) -> ReceivedEvent:
    event = processing_events_pb2.ProcessingFinished(job_id=job.id)
    event.finished_at.CopyFrom(job.created_at)
    event.failed.reason, event.failed.message = "NO_IMAGE", "It could not."
    return ReceivedEvent(
        id="1",
        subject="events.providers.processing.finished",
        type="photochanger.providers.v1.ProcessingFinished",
        aggregate_id=job.id,
        occurred_at=job.created_at.ToDatetime(),
        data=event.SerializeToString(),
        delivery=1,
    )


async def wants_originals(camera: Camera) -> None:
    slot = slot_pb2.Slot(id="slot-001", on_failure=slot_pb2.FAILURE_MODE_ORIGINAL)
    await camera.slots.UpdateSlot(
        slot_service_pb2.UpdateSlotRequest(
            slot=slot, update_mask=FieldMask(paths=["on_failure"]), updated_by="test"
        ),
        timeout=10,
    )


async def test_a_failure_that_comes_by_event_first_still_gives_the_original(
    platform: "Platform", replica: "Replica"
) -> None:
    told = asyncio.Event()

    async def fail(
        _: processing_service_pb2.ProcessRequest,
    ) -> processing_service_pb2.ProcessResponse:
        await told.wait()
        raise Refusal("NO_IMAGE", ErrorKind.FAILED_PRECONDITION)

    platform.outside.providers.script = fail
    await wants_originals(replica.camera)
    opened = await replica.camera.open(a_photo())
    running = asyncio.create_task(replica.camera.run(opened.job.id))
    await platform.outside.providers.began.wait()
    await replica.ingest.on_processing_finished(failed(opened.job))
    told.set()
    job = await running
    assert (job.state, job.failure.reason) == (job_pb2.JOB_STATE_FAILED, "no_image")
    assert job.result.origin == job_pb2.RESULT_ORIGIN_INPUT
