"""What Gemini's answers mean: which picture to take, and what it is when there is none.

Answers are hostile input. They are read into typed models that accept both spellings of protobuf's JSON
(`inlineData`, `inline_data`), ignore what they do not know and take every enum as a string: Google adds
values faster than anybody can list them.
"""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from pydantic import AliasChoices, AliasGenerator, BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from photochanger_providers.application.driver import Fact
from photochanger_providers.domain.errors import (
    BadProviderResponse,
    ContentBlocked,
    NoImage,
    ProviderAuthFailed,
    ProviderError,
    ProviderFault,
    ProviderMisconfigured,
    ProviderTimedOut,
    QuotaExceeded,
)
from photochanger_providers.domain.repeat import Repeat
from photochanger_providers.drivers.waiting import parse_duration

_BLOCKED: Final = frozenset(
    {"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "IMAGE_SAFETY",
     "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "ESCALATION"}
)  # fmt: skip
_NO_IMAGE: Final = frozenset({"NO_IMAGE", "IMAGE_OTHER"})
_ACCOUNT_LIMITED: Final = "PUP_LIMITED_DISABLED"
_WORD: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}", re.ASCII)
_SENTENCE_CHARS: Final = 300
_SLOW_BACKEND_LEFT: Final = timedelta(seconds=10)


def _both_spellings(name: str) -> AliasChoices:
    return AliasChoices(to_camel(name), name)


class _Message(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=AliasGenerator(validation_alias=_both_spellings)
    )


class Blob(_Message):
    """Bytes in base64, and what they claim to be."""

    data: str | None = None


class Part(_Message):
    """A piece of an answer: words, or a picture, perhaps only thought on the way to it."""

    inline_data: Blob | None = None
    text: str | None = None
    thought: bool | None = None


class Content(_Message):
    """An answer's pieces."""

    parts: list[Part] | None = None


class Candidate(_Message):
    """One answer, and why it ended."""

    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None


class PromptFeedback(_Message):
    """What the provider thinks of the request."""

    block_reason: str | None = None


class Usage(_Message):
    """Token counts."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    total_token_count: int | None = None


class GeneratedContent(_Message):
    """The body of a 200."""

    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: Usage | None = None
    model_version: str | None = None
    response_id: str | None = None


class _QuotaViolation(_Message):
    quota_id: str | None = None


class _Detail(_Message):
    """Any `google.rpc` error detail: ErrorInfo has a reason, RetryInfo a delay, QuotaFailure violations."""

    reason: str | None = None
    retry_delay: object = None
    violations: list[_QuotaViolation] | None = None


class Refusal(_Message):
    """Google's `error` object; everything of it may be missing."""

    status: str | None = None
    message: str | None = None
    details: list[_Detail] | None = None


def chosen_image(answer: GeneratedContent) -> str | None:
    """Returns the base64 text of the picture to take: the last that is not a thought, else the last of all.

    Models that think show interim pictures, flagged `thought`; some answers had their only picture in one.
    An answer that ended because of its content gives none: what it thought before counts no more.
    """
    for candidate in answer.candidates or ():
        if candidate.finish_reason in _BLOCKED:
            continue
        parts = (candidate.content and candidate.content.parts) or ()
        pictures = [
            (part.thought, part.inline_data.data)
            for part in parts
            if part.inline_data is not None and part.inline_data.data
        ]
        final = [data for thought, data in pictures if not thought]
        for data in reversed(final or [data for _, data in pictures]):
            return data
    return None


def why_no_image(answer: GeneratedContent, *, no_image: Repeat) -> ProviderError:
    """Names the reason of a 200 without a picture. `no_image` is how the slot wants NO_IMAGE repeated."""
    if not answer.candidates:
        feedback = answer.prompt_feedback
        if feedback is not None and feedback.block_reason:
            reason = _word(feedback.block_reason)
            return ContentBlocked(f"Gemini refuses the photo or the prompt ({reason}).", blockReason=reason)
        return BadProviderResponse("Gemini's answer has no candidates.", repeat=Repeat.once())
    first = answer.candidates[0]
    reason = _word(first.finish_reason or "")
    if reason in _BLOCKED:
        return ContentBlocked(f"Gemini's rules forbid the picture ({reason}).", finishReason=reason)
    if reason in _NO_IMAGE:
        return NoImage(f"Gemini made no picture ({reason}).", repeat=no_image, finishReason=reason)
    if reason == "STOP":
        return NoImage(
            "Gemini answered without a picture. The prompt may ask for words.",
            repeat=Repeat.once(),
            finishReason=reason,
        )
    if reason == _ACCOUNT_LIMITED:
        return ProviderAuthFailed(
            f"Google has limited the account because of its policies ({reason}).", finishReason=reason
        )
    return BadProviderResponse(
        f"Gemini ended without a picture ({reason or 'no reason given'}).",
        repeat=Repeat.once(),
        finishReason=reason,
    )


