"""Statistics, galleries and the record of what admins did."""

from datetime import timedelta

import pytest
from photochanger.ingest.v1 import statistics_service_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger_chassis.errors import ErrorKind
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.adapters.clients.translate import timestamp
from photochanger_gateway.testing.admin_api import AdminApi
from photochanger_gateway.testing.builders import a_job, a_refusal
from photochanger_gateway.testing.platform import Platform


def some_counts() -> statistics_service_pb2.JobCounts:
    counts = statistics_service_pb2.JobCounts(finished=10, done=7, failed=2, timeout=1, provider_errors=1)
    counts.p50.FromTimedelta(timedelta(seconds=3))
    counts.p95.FromTimedelta(timedelta(milliseconds=9500))
    return counts


async def test_the_overview_has_the_window_slot_by_slot_and_the_store(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    figures = platform.statistics.figures
    figures.total.CopyFrom(some_counts())
    figures.finished_ever = 12345
    figures.slots.add(
        slot_id="slot-002",
        counts=some_counts(),
        last_success_at=timestamp(clock.now()),
        last_failure_reason="quota",
    )
    platform.media.store(b"x" * 1024 * 1024 * 3, kind=media_object_pb2.MEDIA_KIND_TEMPLATE)
    body = (await api.get("/api/stats/overview?window_minutes=30")).json()
    system = body["system"]
    assert body["window_minutes"] == 30
    assert (system["jobs_total"], system["jobs_last_window"], system["timeouts_last_window"]) == (
        12345,
        10,
        1,
    )
    assert (system["success_rate"], system["timeout_rate"]) == (0.7, 0.1)
    assert (system["p50_ms"], system["p95_ms"], system["provider_errors_last_window"]) == (3000, 9500, 1)
    assert system["storage_usage_mb"] == pytest.approx(3, abs=0.1)
    assert {"kind": "template", "objects": 1, "megabytes": 3.0} in system["storage"]
    assert len(body["slots"]) == 15
    second = body["slots"][1]
    assert (second["success_last_window"], second["last_error_reason"]) == (7, "quota")
    empty = body["slots"][2]
    assert (empty["jobs_last_window"], empty["success_rate"], empty["p95_ms"]) == (0, None, None)
    (asked,) = platform.statistics.script.of("GetStatistics")
    assert asked.window.ToTimedelta() == timedelta(minutes=30)  # type: ignore[attr-defined]


async def test_slots_that_are_switched_on_come_with_recent_failures(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    for reason in ("timeout", "quota"):
        platform.statistics.figures.recent_failures.add(
            job_id="a" * 32, slot_id="slot-001", finished_at=timestamp(clock.now()), reason=reason
        )
    body = (await api.get("/api/stats/slots")).json()
    assert body["window_minutes"] == 60
    assert [slot["slot_id"] for slot in body["slots"]] == ["slot-001"]
    assert [(item["failure_reason"], item["http_status"]) for item in body["recent_failures"]] == [
        ("timeout", 504),
        ("quota", 503),
    ]


async def test_a_series_comes_step_by_step(api: AdminApi, platform: Platform, clock: ManualClock) -> None:
    platform.statistics.series.steps.add(starts_at=timestamp(clock.now()), counts=some_counts())
    body = (await api.get("/api/stats/series?window_minutes=5&slot_id=slot-004")).json()
    assert (body["window_minutes"], body["step_seconds"]) == (5, 60)
    (step,) = body["steps"]
    assert (step["jobs"], step["success"], step["failures"], step["timeouts"]) == (10, 7, 2, 1)
    (asked,) = platform.statistics.script.of("GetStatisticsSeries")
    assert asked.slot_id == "slot-004"  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["overview", "slots", "series"])
@pytest.mark.parametrize("minutes", ["4", "4321", "x", "1e3"])
async def test_a_window_out_of_bounds_is_refused(api: AdminApi, path: str, minutes: str) -> None:
    answer = await api.get(f"/api/stats/{path}?window_minutes={minutes}")
    assert (answer.status, answer.json()["failure_reason"]) == (400, "invalid_request")


async def test_admins_see_all_galleries_and_until_when_guests_do(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    picture = platform.media.store(expires_at=clock.now() + timedelta(hours=1))
    platform.ingest.galleries["slot-003"] = [a_job(result=picture) for _ in range(12)]
    body = (await api.get("/api/gallery")).json()
    assert body["share_until"] is None
    assert [slot["slot_id"] for slot in body["slots"]][:3] == ["slot-001", "slot-002", "slot-003"]
    assert [len(slot["results"]) for slot in body["slots"]][:3] == [0, 0, 10]
    await api.post("/api/gallery/share")
    assert (await api.get("/api/gallery")).json()["share_until"] is not None


async def test_a_slots_gallery_comes_in_pages(api: AdminApi, platform: Platform, clock: ManualClock) -> None:
    picture = platform.media.store(expires_at=clock.now() + timedelta(hours=1))
    platform.ingest.galleries["slot-003"] = [a_job(result=picture) for _ in range(5)]
    page = (await api.get("/api/gallery/slot-003?limit=3")).json()
    assert (len(page["results"]), page["display_name"]) == (3, "First booth")
    rest = (await api.get(f"/api/gallery/slot-003?limit=3&cursor={page['next_cursor']}")).json()
    assert (len(rest["results"]), rest["next_cursor"]) == (2, None)


async def test_admins_pictures_come_from_where_the_admin_is(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    picture = platform.media.store(expires_at=clock.now() + timedelta(hours=1))
    platform.ingest.galleries["slot-003"] = [a_job(result=picture)]
    page = (await api.get("/api/gallery/slot-003", Host="10.0.0.5:8000")).json()
    assert page["results"][0]["thumbnail_url"].startswith("http://10.0.0.5:8000/public/results/")


async def test_the_record_is_read_in_pages_and_by_what_is_asked(api: AdminApi, platform: Platform) -> None:
    await api.put("/api/slots/slot-003", {"display_name": "One"})
    await api.put("/api/slots/slot-004", {"display_name": "Two"}, If_Match='"9"')
    await api.put("/api/settings", {"dedupe": "off"})
    platform.audit.script.refusals["CloseAuditEntry"] = a_refusal("UNAVAILABLE", ErrorKind.UNAVAILABLE)
    await api.put("/api/settings", {"dedupe": "on"})
    entries = (await api.get("/api/audit?limit=4")).json()["entries"]
    assert [(item["action"], item["target"], item["outcome"], item["refusal"]) for item in entries] == [
        ("settings.update", "", "unknown", None),
        ("settings.update", "", "done", None),
        ("slot.update", "slot-004", "refused", "version_conflict"),
        ("slot.update", "slot-003", "done", None),
    ]
    assert entries[3]["facts"] == {"fields": "display_name", "version": "2"}
    assert entries[3]["address"] == "127.0.0.1"
    found = (await api.get("/api/audit?action=slot.&target=slot-003&actor=serg")).json()["entries"]
    assert [item["target"] for item in found] == ["slot-003"]
