"""Encrypts secrets at rest: AES-256-GCM under a list of keys, of which the newest encrypts and all decrypt.

What a secret is for (its context: whose it is, which version) is authenticated with the ciphertext, so that one
row's secret cannot be put in another's place.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from photochanger_chassis.errors import ErrorKind, ServiceError

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class SecretsNotConfigured(ServiceError):
    """There is no key to encrypt with, or none that decrypts what is stored."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "SECRETS_NOT_CONFIGURED"


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted secret, and which key of ours it needs."""

    secret_key_id: str
    nonce: bytes
    ciphertext: bytes


class SecretBox:
    """Seals and opens secrets."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Takes the keys, newest first; none at all means that nothing can be stored.

        Raises:
            ValueError: a key is not 32 bytes long.
        """
        if any(len(key) != _KEY_BYTES for key in keys):
            raise ValueError(f"each key must be {_KEY_BYTES} bytes in base64")
        self._keys: Final = {_key_id(key): AESGCM(key) for key in keys}

    @classmethod
    def from_text(cls, text: str) -> "SecretBox":
        """Reads base64 keys separated by commas, newest first; of either alphabet (RFC 4648 §4 and §5).

        Raises:
            ValueError: a key is no base64, or not 32 bytes long.
        """
        try:
            parts = (part.strip().encode() for part in text.split(",") if part.strip())
            return cls([base64.b64decode(part, altchars=_altchars(part), validate=True) for part in parts])
        except binascii.Error as error:
            raise ValueError("each key must be base64") from error

    @property
    def newest(self) -> str:
        """The id of the key that encrypts.

        Raises:
            SecretsNotConfigured: there is none.
        """
        if not self._keys:
            raise SecretsNotConfigured(
                "Keys cannot be stored. Set SECRETS_ENCRYPTION_KEY to 32 random bytes in base64."
            )
        return next(iter(self._keys))

    def seal(self, secret: str, *, context: str) -> Sealed:
        """Encrypts a secret with the newest key. It opens in the same context only.

        Raises:
            SecretsNotConfigured: there is none.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        ciphertext = self._keys[self.newest].encrypt(nonce, secret.encode(), context.encode())
        return Sealed(self.newest, nonce, ciphertext)

    def open(self, sealed: Sealed, *, context: str) -> str:
        """Decrypts a secret.

        Raises:
            SecretsNotConfigured: its key is not among ours, or it was not sealed in this context.
        """
        key = self._keys.get(sealed.secret_key_id)
        if key is None:
            raise SecretsNotConfigured(
                "A stored secret was encrypted with a key that is not in SECRETS_ENCRYPTION_KEY."
            )
        try:
            return key.decrypt(sealed.nonce, sealed.ciphertext, context.encode()).decode()
        except InvalidTag as error:
            raise SecretsNotConfigured(
                "A stored secret cannot be decrypted: it was changed, or belongs elsewhere."
            ) from error


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"photochanger secret key id" + key).hexdigest()[:16]


def _altchars(part: bytes) -> bytes | None:
    return b"-_" if b"-" in part or b"_" in part else None