def facts_of(answer: GeneratedContent) -> Mapping[str, Fact]:
    """Returns what is worth logging of an answer: ids, reasons and counts, nothing of its content."""
    first = answer.candidates[0] if answer.candidates else Candidate()
    feedback = answer.prompt_feedback or PromptFeedback()
    usage = answer.usage_metadata or Usage()
    # Named without "token": the log strikes out whatever is called so.
    facts: dict[str, str | int | None] = {
        "response_id": _word(answer.response_id or ""),
        "model_version": model_of(answer),
        "finish_reason": _word(first.finish_reason or ""),
        "finish_message": (first.finish_message or "")[:_SENTENCE_CHARS],
        "block_reason": _word(feedback.block_reason or ""),
        "usage_prompt": usage.prompt_token_count,
        "usage_candidates": usage.candidates_token_count,
        "usage_total": usage.total_token_count,
    }
    return {name: fact for name, fact in facts.items() if fact not in (None, "")}


def model_of(answer: GeneratedContent) -> str:
    """Returns the model as it named itself."""
    return _word(answer.model_version or "")


def parse_refusal(body: bytes) -> Refusal:
    """Reads an error body: an object, a one-element array of it, or whatever a proxy says (then empty)."""
    try:
        document: object = json.loads(body)
        if isinstance(document, list) and document:
            document = document[0]
        error = document.get("error") if isinstance(document, dict) else None
        return Refusal.model_validate(error)
    except (ValidationError, ValueError, RecursionError):
        return Refusal()


def refused(
    refusal: Refusal, *, http_status: int, model: str, retry_after: timedelta | None = None
) -> ProviderError:
    """Names an HTTP error. `retry_after` is the header's; Google itself says it in the details."""
    details = refusal.details or []
    shown = f"{http_status} {_word(refusal.status or '')}".strip()
    if http_status == HTTPStatus.TOO_MANY_REQUESTS:
        return _quota(details, retry_after, shown)
    key_invalid = any(detail.reason == "API_KEY_INVALID" for detail in details)
    match http_status:
        case 401 | 403:
            return ProviderAuthFailed(f"Gemini refuses the API key ({shown}).", providerStatus=shown)
        case 400 if key_invalid:
            return ProviderAuthFailed("Gemini does not know the API key.", providerStatus=shown)
        case 404:
            return ProviderMisconfigured(
                f"Gemini has no model '{model}' (any more). Choose another in the slot's settings.",
                model=model,
                providerStatus=shown,
            )
        case 413:
            return ProviderMisconfigured("The pictures are too large for Gemini.", providerStatus=shown)
        case 400:
            return ProviderMisconfigured(
                f"Gemini refuses the request ({shown}). Check the slot's settings and the account.",
                providerStatus=shown,
            )
        case 408 | 504:
            return ProviderTimedOut(
                "Gemini gave up because it took too long.",
                repeat=Repeat(pauses=(timedelta(seconds=1),), least_left=_SLOW_BACKEND_LEFT),
                providerStatus=shown,
            )
        case _ if http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ProviderFault(
                f"Gemini is broken or overloaded ({shown}).",
                repeat=Repeat.backoff(2),
                retry_after=retry_after,
                providerStatus=shown,
            )
        case _:
            return BadProviderResponse(
                f"Gemini answered with an unexpected status ({shown}).", providerStatus=shown
            )


def _quota(details: list[_Detail], header: timedelta | None, shown: str) -> QuotaExceeded:
    quota_ids = [each.quota_id or "" for detail in details for each in detail.violations or ()]
    if any("PerDay" in quota_id for quota_id in quota_ids):
        # Such an answer carries a short `retryDelay` all the same: it is of no use.
        return QuotaExceeded("Gemini's quota for today is used up.", long_outage=True, providerStatus=shown)
    delays = [parse_duration(detail.retry_delay) for detail in details]
    delay = next((each for each in delays if each is not None), header)
    if delay is None:
        return QuotaExceeded(
            "Gemini's quota is used up for now.", repeat=Repeat.backoff(2), providerStatus=shown
        )
    return QuotaExceeded(
        "Gemini's quota is used up for now.",
        repeat=Repeat.after(delay),
        retry_after=delay,
        providerStatus=shown,
    )


def _word(text: str) -> str:
    """Returns a provider's enum value or id, or nothing where it is none: errors and logs quote no prose."""
    return text if _WORD.fullmatch(text) else ""
