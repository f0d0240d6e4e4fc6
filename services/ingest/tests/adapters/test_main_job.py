"""A camera's photo from its request's head to its picture."""

from datetime import timedelta
from typing import TYPE_CHECKING

from photochanger.ingest.v1 import job_pb2, job_service_pb2
from photochanger_ingest.testing.camera import Camera, a_photo

if TYPE_CHECKING:
    from .conftest import Platform


async def test_a_photo_becomes_a_picture(platform: "Platform", camera: Camera) -> None:
    opened = await camera.open(a_photo(), fields={"name": "DESKTOP"})
    assert opened.admission == job_service_pb2.ADMISSION_OPENED
    assert opened.job.state == job_pb2.JOB_STATE_PENDING
    assert opened.job.hash_check == job_pb2.HASH_CHECK_MATCH
    assert opened.job.deadline.ToDatetime() - opened.job.received_at.ToDatetime() == timedelta(seconds=48)

    job = await camera.run(opened.job.id)

    assert job.state == job_pb2.JOB_STATE_DONE
    assert job.result.origin == job_pb2.RESULT_ORIGIN_PROVIDER
    assert job.result.media_object.job_id == job.id
    assert job.provider_calls == 1
    assert [stage.stage for stage in job.stages] == ["provider"]
    assert job == await camera.get(job.id)
    [request] = platform.outside.providers.requests
    assert request.operation_id == "background_gradient"
    assert request.form_fields == {"name": "DESKTOP"}
    assert request.deadline.ToDatetime() == job.deadline.ToDatetime() - timedelta(seconds=1)
    assert not request.HasField("late_until")
