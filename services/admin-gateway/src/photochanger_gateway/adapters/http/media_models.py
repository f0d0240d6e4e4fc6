"""Bodies about pictures that are no job's result."""

from typing import Literal

from pydantic import Field

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.fields import Body, Count, Instant, MediaObjectId, Url
from photochanger_gateway.adapters.http.urls import Addresses
from photochanger_gateway.domain.media import MediaObject


class RegisteredTemplateBody(Body):
    """A template image that was stored."""

    media_object_id: MediaObjectId
    media_kind: Literal["template"] = "template"
    preview_url: Url = Field(description="A small WebP, for signed-in admins.")
    mime: str = Field(max_length=64)
    size_bytes: Count
    width_px: Count
    height_px: Count

    @classmethod
    def of(cls, stored: MediaObject, addresses: Addresses) -> "RegisteredTemplateBody":
        """The body for a template."""
        return cls(
            media_object_id=stored.id,
            preview_url=addresses.template_preview(stored.id),
            mime=stored.mime_type,
            size_bytes=stored.size_bytes,
            width_px=stored.width_px,
            height_px=stored.height_px,
        )


class RegisteredMediaBody(Body):
    """A temporary picture that was stored."""

    media_object_id: MediaObjectId
    expires_at: Instant | None
    preview_url: Url | None = Field(description="The picture itself, for signed-in admins.")

    @classmethod
    def of(cls, stored: MediaObject, addresses: Addresses) -> "RegisteredMediaBody":
        """The body for a temporary picture."""
        return cls(
            media_object_id=stored.id,
            expires_at=rfc3339(stored.expires_at),
            preview_url=addresses.media(stored.id),
        )
