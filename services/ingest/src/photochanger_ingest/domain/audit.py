"""What admins did: entries that are opened before a change and closed after it."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType

from photochanger_chassis.errors import FieldViolation, InvalidArgument

AuditId = NewType("AuditId", str)
"""32 lower-case hex digits."""

RETENTION: Final = timedelta(days=400)
"""How long entries are kept. The table refuses to let go of younger ones."""
_CLOCKS_DIFFER: Final = timedelta(hours=1)
"""How far an entry's time may be from ours: clocks differ, but nobody writes the past, or what would never end."""

_ID: Final = re.compile(r"[0-9a-f]{32}")
_ACTION: Final = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+")
_REFUSAL: Final = re.compile(r"[a-z][a-z0-9_]*")
_NAME: Final = range(65)
_TARGET: Final = range(129)
_FACTS: Final = range(17)
_FACT_NAME: Final = range(1, 65)
_FACT: Final = range(501)
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class AuditOutcome(StrEnum):
    """How what an admin did ended."""

    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing an admin did, or tried to. Without an outcome it is under way, or was cut off."""

    id: AuditId
    occurred_at: datetime
    actor: str
    address: str
    action: str
    target: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    outcome: AuditOutcome | None = None
    refusal: str = ""

    def opened(self, now: datetime) -> "AuditEntry":
        """Returns the entry as it is stored: without an outcome, and with `visible` text.

        Raises `InvalidArgument`.
        """
        _require(_violations(self, now))
        return replace(
            self,
            actor=visible(self.actor),
            address=visible(self.address),
            target=visible(self.target),
            facts=_visible_facts(self.facts),
            outcome=None,
            refusal="",
        )

    def closed(self, outcome: AuditOutcome, *, refusal: str, facts: Mapping[str, str]) -> "AuditEntry":
        """Returns the entry with its outcome. The first outcome counts: a closed entry stays as it is.

        A fact that is known already stays as it is, too. Raises `InvalidArgument`.
        """
        if self.outcome is not None:
            return self
        known = {**_visible_facts(facts), **self.facts}
        _require(_outcome_violations(outcome, refusal, facts, total=len(known)))
        return replace(self, outcome=outcome, refusal=refusal, facts=known)


def visible(text: str) -> str:
    r"""Writes characters that cannot be seen, or change how others are shown, as `\x1b` or `\u202e`.

    So nobody forges a line of a log or a name on a page. Backslashes stay as they are.
    """
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in _UNPRINTABLE else char
        for char in text
    )


def require_audit_id(text: str) -> AuditId:
    """Reads an entry's id. Raises `InvalidArgument`."""
    if _ID.fullmatch(text) is None:
        _require([FieldViolation("id", "32 lower-case hex digits")])
    return AuditId(text)


def _visible_facts(facts: Mapping[str, str]) -> dict[str, str]:
    return {visible(name): visible(value) for name, value in facts.items()}


def _require(violations: Iterator[FieldViolation] | list[FieldViolation]) -> None:
    if found := tuple(violations):
        raise InvalidArgument("The audit entry is wrong.", field_violations=found)


def _violations(entry: AuditEntry, now: datetime) -> Iterator[FieldViolation]:
    if _ID.fullmatch(entry.id) is None:
        yield FieldViolation("entry.id", "32 lower-case hex digits")
    if abs(entry.occurred_at - now) > _CLOCKS_DIFFER:
        yield FieldViolation("entry.occurred_at", "within an hour of now")
    if len(entry.actor) not in _NAME:
        yield FieldViolation("entry.actor", "at most 64 characters")
    if len(entry.address) not in _NAME:
        yield FieldViolation("entry.address", "at most 64 characters")
    if len(entry.action) not in _NAME or _ACTION.fullmatch(entry.action) is None:
        yield FieldViolation("entry.action", "lower case with dots, at most 64 characters")
    if len(entry.target) not in _TARGET:
        yield FieldViolation("entry.target", "at most 128 characters")
    yield from _fact_violations("entry.facts", entry.facts, total=len(entry.facts))


def _outcome_violations(
    outcome: AuditOutcome, refusal: str, facts: Mapping[str, str], *, total: int
) -> Iterator[FieldViolation]:
    wanted = outcome is AuditOutcome.REFUSED
    if bool(refusal) is not wanted:
        yield FieldViolation("refusal", "required for what was refused, and only then")
    elif wanted and (len(refusal) not in _NAME or _REFUSAL.fullmatch(refusal) is None):
        yield FieldViolation("refusal", "lower snake case, at most 64 characters")
    yield from _fact_violations("facts", facts, total=total)


def _fact_violations(path: str, facts: Mapping[str, str], *, total: int) -> Iterator[FieldViolation]:
    if total not in _FACTS:
        yield FieldViolation(path, "at most 16 in all")
    if any(len(name) not in _FACT_NAME for name in facts):
        yield FieldViolation(path, "names of 1 to 64 characters")
    if any(len(value) not in _FACT for value in facts.values()):
        yield FieldViolation(path, "values of at most 500 characters")
