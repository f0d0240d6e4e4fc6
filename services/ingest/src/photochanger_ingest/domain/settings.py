"""The platform's settings, and what they mean for one slot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from photochanger_ingest.domain.ids import ProviderId
from photochanger_ingest.domain.slot import Slot

DEFAULT_PROVIDER_RUNNING: Final = 30
"""Jobs running at once with a provider the limits do not name."""


class HashPolicy(StrEnum):
    """What a wrong `hash` field leads to."""

    WARN = "warn"
    ENFORCE = "enforce"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may run and wait at once, over all replicas."""

    slot_running: int = 4
    slot_queue: int = 8
    provider_running: Mapping[ProviderId, int] = field(default_factory=dict)

    def of_provider(self, provider_id: ProviderId) -> int:
        """Returns how many jobs may run at once with a provider."""
        return self.provider_running.get(provider_id, DEFAULT_PROVIDER_RUNNING)


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for every slot that does not say otherwise.

    `password_hash` is the global ingest password, hashed; None until one is set, and then no photo is taken but
    by slots with a password of their own.
    """

    sync_response: timedelta
    result_retention: timedelta
    hash_policy: HashPolicy
    dedupe: bool
    limits: Limits
    version: int
    password_hash: str | None = None
    password_rotated_at: datetime | None = None
    password_rotated_by: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one slot: its own word, or the platform's. A slot's own password replaces the global one."""

    sync_response: timedelta
    dedupe: bool
    slot_running: int
    slot_queue: int
    provider_running: int
    password_hash: str | None

    @classmethod
    def of(cls, slot: Slot, settings: Settings) -> Self:
        """Puts the two together."""
        return cls(
            sync_response=settings.sync_response if slot.sync_response is None else slot.sync_response,
            dedupe=settings.dedupe if slot.dedupe is None else slot.dedupe,
            slot_running=settings.limits.slot_running if slot.running_limit is None else slot.running_limit,
            slot_queue=settings.limits.slot_queue if slot.queue_length is None else slot.queue_length,
            provider_running=settings.limits.of_provider(slot.plan.provider_id),
            password_hash=slot.password_hash or settings.password_hash,
        )
