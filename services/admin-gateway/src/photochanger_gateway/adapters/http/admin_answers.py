"""What the admins' routes have in common: JSON answers, versions in headers, documented refusals."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Path, Query
from pydantic import BaseModel
from starlette.responses import Response

from photochanger_gateway.adapters.http.fields import MEDIA_ID_PATTERN
from photochanger_gateway.adapters.http.models import JOB_ID_PATTERN, SLOT_ID_PATTERN
from photochanger_gateway.adapters.http.public import error_answers
from photochanger_gateway.application.ports_admin import PageRequest
from photochanger_gateway.domain.jobs import JobState

BODY_ERRORS: Final = error_answers(
    s400="The body, or a parameter, cannot be read: `invalid_request`.",
    s408="The body took longer than 10 s: `invalid_request`.",
    s413="The body has more than 64 KiB: `payload_too_large`.",
    s422="Fields are wrong: `invalid_request_body`, with `errors`.",
)
"""Of every route that takes JSON."""
UPLOAD_ERRORS: Final = error_answers(
    s413="Too many bytes or pixels: `payload_too_large`.",
    s415="Not JPEG, PNG or WebP: `unsupported_media_type`.",
    s422="Fields are wrong, each named in `errors`: `invalid_request_body`.",
)
"""Of every route that takes a picture and nothing else."""
SLOT_NOT_FOUND: Final = error_answers(s404="No such slot: `slot_not_found`.")
CHANGE_ERRORS: Final = {
    **BODY_ERRORS,
    **error_answers(s409="Somebody else changed it meanwhile: `version_conflict`, with `current_version`."),
}
"""Of every route that changes what has versions."""
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
StatesQuery = Annotated[Sequence[JobState], Query(description="Only in these states.", max_length=6)]
CursorQuery = Annotated[str, Query(description="`next_cursor` of the page before.", max_length=512)]
_ANY_VERSION: Final = "*"


# Both are async: FastAPI would run anything else in a thread.
async def _page(cursor: CursorQuery = "", limit: Annotated[int, Query(ge=1, le=200)] = 50) -> PageRequest:
    return PageRequest(limit, cursor)


async def _expected_version(
    if_match: Annotated[
        str,
        Header(
            alias="If-Match",
            description="The version the change was made on, as its `ETag`; `*`: whatever it is now.",
            pattern=r'^(\*|(W/)?"[1-9][0-9]{0,17}")$',
        ),
    ] = _ANY_VERSION,
) -> int:
    return 0 if if_match == _ANY_VERSION else int(if_match.removeprefix("W/").strip('"'))


PageQuery = Annotated[PageRequest, Depends(_page)]
"""An endpoint's parameter: which page of a list that has 50 in one unless asked, and 200 at most."""
ExpectedVersion = Annotated[int, Depends(_expected_version)]
"""An endpoint's parameter: the version of the header `If-Match`; 0: whatever it is now."""


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
