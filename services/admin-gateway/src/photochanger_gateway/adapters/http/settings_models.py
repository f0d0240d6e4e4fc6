"""Bodies about the platform's settings, the providers' keys and the providers."""

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, RootModel

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.fields import (
    NO_OTHER_NAMES,
    Body,
    Change,
    Instant,
    Name,
    StoredJsonObject,
    Text,
    Url,
    Version,
    Whole,
    plain,
    whole_number,
)
from photochanger_gateway.adapters.http.urls import Addresses
from photochanger_gateway.domain.configuration import (
    HashPolicy,
    KeySource,
    Limits,
    LimitsEdit,
    PlatformSettings,
    ProviderKey,
    SettingsEdit,
)
from photochanger_gateway.domain.providers import (
    Operation,
    Provider,
    ProviderHealth,
    ProviderState,
    TemplateRole,
)
from photochanger_gateway.domain.slots import Switch

_MOST_PROVIDERS: Final = 100

_SlotRunning = Annotated[int, Field(description="Jobs running at once in one slot.", ge=1, le=50)]
_SlotQueue = Annotated[int, Field(description="Jobs waiting in one slot.", ge=0, le=100)]
_ProviderRunning = Annotated[int, Field(description="Jobs running at once with one provider.", ge=1, le=500)]
_Number = BeforeValidator(whole_number)


class ProviderKeyBody(Body):
    """What may be known of a provider's API key."""

    configured: bool
    source: KeySource | None = Field(description="`stored` goes before `environment`.")
    last_four: str | None = Field(description="To tell one key from another.", max_length=4)
    updated_at: Instant | None
    updated_by: str | None = Field(max_length=80)

    @classmethod
    def of(cls, key: ProviderKey) -> "ProviderKeyBody":
        """The body for a key."""
        return cls(
            configured=key.source is not None,
            source=key.source,
            last_four=key.last_four or None,
            updated_at=rfc3339(key.updated_at),
            updated_by=key.updated_by or None,
        )


class LimitsBody(Body):
    """How much may run and wait at once, over all replicas."""

    slot_running: _SlotRunning
    slot_queue: _SlotQueue
    provider_running: dict[str, _ProviderRunning] = Field(
        description="By provider; one not named has 30.", max_length=_MOST_PROVIDERS
    )

    @classmethod
    def of(cls, limits: Limits) -> "LimitsBody":
        """The body for limits."""
        return cls(
            slot_running=limits.slot_running,
            slot_queue=limits.slot_queue,
            provider_running=dict(limits.provider_running),
        )


class SettingsBody(Body):
    """The platform's settings; never a secret."""

    sync_response_seconds: int = Field(description="How long a camera waits.", ge=10, le=60)
    result_ttl_hours: int = Field(description="How long results are kept.", ge=24, le=168)
    ingest_password_rotated_at: Instant | None = Field(
        description="When the ingest password was last set; null: there is none yet."
    )
    ingest_password_rotated_by: str = Field(max_length=80)
    provider_keys: dict[str, ProviderKeyBody] = Field(
        description="Of the providers that need a key.", max_length=_MOST_PROVIDERS
    )
    limits: LimitsBody
    hash_policy: HashPolicy
    dedupe: Switch = Field(description="Whether an identical photo gets the earlier result.")
    version: Version = Field(description="Grows by one with each change, keys aside.")
    ingest_url_base: Url = Field(description="What cameras post to, without `/slot-…`.")

    @classmethod
    def of(
        cls, settings: PlatformSettings, keys: tuple[ProviderKey, ...], addresses: Addresses
    ) -> "SettingsBody":
        """The body for the settings."""
        return cls(
            sync_response_seconds=settings.sync_response_seconds,
            result_ttl_hours=settings.result_ttl_hours,
            ingest_password_rotated_at=rfc3339(settings.ingest_password_rotated_at),
            ingest_password_rotated_by=settings.ingest_password_rotated_by,
            provider_keys={key.provider: ProviderKeyBody.of(key) for key in keys},
            limits=LimitsBody.of(settings.limits),
            hash_policy=settings.hash_policy,
            dedupe=settings.dedupe,
            version=settings.version,
            ingest_url_base=f"{addresses.public}/ingest",
        )


class LimitsChange(Change):
    """New limits. A provider's limit of null gives it the default again."""

    slot_running: Annotated[_SlotRunning, _Number] = 1
    slot_queue: Annotated[_SlotQueue, _Number] = 0
    provider_running: dict[Name, Annotated[_ProviderRunning, _Number] | None] = Field(
        default={}, max_length=_MOST_PROVIDERS, json_schema_extra=NO_OTHER_NAMES
    )

    def edit(self) -> LimitsEdit:
        """The change for the use case."""
        given = self.model_fields_set
        return LimitsEdit(
            slot_running=self.slot_running if "slot_running" in given else None,
            slot_queue=self.slot_queue if "slot_queue" in given else None,
            provider_running=self.provider_running,
        )


