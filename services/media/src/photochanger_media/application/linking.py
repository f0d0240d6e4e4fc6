"""Makes public links."""

from dataclasses import dataclass
from datetime import datetime

from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import FieldViolation, InvalidArgument
from photochanger_chassis.ids import Ids

from photochanger_media.application.ports import Links
from photochanger_media.application.reading import FindMedia
from photochanger_media.domain.errors import LinksNotConfigured
from photochanger_media.domain.link import Link, token_digest
from photochanger_media.domain.media_object import MediaId


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link, with the secret that is shown only now."""

    token: str
    url: str
    expires_at: datetime


class CreateLink:
    """Makes an unguessable link to an object of a public kind."""

    def __init__(
        self, find: FindMedia, links: Links, clock: Clock, ids: Ids, *, public_base_url: str | None
    ) -> None:
        self._find = find
        self._links = links
        self._clock = clock
        self._ids = ids
        self._base_url = public_base_url.rstrip("/") if public_base_url else None

    async def __call__(self, media_id: MediaId, expires_at: datetime) -> NewLink:
        """Makes the link; it ends with the object at the latest.

        Raises:
            LinksNotConfigured: the public address is not set.
            InvalidArgument: the link would have ended already.
            MediaNotFound, MediaExpired: there is nothing to link.
            MediaNotPublic: the object may not leave the platform.
        """
        if self._base_url is None:
            raise LinksNotConfigured
        media_object = await self._find(media_id)
        media_object.check_linkable()
        now = self._clock.now()
        if media_object.expires_at is not None:
            expires_at = min(expires_at, media_object.expires_at)
        if expires_at <= now:
            raise InvalidArgument(
                "The link would have ended already.",
                field_violations=(FieldViolation("expires_at", "in the future"),),
            )
        token = self._ids.new_token()
        await self._links.add(Link(token_digest(token), media_id, expires_at), now=now)
        return NewLink(token, f"{self._base_url}/public/provider-media/{token}", expires_at)
