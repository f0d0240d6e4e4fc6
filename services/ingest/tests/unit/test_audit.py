import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_chassis.errors import InvalidArgument
from photochanger_ingest.domain.audit import AuditEntry, AuditId, AuditOutcome, visible
from photochanger_ingest.testing.builders import NOW

DONE, REFUSED = AuditOutcome.DONE, AuditOutcome.REFUSED


def an_entry(**others: Any) -> AuditEntry:
    made = AuditEntry(AuditId("1" * 32), NOW, "serg", "192.0.2.1", "slot.update", "slot-001")
    return replace(made, **others)


def fields_of(refused: pytest.ExceptionInfo[InvalidArgument]) -> set[str]:
    return {violation.field for violation in refused.value.field_violations}


@pytest.mark.parametrize(
    ("others", "field"),
    [
        ({"id": "x"}, "entry.id"),
        ({"id": "A" * 32}, "entry.id"),
        ({"occurred_at": NOW - timedelta(hours=2)}, "entry.occurred_at"),
        ({"occurred_at": NOW + timedelta(hours=2)}, "entry.occurred_at"),
        ({"actor": "x" * 65}, "entry.actor"),
        ({"address": "x" * 65}, "entry.address"),
        ({"target": "x" * 129}, "entry.target"),
        ({"action": ""}, "entry.action"),
        ({"action": "slot"}, "entry.action"),
        ({"action": "Slot.update"}, "entry.action"),
        ({"action": "slot.update\n"}, "entry.action"),
        ({"action": "slot." + "x" * 60}, "entry.action"),
        ({"facts": {f"fact{number}": "" for number in range(17)}}, "entry.facts"),
        ({"facts": {"": "x"}}, "entry.facts"),
        ({"facts": {"x" * 65: "x"}}, "entry.facts"),
        ({"facts": {"x": "x" * 501}}, "entry.facts"),
    ],
)
def test_an_entry_out_of_bounds_is_refused(others: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        an_entry(**others).opened(NOW)
    assert fields_of(refused) == {field}


def test_an_entry_opens_without_an_outcome() -> None:
    assert an_entry(outcome=DONE, refusal="x").opened(NOW) == an_entry()


@given(st.text(max_size=20))
def test_no_stored_text_holds_a_character_that_cannot_be_seen(text: str) -> None:
    entry = an_entry(actor=text, target=text, address=text, facts={"typed": text}).opened(NOW)
    for stored in (entry.actor, entry.target, entry.address, entry.facts["typed"]):
        assert stored.isprintable() or stored == visible(stored)
        assert not set(stored) & set("\0\n\r\t\x1b\x7f\x85\u200b\u202e\u2028")
        assert len(stored) <= 10 * len(text)
        json.dumps(stored).encode()


def test_what_can_be_seen_stays_as_it_was_typed() -> None:
    assert visible("Сергей O'Hara \\x1b ☺") == "Сергей O'Hara \\x1b ☺"
    assert visible("a\x1b[2K\r\nb\u202e") == "a\\x1b[2K\\r\\nb\\u202e"


def test_the_first_outcome_counts() -> None:
    closed = an_entry().closed(REFUSED, refusal="version_conflict", facts={"version": "3"})
    assert (closed.outcome, closed.refusal, closed.facts) == (REFUSED, "version_conflict", {"version": "3"})
    assert closed.closed(DONE, refusal="", facts={}) == closed


def test_facts_known_before_stay_as_they_are() -> None:
    closed = an_entry(facts={"version": "3"}).closed(DONE, refusal="", facts={"version": "9", "after": "4\n"})
    assert closed.facts == {"version": "3", "after": "4\\n"}


@pytest.mark.parametrize(
    ("outcome", "refusal", "facts", "field"),
    [
        (DONE, "version_conflict", {}, "refusal"),
        (REFUSED, "", {}, "refusal"),
        (REFUSED, "Version conflict", {}, "refusal"),
        (REFUSED, "x" * 65, {}, "refusal"),
        (DONE, "", {f"fact{number}": "" for number in range(16)}, "facts"),
        (DONE, "", {"x": "x" * 501}, "facts"),
    ],
)
def test_an_outcome_out_of_bounds_is_refused(
    outcome: AuditOutcome, refusal: str, facts: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        an_entry(facts={"version": "3"}).closed(outcome, refusal=refusal, facts=facts)
    assert fields_of(refused) == {field}
