"""The form DSLR Remote Pro posts, byte by byte: the fields of a real camera in their order, the photo last."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

FILE_NAME = "IMG_0001.JPG"
_CONTENT_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"RIFF": "image/webp"}


@dataclass(frozen=True, slots=True)
class Form:
    """A ready request body and its `Content-Type` header."""

    content_type: str
    body: bytes


def content_type_of(photo: bytes) -> str | None:
    """The MIME type by the first bytes, None for what no camera sends."""
    return next((kind for magic, kind in _CONTENT_TYPES.items() if photo.startswith(magic)), None)


def camera_form(
    photo: bytes, *, password: str, number: int = 1, fields: Mapping[str, str | None] | None = None
) -> Form:
    """The form for one photo; `number` is the shot's in the camera's own count.

    `fields` are a booth's own, added to the camera's or put in their place; None leaves a field out.
    """
    own: dict[str, str | None] = {
        "time": str(int(time.time())),
        "user_id": "Acer",
        "id": f"CY04N068111304S2L_{number:08d}.",
        "profile": r"C:\Users\Acer\Documents\PhotoboothImages\setup_Serg.xml",
        "status": r"C:\Users\Acer\Documents\PhotoboothImages\screenSerg\preview.jpg",
        "hash": hashlib.sha1(photo, usedforsecurity=False).hexdigest(),
        "name": "DESKTOP-K968T3F",
        "model": "Windows",
        "version": "3.30.2",
        "password": password,
    }
    boundary = f"----------------------------{secrets.token_hex(6)}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (own | dict(fields or {})).items()
        if value is not None
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="fileToUpload"; filename="{FILE_NAME}"\r\n'
        f"Content-Type: {content_type_of(photo) or 'image/jpeg'}\r\n\r\n"
    )
    body = b"".join([*parts, head.encode(), photo, f"\r\n--{boundary}--\r\n".encode()])
    return Form(f"multipart/form-data; boundary={boundary}", body)
