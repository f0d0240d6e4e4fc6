"""What the admins' routes have in common: JSON answers, versions in headers, documented refusals."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Header, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from photochanger_gateway.adapters.http.fields import MEDIA_ID_PATTERN
from photochanger_gateway.adapters.http.models import JOB_ID_PATTERN, SLOT_ID_PATTERN
from photochanger_gateway.adapters.http.public import error_answers

BODY_ERRORS: Final = error_answers(
    s400="The body, or a parameter, cannot be read: `invalid_request`.",
    s408="The body took longer than 10 s: `invalid_request`.",
    s413="The body has more than 64 KiB: `payload_too_large`.",
    s422="Fields are wrong: `invalid_request_body`, with `errors`.",
)
"""Of every route that takes JSON."""
SLOT_NOT_FOUND: Final = error_answers(s404="No such slot: `slot_not_found`.")
CONFLICT: Final = error_answers(
    s409="Somebody else changed it meanwhile: `version_conflict`, with `current_version`."
)
ETAG: Final[dict[str, Any]] = {
    "ETag": {"description": "The version, for `If-Match`.", "schema": {"type": "string", "maxLength": 32}}
}

SlotPath = Annotated[str, Path(pattern=SLOT_ID_PATTERN)]
JobPath = Annotated[str, Path(pattern=JOB_ID_PATTERN)]
MediaPath = Annotated[str, Path(pattern=MEDIA_ID_PATTERN)]
TemplatePath = Annotated[str, Path(pattern=MEDIA_ID_PATTERN)]
SlotQuery = Annotated[
    str, Query(description="Only this slot's; empty: all.", pattern=f"^$|{SLOT_ID_PATTERN}", max_length=16)
]
CursorQuery = Annotated[str, Query(description="`next_cursor` of the page before.", max_length=512)]
IfMatch = Annotated[
    str,
    Header(
        alias="If-Match",
        description="The version the change was made on, as its `ETag`; `*`: whatever it is now.",
        pattern=r'^(\*|(W/)?"[1-9][0-9]{0,17}")$',
    ),
]
ANY_VERSION: Final = "*"


def expected_version(if_match: str) -> int:
    """The version of an `If-Match` header that fits its pattern; 0: whatever it is now."""
    return 0 if if_match == ANY_VERSION else int(if_match.removeprefix("W/").strip('"'))


def json_answer(body: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer nobody keeps."""
    return Response(
        body.model_dump_json(),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def etag(version: int) -> dict[str, str]:
    """The header that names a version."""
    return {"ETag": f'"{version}"'}