class SettingsChange(Change):
    """A change of the settings; they count from the next photo on."""

    sync_response_seconds: Whole = Field(48, description="How long a camera waits.", ge=10, le=60)
    result_ttl_hours: Whole = Field(72, description="How long results are kept.", ge=24, le=168)
    ingest_password: Text = Field(
        "",
        description="The password of all slots that have none of their own.",
        min_length=8,
        max_length=64,
        repr=False,
    )
    provider_keys: dict[
        Name, Annotated[str, Field(min_length=8, max_length=512, pattern=r"^[\x21-\x7e]{8,512}$")] | None
    ] = Field(
        default={},
        description="Keys to store; null takes a stored one away. One from the environment stays.",
        max_length=_MOST_PROVIDERS,
        repr=False,
        json_schema_extra=NO_OTHER_NAMES,
    )
    limits: LimitsChange = LimitsChange()
    hash_policy: HashPolicy = HashPolicy.WARN
    dedupe: Switch = Switch.ON

    def edit(self) -> SettingsEdit:
        """The change for the use case, keys aside."""
        given = self.model_fields_set
        return SettingsEdit(
            sync_response_seconds=self.sync_response_seconds if "sync_response_seconds" in given else None,
            result_ttl_hours=self.result_ttl_hours if "result_ttl_hours" in given else None,
            hash_policy=self.hash_policy if "hash_policy" in given else None,
            dedupe=self.dedupe if "dedupe" in given else None,
            limits=self.limits.edit() if self.limits.model_fields_set else None,
            password=self.ingest_password if "ingest_password" in given else None,
        )


class RoleBody(Body):
    """A template image an operation can use."""

    role: str = Field(max_length=64)
    title: str = Field(max_length=200)
    required: bool
    max_count: int = Field(description="0: no limit.", ge=0)

    @classmethod
    def of(cls, role: TemplateRole) -> "RoleBody":
        """The body for a role."""
        return cls(role=role.id, title=role.title, required=role.required, max_count=role.max_count)


class OperationBody(Body):
    """What a slot can ask of a provider."""

    id: str = Field(max_length=64)
    title: str = Field(max_length=200)
    settings_schema: StoredJsonObject = Field(
        description="JSON Schema, draft 2020-12, of a slot's `settings`."
    )
    needs: list[RoleBody] = Field(max_length=32)
    uses_prompt: bool = Field(description="Whether its settings have a prompt, where placeholders may stand.")

    @classmethod
    def of(cls, operation: Operation) -> "OperationBody":
        """The body for an operation."""
        return cls(
            id=operation.id,
            title=operation.title,
            settings_schema=plain(operation.settings_schema),
            needs=[RoleBody.of(role) for role in operation.roles],
            uses_prompt=operation.uses_prompt,
        )


class ProviderHealthBody(Body):
    """How a provider did when it was last looked at."""

    state: ProviderState
    detail: str = Field(max_length=500)
    checked_at: Instant | None

    @classmethod
    def of(cls, health: ProviderHealth) -> "ProviderHealthBody":
        """The body for a provider's health."""
        return cls(state=health.state, detail=health.detail[:500], checked_at=rfc3339(health.checked_at))


class ProviderBody(Body):
    """An AI service, or the one on this machine."""

    id: str = Field(max_length=64)
    title: str = Field(max_length=200)
    operations: list[OperationBody] = Field(max_length=100)
    configured: bool = Field(description="Whether it has the key it needs.")
    healthy: bool
    health: ProviderHealthBody
    requires_public_media: bool = Field(
        description="Whether it fetches pictures itself, so that PUBLIC_MEDIA_BASE_URL must be reachable for it."
    )

    @classmethod
    def of(cls, provider: Provider) -> "ProviderBody":
        """The body for a provider."""
        return cls(
            id=provider.id,
            title=provider.title,
            operations=[OperationBody.of(operation) for operation in provider.operations],
            configured=provider.configured,
            healthy=provider.health.state is ProviderState.HEALTHY,
            health=ProviderHealthBody.of(provider.health),
            requires_public_media=provider.requires_public_media,
        )


class ProviderList(RootModel[list[ProviderBody]]):
    """All providers by id."""

    root: list[ProviderBody] = Field(max_length=_MOST_PROVIDERS)


class AcceptedBody(Body):
    """The work goes on by itself."""

    status: Literal["accepted"] = "accepted"
