"""What Turbotext's answers mean. Its page contradicts itself and its API, so every documented shape is taken.

| what | shapes |
|---|---|
| result link | `uploaded_image`, `data.uploaded_image`, `data.image[0]`, in this order |
| pending | `action: "reconnect"`, alone or with `success: false` |
| `queueid` | number or string |
| booleans | JSON's, or `"True"` and `"False"` |
| empty object | may be an empty list, as PHP writes it |
"""

import json
import re
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from yarl import URL

from photochanger_providers.domain.errors import (
    BadInput,
    BadProviderResponse,
    ContentBlocked,
    ProviderAuthFailed,
    ProviderError,
    ProviderFault,
    ProviderMisconfigured,
    QuotaExceeded,
)
from photochanger_providers.domain.repeat import Repeat

_ENOUGH_TO_REPEAT: Final = timedelta(seconds=10)
NOT_ACCEPTED: Final = Repeat(
    pauses=(timedelta(seconds=2), timedelta(seconds=5)), least_left=_ENOUGH_TO_REPEAT
)
"""How a creation is repeated that certainly made no job; any other repeat could spend a second attempt."""
_RECONNECT: Final = "reconnect"
_CODE: Final = re.compile(r"[A-Za-z0-9_]{1,40}", re.ASCII)
_QUEUE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


class UnreadableAnswer(BadProviderResponse):
    """The body is no JSON object: a web page, or a comma too many."""


def _text_or_nothing(value: object) -> object:
    return value if isinstance(value, str) else None


def _object_or_nothing(value: object) -> object:
    return value if isinstance(value, dict) else None


def _texts(value: object) -> object:
    given = value if isinstance(value, list) else [value]
    return [text for text in given if isinstance(text, str)]


_Text = Annotated[str | None, BeforeValidator(_text_or_nothing)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    uploaded_image: _Text = None
    image: Annotated[list[str], BeforeValidator(_texts)] = []
    forbidden_content: bool | None = None


class TurbotextAnswer(BaseModel):
    """Any answer to `create_queue` and `get_result`."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    success: bool | None = None
    action: _Text = None
    error: _Text = None
    message: _Text = None
    queueid: str | None = None
    uploaded_image: _Text = None
    data: Annotated[_Data | None, BeforeValidator(_object_or_nothing)] = None

    @property
    def pending(self) -> bool:
        """Whether the same question shall be asked again. Looked at before `success`, which may be false."""
        return self.action == _RECONNECT

    @property
    def queue_id(self) -> str:
        """The job's number, or nothing where there is none that could be one."""
        return self.queueid if self.queueid is not None and _QUEUE_ID.fullmatch(self.queueid) else ""

    @property
    def link(self) -> str:
        """Where the picture is, absolute or relative to the site's root, or nothing."""
        data = self.data or _Data()
        links = (self.uploaded_image, data.uploaded_image, *data.image)
        return next((link.strip() for link in links if link and link.strip()), "")

    @property
    def succeeded(self) -> bool:
        """Whether it says so, or says nothing of the kind but has what a success has."""
        return bool(self.queue_id or self.link) if self.success is None else self.success

    @property
    def forbidden(self) -> bool:
        """Whether the picture is one that must not be shown, success or not."""
        return self.data is not None and self.data.forbidden_content is True


def parse_answer(body: bytes) -> TurbotextAnswer:
    """Reads an answer's body.

    Raises:
        UnreadableAnswer: it is no JSON object.
    """
    try:
        document: object = json.loads(body)
        return TurbotextAnswer.model_validate(document)
    except (ValidationError, ValueError, RecursionError) as error:
        raise UnreadableAnswer("Turbotext's answer cannot be read.") from error


def failure_of(answer: TurbotextAnswer) -> ProviderError | None:
    """Names what a finished answer says went wrong, or None for a success."""
    if answer.forbidden:
        return ContentBlocked("Turbotext marked the picture as forbidden content.")
    if answer.succeeded:
        return None
    text = (answer.error or answer.message or "").strip()
    match text.lower():
        case "limit":
            return QuotaExceeded("The photo attempts of the Turbotext plan are used up.", long_outage=True)
        case "url_error":
            return ProviderMisconfigured(
                "Turbotext could not fetch the photo by its link. The public base URL of media must be reachable"
                " from the Internet."
            )
        case "params_error":
            return ProviderMisconfigured("Turbotext refuses the slot's settings.")
        case "face_not_detected":
            return BadInput("Turbotext found no face in the photo.")
        case "quality_limit":
            return BadInput("The photo is not good enough for Turbotext.")
    # Words that are no code may quote the prompt.
    code = text if _CODE.fullmatch(text) else "no code"
    return BadProviderResponse(f"Turbotext says that it failed ({code}).", code=code)


def refused(http_status: int, *, retry_after: timedelta | None) -> ProviderError:
    """Names an HTTP error; none of them accepts a job."""
    status = str(http_status)
    match http_status:
        case 401 | 403:
            return ProviderAuthFailed(f"Turbotext refuses the API key ({status}).", httpStatus=status)
        case 404:
            return ProviderMisconfigured("Turbotext has no such method. Check its base URL.")
        case 429:
            later = Repeat(pauses=(retry_after,), least_left=_ENOUGH_TO_REPEAT) if retry_after else None
            return QuotaExceeded("Turbotext was asked too often.", repeat=later, retry_after=retry_after)
        case _ if http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ProviderFault(
                f"Turbotext is broken or overloaded ({status}).", repeat=NOT_ACCEPTED, httpStatus=status
            )
        case _:
            return BadProviderResponse(
                f"Turbotext answered with an unexpected status ({status}).", httpStatus=status
            )


def absolute_link(link: str, *, base_url: str) -> URL:
    """Resolves a result's link against the root of the provider's site.

    Raises:
        BadProviderResponse: it is no web address. Whether it may be followed is the HTTP client's decision.
    """
    site = URL(base_url).origin()
    try:
        target = (site / "").join(URL(link)).with_user(None)
        if target.scheme == "http" and target.host == site.host and site.scheme == "https":
            target = target.with_scheme("https")
    except ValueError as error:
        raise BadProviderResponse("Turbotext's link to the picture is malformed.") from error
    if target.scheme not in {"http", "https"} or not target.host:
        raise BadProviderResponse("Turbotext's link to the picture is no web address.")
    return target
