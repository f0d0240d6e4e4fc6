"""The camera's form, the marks that make photos differ, and the numbers over a run."""

from __future__ import annotations

import hashlib
import io
from email.parser import BytesParser
from email.policy import HTTP

import pytest
from photochanger_devstack.camera.client import Outcome, Shot, shots
from photochanger_devstack.camera.form import camera_form, content_type_of
from photochanger_devstack.camera.report import summarise
from photochanger_devstack.camera.unique import mark
from PIL import Image

_CAMERAS_ORDER = [
    *("time", "user_id", "id", "profile", "status", "hash", "name", "model", "version", "password"),
    "fileToUpload",
]


def a_photo(kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, kind)
    return buffer.getvalue()


def pixels(photo: bytes) -> bytes:
    with Image.open(io.BytesIO(photo)) as picture:
        return picture.convert("RGB").tobytes()


def an_outcome(
    seconds: float, failure: str | None = None, status: int | None = 200, repeats: int = 0
) -> Outcome:
    return Outcome(Shot(1, "slot-001", b""), seconds, status, failure=failure, repeats=repeats)


def test_the_form_has_the_cameras_fields_in_its_order_with_the_photo_last() -> None:
    photo = a_photo()
    form = camera_form(photo, password="secret word", number=3)
    message = BytesParser(policy=HTTP).parsebytes(
        f"Content-Type: {form.content_type}\r\n\r\n".encode() + form.body
    )
    parts = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
    assert list(parts) == _CAMERAS_ORDER
    assert parts["password"].get_payload() == "secret word"
    assert parts["id"].get_payload() == "CY04N068111304S2L_00000003."
    assert parts["hash"].get_payload() == hashlib.sha1(photo).hexdigest()
    assert parts["fileToUpload"].get_filename() == "IMG_0001.JPG"
    assert parts["fileToUpload"].get_content_type() == "image/jpeg"
    assert form.body.endswith(photo + f"\r\n--{form.content_type.partition('boundary=')[2]}--\r\n".encode())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_marked_photos_differ_in_bytes_and_not_in_the_picture(kind: str) -> None:
    photo = a_photo(kind)
    one, two = mark(photo, "first"), mark(photo, "the second")
    assert len({photo, one, two}) == 3
    assert pixels(one) == pixels(two) == pixels(photo)
    assert content_type_of(one) == f"image/{kind.lower()}"


def test_several_shots_go_round_the_slots_and_differ_unless_they_shall_be_the_same() -> None:
    photo = a_photo()
    different = shots(photo, ("slot-001", "slot-002"), 3, same=False)
    assert [shot.slot for shot in different] == ["slot-001", "slot-002", "slot-001"]
    assert len({shot.photo for shot in different}) == 3
    assert {shot.photo for shot in shots(photo, ("slot-001",), 3, same=True)} == {photo}


def test_a_single_shot_is_the_file_itself() -> None:
    photo = a_photo()
    assert shots(photo, ("slot-001",), 1, same=False)[0].photo == photo


def test_the_report_counts_pictures_repeats_and_each_failure() -> None:
    report = summarise(
        [
            an_outcome(1.0),
            an_outcome(3.0, repeats=2),
            an_outcome(9.0, failure="504 provider_timeout", status=504),
            an_outcome(0.1, failure="connection: refused", status=None, repeats=3),
        ],
        wall_seconds=4.0,
    )
    assert (report.sent, report.pictures, report.repeats) == (4, 2, 5)
    assert (report.fastest, report.p50, report.p95, report.slowest) == (1.0, 1.0, 3.0, 3.0)
    assert report.statuses == {"200": 2, "504": 1, "none": 1}
    assert report.failures == {"504 provider_timeout": 1, "connection: refused": 1}


def test_percentiles_are_measured_values_by_nearest_rank() -> None:
    report = summarise([an_outcome(float(number)) for number in range(100, 0, -1)], wall_seconds=1.0)
    assert (report.fastest, report.p50, report.p95, report.slowest) == (1.0, 50.0, 95.0, 100.0)


def test_a_report_without_a_picture_has_no_latencies() -> None:
    report = summarise([an_outcome(1.0, failure="no answer in time", status=None)], wall_seconds=1.0)
    assert (report.pictures, report.p50) == (0, None)
