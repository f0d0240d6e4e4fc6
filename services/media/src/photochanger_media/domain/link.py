"""Public links: an unguessable way to one object, for a short time."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from photochanger_media.domain.errors import LinkExpired
from photochanger_media.domain.media_object import MediaId


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is stored: by the digest of its token, so that reading the table gives nobody access."""

    token_digest: bytes
    media_id: MediaId
    expires_at: datetime

    def check_open(self, now: datetime) -> None:
        """Raises LinkExpired from the very instant of `expires_at` on."""
        if now >= self.expires_at:
            raise LinkExpired


def token_digest(token: str) -> bytes:
    """Returns the SHA-256 of a token. Fast is right here: the token has 256 random bits."""
    return hashlib.sha256(token.encode()).digest()
