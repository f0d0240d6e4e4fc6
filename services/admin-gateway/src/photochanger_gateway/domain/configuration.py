"""The platform's settings and the providers' keys, as admins see and change them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from photochanger_gateway.domain.slots import Switch


class HashPolicy(StrEnum):
    """What a wrong `hash` field of a camera's form leads to."""

    WARN = "warn"
    ENFORCE = "enforce"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many jobs may run and wait at once; a provider not named has the service's default."""

    slot_running: int
    slot_queue: int
    provider_running: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LimitsEdit:
    """New limits; None changes none. A provider's limit of None gives it the default again."""

    slot_running: int | None = None
    slot_queue: int | None = None
    provider_running: Mapping[str, int | None] = field(default_factory=dict)

    def applied_to(self, limits: Limits) -> Limits:
        """The limits after the change."""
        providers = {**limits.provider_running, **self.provider_running}
        return Limits(
            limits.slot_running if self.slot_running is None else self.slot_running,
            limits.slot_queue if self.slot_queue is None else self.slot_queue,
            {name: limit for name, limit in providers.items() if limit is not None},
        )


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """What holds for every slot that does not say otherwise. `version` grows by one with each change."""

    sync_response_seconds: int
    result_ttl_hours: int
    hash_policy: HashPolicy
    dedupe: Switch
    limits: Limits
    ingest_password_rotated_at: datetime | None
    ingest_password_rotated_by: str
    version: int


@dataclass(frozen=True, slots=True)
class SettingsEdit:
    """A change of settings; None changes none."""

    sync_response_seconds: int | None = None
    result_ttl_hours: int | None = None
    hash_policy: HashPolicy | None = None
    dedupe: Switch | None = None
    limits: LimitsEdit | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """What is changed; the password by name alone."""
        values = {
            "dedupe": self.dedupe,
            "hash_policy": self.hash_policy,
            "ingest_password": self.password,
            "limits": self.limits,
            "result_ttl_hours": self.result_ttl_hours,
            "sync_response_seconds": self.sync_response_seconds,
        }
        return tuple(name for name, value in values.items() if value is not None)


class KeySource(StrEnum):
    """Where a provider's key comes from."""

    ENVIRONMENT = "environment"
    STORED = "stored"


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """What may be known of a key. `source` is None where there is no key."""

    provider: str
    source: KeySource | None
    last_four: str
    updated_at: datetime | None
    updated_by: str
