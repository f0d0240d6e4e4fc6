"""What guests see: results, previews, galleries."""

from __future__ import annotations

import hashlib
import io
import json

from harness.platform import Platform
from harness.slots import gemini
from harness.waiting import until
from photochanger_devstack.stack.plan import ADMIN
from PIL import Image

_SLOT = "slot-013"


async def test_a_result_has_ranges_a_head_an_etag_and_safe_headers(platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini())
    answer = await platform.camera.send(_SLOT)
    path = f"/public/results/{answer.job_id}"
    whole, body = await platform.camera.get(path)
    assert (whole.status, body) == (200, answer.body)
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Referrer-Policy"] == "no-referrer"
    assert whole.headers["Content-Disposition"].startswith("attachment")
    head, nothing = await platform.camera.get(path, method="HEAD")
    assert (head.status, nothing, head.headers["Content-Length"]) == (200, b"", str(len(body)))
    part, middle = await platform.camera.get(path, headers={"Range": "bytes=100-199"})
    assert (part.status, middle) == (206, body[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(body)}"
    outside, _ = await platform.camera.get(path, headers={"Range": f"bytes={len(body)}-"})
    assert outside.status == 416
    same, _ = await platform.camera.get(path, headers={"If-None-Match": whole.headers["ETag"]})
    assert same.status == 304
    unknown, _ = await platform.camera.get(f"/public/results/{'0' * 32}")
    assert unknown.status == 404


async def test_a_preview_appears_after_the_job_has_ended(platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini())
    answer = await platform.camera.send(_SLOT)
    path = f"/public/results/{answer.job_id}/preview"

    async def made() -> bool:
        response, _ = await platform.camera.get(path)
        return response.status == 200

    await until(made, "the preview")
    response, preview = await platform.camera.get(path)
    assert response.content_type == "image/webp"
    with Image.open(io.BytesIO(preview)) as picture:
        assert picture.format == "WEBP"
        assert max(picture.size) <= 512


async def test_the_gallery_shows_the_newest_pictures_as_json_and_as_a_page(platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini())
    answers = [await platform.camera.send(_SLOT) for _ in range(2)]
    newest = [item["job_id"] for item in await platform.gallery(_SLOT)][:2]
    assert newest == [answers[1].job_id, answers[0].job_id]
    response, page = await platform.camera.get(f"/public/slots/{_SLOT}", headers={"Accept": "text/html"})
    assert response.content_type == "text/html"
    assert all(answer.job_id.encode() in page for answer in answers)
    assert "script-src" in response.headers["Content-Security-Policy"] or b"<script" not in page


async def test_a_job_can_be_looked_up_by_its_id(platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini())
    answer = await platform.camera.send(_SLOT)
    _, body = await platform.camera.get(f"/api/jobs/{answer.job_id}")
    job = json.loads(body)
    assert (job["status"], job["slot_id"], job["provider"]) == ("done", _SLOT, "gemini")
    _, picture = await platform.camera.get(job["result_url"])
    assert hashlib.sha256(picture).digest() == hashlib.sha256(answer.body).digest()


async def test_an_admin_opens_all_galleries_to_guests(platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini())
    answer = await platform.camera.send(_SLOT)
    await platform.quarter_of_an_hour_passes()
    closed, _ = await platform.camera.get("/pub/gallery")
    assert closed.status == 403
    login = {"username": ADMIN, "password": platform.stack.plan.secrets.admin_password}
    _, body = await platform.camera.get("/api/login", method="POST", json_body=login)
    bearer = {"Authorization": f"Bearer {json.loads(body)['access_token']}"}
    shared, body = await platform.camera.get("/api/gallery/share", method="POST", headers=bearer)
    assert (shared.status, json.loads(body)["status"]) == (200, "enabled")
    opened, body = await platform.camera.get("/pub/gallery")
    assert opened.status == 200
    (slot,) = [slot for slot in json.loads(body)["slots"] if slot["slot_id"] == _SLOT]
    assert slot["results"][0]["job_id"] == answer.job_id
