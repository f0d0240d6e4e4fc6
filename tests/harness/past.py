"""A platform that has been worked with: something to see on every page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photochanger.ingest.v1 import slot_pb2
from photochanger.providers.v1.processing_service_pb2 import TemplateMedia
from photochanger_ingest.testing.receiver import open_receiver
from photochanger_mockproviders import GeminiKnob, Match

from harness.camera import PHOTOS, a_photo
from harness.program import a_program
from harness.slots import a_plan, gemini
from harness.waiting import until

if TYPE_CHECKING:
    from harness.platform import Platform

_PROMPT = (
    "Bathe the portrait of {{first_name|our guest}} in the light of the golden hour: a low sun from the left, "
    "the colours of picture 2. Keep the face as it is."
)
_GUESTS = ("Mia", "Artyom", "Léa")


@dataclass(frozen=True, slots=True)
class Past:
    """What happened."""

    done: str
    """The id of a job with a picture."""
    failed: str
    """The id of one the provider refused."""
    told: str
    """The id of one whose program was told of its end."""
    given_up: str
    """The id of a delivery whose receiver was gone."""


async def work_a_little(platform: Platform) -> Past:
    """Sets slots up and sends photos to them; returns when their pictures have previews."""
    send, use = platform.camera.send, platform.admin.use
    await use("slot-009", a_plan("local", "golden_hour"))
    await use("slot-012", a_plan("local", "watercolor"))
    await use("slot-011", gemini("Weapons, and a famous person."))
    platform.gemini.script(GeminiKnob.PROHIBITED, matching=Match(prompt="Weapons"))
    *answers, refused = await asyncio.gather(
        *(send("slot-009", fields={"first_name": name}) for name in _GUESTS),
        send("slot-012", a_photo("portrait-1024.webp")),
        send("slot-011", fields={"first_name": "Ada"}),
    )
    # Later somebody found that a model could do it with more feeling.
    template = await platform.admin.add_template("slot-009", (PHOTOS / "portrait-1024.webp").read_bytes())
    reference = slot_pb2.Slot(templates=[TemplateMedia(media_object_id=template, role="reference")])
    await use("slot-009", gemini(_PROMPT), reference)
    failed = next(job.id for job in await platform.observer.jobs() if job.shot == refused.shot)

    async def previewed() -> bool:
        previews = [
            await platform.camera.get(f"/public/results/{answer.job_id}/preview") for answer in answers
        ]
        return all(response.status == 200 for response, _ in previews)

    told, given_up = await _webhooks(platform)
    await until(previewed, "the previews")
    return Past(done=answers[-1].job_id, failed=failed, told=told, given_up=given_up)


async def _webhooks(platform: Platform) -> tuple[str, str]:
    """Has a program told of two jobs; returns a job it knows the end of, and a delivery that was given up."""
    async with open_receiver() as receiver, a_program(platform, "Wedding website") as program:
        await program.post("/api/v1/webhooks/secret")
        jobs = []
        for status in (410, 204):
            receiver.statuses = [status]
            order = {"provider": "local", "operation": "pencil", "webhook_url": f"{receiver.url}/{status}"}
            jobs.append((await program.submit(order)).json["job_id"])
            await receiver.next()

        async def over() -> bool:
            return not (await program.get("/api/v1/webhooks/deliveries?state=pending")).json["deliveries"]

        await until(over, "the answers of the receiver being stored")
        failed = (await program.get("/api/v1/webhooks/deliveries?state=failed")).json["deliveries"]
        return jobs[1], failed[0]["id"]
