"""The camera's form: what it may hold, and what it held."""

import re
from dataclasses import dataclass, field
from typing import Final

from photochanger_gateway.domain.refusals import InvalidRequest

PHOTO_FIELD: Final = "fileToUpload"
PASSWORD_FIELD: Final = "password"  # noqa: S105 - the name of a form field
HASH_FIELD: Final = "hash"

_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class FormLimits:
    """Bounds of one form, photo aside. `fields` are those kept with the job: no password, no hash."""

    fields: int = 64
    fields_bytes: int = 64 * 1024
    name_characters: int = 256
    part_headers: int = 8
    part_header_bytes: int = 4 * 1024

    @property
    def overhead_bytes(self) -> int:
        """The most a body may be larger than its photo: fields, their headers, boundaries."""
        return self.fields_bytes + (self.fields + 8) * 1024


@dataclass(frozen=True, slots=True)
class FieldReceived:
    """A whole field."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class PhotoBegun:
    """The photo's part has begun. `content_type` as declared, empty where it is not."""

    content_type: str


@dataclass(frozen=True, slots=True)
class PhotoChunk:
    """The photo's next bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PhotoEnded:
    """The photo is whole."""


FormEvent = FieldReceived | PhotoBegun | PhotoChunk | PhotoEnded


@dataclass(slots=True)
class FormFields:
    """The fields seen so far. The password is kept apart from those that are stored with the job."""

    fallback_password: str | None = None
    form_password: str | None = None
    form_hash: str | None = None
    others: dict[str, str] = field(default_factory=dict)

    @property
    def password(self) -> str | None:
        """The form's password, or the one from the request's head."""
        return self.form_password if self.form_password is not None else self.fallback_password

    @property
    def hash(self) -> str:
        """The form's hash, empty where there is none."""
        return self.form_hash or ""

    def take(self, received: FieldReceived) -> None:
        """Adds a field. One of the booth's own that comes again (a survey with several answers) is joined.

        Raises:
            InvalidRequest: password or hash came before.
        """
        if received.name == PASSWORD_FIELD:
            if self.form_password is not None:
                raise _twice(received.name)
            self.form_password = received.value
        elif received.name == HASH_FIELD:
            if self.form_hash is not None:
                raise _twice(received.name)
            self.form_hash = received.value.strip()
        elif received.name in self.others:
            self.others[received.name] += f", {received.value}"
        else:
            self.others[received.name] = received.value


def check_idempotency_key(value: str | None) -> str:
    """Returns the header's value, empty where it is absent.

    Raises:
        InvalidRequest: it is not 1 to 255 visible ASCII characters.
    """
    if value is None:
        return ""
    if _IDEMPOTENCY_KEY.fullmatch(value) is None:
        raise InvalidRequest("Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return value


def _twice(name: str) -> InvalidRequest:
    return InvalidRequest(f"The form has the field {name[:64]!r} twice. Send each field once.")
