"""Bodies about what admins did, and about galleries."""

from typing import Annotated, Literal

from pydantic import Field

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.fields import Body, Cursor, Instant, SlotId, instant
from photochanger_gateway.adapters.http.models import GalleryBody, GalleryItem
from photochanger_gateway.adapters.http.urls import Addresses
from photochanger_gateway.application.job_views import Galleries
from photochanger_gateway.application.ports_admin import Recorded
from photochanger_gateway.domain.jobs import Gallery


class RecordBody(Body):
    """One thing an admin did, or tried to."""

    id: str = Field(max_length=64)
    occurred_at: Instant
    actor: str = Field(description="The account; as it was typed, for a failed sign-in.", max_length=64)
    address: str = Field(max_length=64)
    action: str = Field(description="`slot.update`, `provider-key.set`, `auth.login`…", max_length=64)
    target: str = Field(description="A slot's id, a provider's, a job's… or empty.", max_length=200)
    facts: dict[str, Annotated[str, Field(max_length=500)]] = Field(
        description="What was changed; never a secret.", max_length=32
    )
    outcome: Literal["done", "refused", "unknown"] = Field(description="`unknown`: it was cut off.")
    refusal: str | None = Field(description="Why it was refused.", max_length=64)

    @classmethod
    def of(cls, recorded: Recorded) -> "RecordBody":
        """The body for an entry."""
        entry = recorded.entry
        return cls(
            id=entry.id,
            occurred_at=instant(entry.occurred_at),
            actor=entry.actor,
            address=entry.address,
            action=entry.action,
            target=entry.target,
            facts=dict(entry.facts),
            outcome="unknown" if recorded.outcome is None else recorded.outcome.value,
            refusal=recorded.refusal or None,
        )


class RecordListBody(Body):
    """A page of what admins did."""

    entries: list[RecordBody] = Field(description="Newest first.", max_length=200)
    next_cursor: Cursor | None


class GalleriesBody(Body):
    """All slots' galleries, as admins see them."""

    share_until: Instant | None = Field(description="Until when guests see them; null: they do not.")
    slots: list[GalleryBody] = Field(description="By id; the newest ten pictures of each.", max_length=15)

    @classmethod
    def of(cls, galleries: Galleries, addresses: Addresses) -> "GalleriesBody":
        """The body for galleries."""
        return cls(
            share_until=rfc3339(galleries.shared_until),
            slots=[
                GalleryBody(
                    slot_id=gallery.slot_id,
                    display_name=gallery.display_name,
                    results=GalleryItem.all_of(gallery.jobs, addresses.public, addresses.own),
                )
                for gallery in galleries.galleries
            ],
        )


class GalleryPageBody(Body):
    """A page of a slot's gallery."""

    slot_id: SlotId
    display_name: str = Field(max_length=80)
    results: list[GalleryItem] = Field(description="Newest first, while they are kept.", max_length=100)
    next_cursor: Cursor | None

    @classmethod
    def of(cls, gallery: Gallery, next_cursor: str, addresses: Addresses) -> "GalleryPageBody":
        """The body for a page."""
        return cls(
            slot_id=gallery.slot_id,
            display_name=gallery.display_name,
            results=GalleryItem.all_of(gallery.jobs, addresses.public, addresses.own),
            next_cursor=next_cursor or None,
        )
