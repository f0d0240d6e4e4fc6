"""What admins did is written down for good."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
from photochanger.ingest.v1 import audit_service_pb2 as pb
from photochanger_chassis.testing import ManualClock
from photochanger_ingest.domain.audit import RETENTION
from photochanger_ingest.testing.camera import Camera, refused

if TYPE_CHECKING:
    from .conftest import Platform, Replica

DONE, REFUSED, UNKNOWN = (
    pb.AUDIT_OUTCOME_DONE,
    pb.AUDIT_OUTCOME_REFUSED,
    pb.AUDIT_OUTCOME_UNSPECIFIED,
)


class Admin:
    """Somebody whose doings are recorded."""

    def __init__(self, camera: Camera, clock: ManualClock) -> None:
        self._audit, self._clock = camera.audit, clock

    async def begin(self, entry_id: str = "", *, ago: timedelta = timedelta(), **others: Any) -> str:
        entry = pb.AuditEntry(
            **{"actor": "serg", "address": "192.0.2.1", "action": "slot.update", "target": "slot-001"}
            | others
        )
        entry.id = entry_id or uuid4().hex
        entry.occurred_at.FromDatetime(self._clock.now() - ago)
        await self._audit.OpenAuditEntry(pb.OpenAuditEntryRequest(entry=entry), timeout=5)
        return entry.id

    async def end(
        self,
        entry_id: str,
        outcome: pb.AuditOutcome.ValueType = DONE,
        refusal: str = "",
        facts: Mapping[str, str] | None = None,
    ) -> None:
        request = pb.CloseAuditEntryRequest(id=entry_id, outcome=outcome, refusal=refusal, facts=facts)
        await self._audit.CloseAuditEntry(request, timeout=5)

    async def page(self, **request: Any) -> pb.ListAuditEntriesResponse:
        return await self._audit.ListAuditEntries(pb.ListAuditEntriesRequest(**request), timeout=5)

    async def listed(self, **request: Any) -> list[str]:
        """The ids of all that fits, in pages of two."""
        ids, token = [], ""
        while True:
            page = await self.page(page_size=2, page_token=token, **request)
            ids += [entry.id for entry in page.entries]
            if not (token := page.next_page_token):
                return ids


@pytest.fixture
def admin(camera: Camera, clock: ManualClock) -> Admin:
    return Admin(camera, clock)


async def test_an_entry_is_opened_before_and_closed_after(admin: Admin, clock: ManualClock) -> None:
    entry_id = await admin.begin(facts={"fields": "settings.prompt"}, outcome=DONE, refusal="ignored")
    [entry] = (await admin.page()).entries
    assert (entry.outcome, entry.refusal) == (UNKNOWN, "")
    assert entry.occurred_at.ToDatetime(UTC) == clock.now()
    await admin.end(entry_id, facts={"version": "8"})
    [entry] = (await admin.page()).entries
    assert (entry.actor, entry.address, entry.action, entry.target) == (
        "serg",
        "192.0.2.1",
        "slot.update",
        "slot-001",
    )
    assert entry.facts == {"fields": "settings.prompt", "version": "8"}
    assert (entry.outcome, entry.refusal) == (DONE, "")


async def test_opening_again_changes_nothing_and_the_first_outcome_counts(admin: Admin) -> None:
    entry_id = await admin.begin()
    await admin.begin(entry_id, actor="somebody else")
    await admin.end(entry_id, REFUSED, "version_conflict")
    await admin.end(entry_id, DONE)
    await admin.begin(entry_id)
    [entry] = (await admin.page()).entries
    assert (entry.actor, entry.outcome, entry.refusal) == ("serg", REFUSED, "version_conflict")


async def test_two_outcomes_at_once_leave_one(admin: Admin) -> None:
    entry_id = await admin.begin()
    await asyncio.gather(
        *(admin.end(entry_id, REFUSED, "a", {"by": "a"}) for _ in range(4)),
        *(admin.end(entry_id, REFUSED, "b", {"by": "b"}) for _ in range(4)),
    )
    [entry] = (await admin.page()).entries
    assert entry.facts == {"by": entry.refusal}


async def test_what_is_wrong_is_refused(admin: Admin) -> None:
    with refused("AUDIT_ENTRY_NOT_FOUND"):
        await admin.end("1" * 32)
    with refused("INVALID_ARGUMENT"):
        await admin.end("no id")
    with refused("INVALID_ARGUMENT"):
        await admin.begin(action="no action")
    with refused("INVALID_ARGUMENT"):
        await admin.begin(ago=timedelta(days=1))
    with refused("INVALID_ARGUMENT"):
        await admin.end(await admin.begin(), UNKNOWN)
    for token in ("x", "1-2", f"{'9' * 18}-{'0' * 32}", f"1-{'0' * 32}\n"):
        with refused("INVALID_ARGUMENT"):
            await admin.page(page_token=token)
    for size in (-1, 201):
        with refused("INVALID_ARGUMENT"):
            await admin.page(page_size=size)
    with refused("INVALID_ARGUMENT"):
        await admin.page(action_prefix="\0")


async def test_a_name_with_control_characters_is_kept_and_found_as_it_is_shown(admin: Admin) -> None:
    await admin.begin(actor="serg\0\n\x1b[2J", action="auth.login", target="\u202egnp")
    [entry] = (await admin.page(actor="serg\0\n\x1b[2J")).entries
    assert (entry.actor, entry.target) == ("serg\\x00\\n\\x1b[2J", "\\u202egnp")
    assert len((await admin.page(actor="serg\\x00\\n\\x1b[2J", target="\u202egnp")).entries) == 1


async def test_entries_are_listed_newest_first_and_by_whom_what_and_on_what(admin: Admin) -> None:
    def minutes(number: int) -> timedelta:
        return timedelta(minutes=number)

    login = await admin.begin(ago=minutes(6), action="auth.login", target="")
    same_time = sorted([await admin.begin(ago=minutes(5)) for _ in range(3)])
    share = await admin.begin(ago=minutes(4), action="gallery.share", target="", actor="ann")
    restore = await admin.begin(ago=minutes(3), action="slot.restore", target="slot-002", actor="ann")
    template = await admin.begin(ago=minutes(2), action="slot-template.add", target="slot-001")
    newest_first = [template, restore, share, *same_time[::-1], login]
    assert await admin.listed() == newest_first
    assert await admin.listed(actor="ann") == [restore, share]
    assert await admin.listed(action_prefix="slot.") == [restore, *same_time[::-1]]
    assert await admin.listed(action_prefix="slot.re") == [restore]
    assert await admin.listed(action_prefix="slot") == [template, restore, *same_time[::-1]]
    assert await admin.listed(action_prefix="%") == []
    assert await admin.listed(target="slot-001") == [template, *same_time[::-1]]
    assert await admin.listed(target="slot-002", actor="serg") == []
    assert await admin.listed(actor="ann", action_prefix="slot.", target="slot-002") == [restore]


async def test_a_list_that_grows_repeats_and_skips_nothing(admin: Admin) -> None:
    first = [await admin.begin(ago=timedelta(minutes=number)) for number in range(4)]
    page = await admin.page(page_size=2)
    await admin.begin()
    rest = await admin.page(page_size=2, page_token=page.next_page_token)
    assert [entry.id for entry in (*page.entries, *rest.entries)] == first
    assert rest.next_page_token == ""


async def insert(platform: "Platform", occurred_at: datetime) -> None:
    await platform.sql(
        "INSERT INTO audit_entries (id, occurred_at, actor, address, action, target) "
        "VALUES (%s, %s, 'serg', '', 'auth.login', '')",
        uuid4().hex,
        occurred_at,
    )


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "UPDATE audit_entries SET actor = 'nobody'",
        "UPDATE audit_entries SET outcome = 'done', target = 'elsewhere'",
        "UPDATE audit_entries SET outcome = 'done', facts = '{}'",
        'UPDATE audit_entries SET facts = facts || \'{"more": "x"}\'',
    ],
)
async def test_the_table_itself_refuses_to_change_or_forget(
    platform: "Platform", admin: Admin, statement: str
) -> None:
    entry_id = await admin.begin(facts={"version": "1"})
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        await platform.sql(statement)
    await admin.end(entry_id)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        await platform.sql("UPDATE audit_entries SET outcome = 'refused', refusal = 'x'")
    assert await admin.listed() == [entry_id]


async def test_entries_are_kept_for_four_hundred_days(
    platform: "Platform", replica: "Replica", admin: Admin
) -> None:
    now = platform.clock.now()
    await insert(platform, now - RETENTION - timedelta(minutes=1))
    await insert(platform, now - RETENTION + timedelta(minutes=1))
    await replica.ingest.sweeper.prune()
    [kept] = (await admin.page()).entries
    assert kept.occurred_at.ToDatetime(UTC) == now - RETENTION + timedelta(minutes=1)
    platform.clock.advance(timedelta(days=2))
    await replica.ingest.sweeper.prune()
    assert len((await admin.page()).entries) == 1, "our clock alone does not make it old"


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("true", "audit_by_time"),
        ("actor = 'serg'", "audit_by_actor"),
        ("target = 'slot-001'", "audit_by_target"),
        ("split_part(action, '.', 1) = 'slot'", "audit_by_area"),
    ],
)
async def test_a_page_is_read_from_an_index_in_its_order(
    platform: "Platform", condition: str, index: str
) -> None:
    async with platform.pool.connection() as conn, conn.transaction():
        await conn.execute("SET LOCAL enable_sort = off")
        await conn.execute("SET LOCAL enable_bitmapscan = off")
        cursor = await conn.execute(
            f"EXPLAIN SELECT * FROM audit_entries WHERE {condition} AND (occurred_at, id) < (now(), 'f') "
            "ORDER BY occurred_at DESC, id DESC LIMIT 51".encode()
        )
        plan = str(await cursor.fetchall())
    assert f"Index Scan Backward using {index}" in plan
    assert "Sort" not in plan
