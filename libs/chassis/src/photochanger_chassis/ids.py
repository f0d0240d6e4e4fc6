"""Identifiers and tokens, injected so that tests can foresee them."""

import secrets
from typing import Protocol


class Ids(Protocol):
    """Makes identifiers and secrets."""

    def new_id(self) -> str:
        """Returns an identifier of 32 hexadecimal digits."""
        ...

    def new_token(self) -> str:
        """Returns a secret for a URL or a header, in URL-safe base64."""
        ...


class RandomIds:
    """Identifiers of 128 and tokens of 256 random bits, from the operating system."""

    def new_id(self) -> str:
        """Returns 32 hexadecimal digits."""
        return secrets.token_hex(16)

    def new_token(self) -> str:
        """Returns 43 URL-safe characters."""
        return secrets.token_urlsafe(32)
