import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_providers.domain.errors import ProviderError
from photochanger_providers.domain.repeat import Repeat
from photochanger_providers.drivers.gemini import _error_text, _share_of_each
from photochanger_providers.drivers.gemini_answers import (
    GeneratedContent,
    Refusal,
    chosen_image,
    facts_of,
    parse_refusal,
    refused,
    why_no_image,
)
from pydantic import ValidationError

part = st.tuples(st.sampled_from(["picture", "words", "empty"]), st.booleans())


def _parts(kinds: list[tuple[str, bool]]) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for number, (kind, thought) in enumerate(kinds):
        content: dict[str, dict[str, object]] = {
            "picture": {"inlineData": {"mimeType": "image/png", "data": f"picture-{number}"}},
            "words": {"text": "words"},
            "empty": {"inlineData": {"mimeType": "image/png"}},
        }
        made.append({**content[kind], **({"thought": True} if thought else {})})
    return made


def _answer(**candidate: object) -> GeneratedContent:
    return GeneratedContent.model_validate({"candidates": [candidate]})


@given(st.lists(part, max_size=8))
def test_the_last_picture_that_is_no_thought_is_taken_or_else_the_last(kinds: list[tuple[str, bool]]) -> None:
    final = [number for number, (kind, thought) in enumerate(kinds) if kind == "picture" and not thought]
    every = [number for number, (kind, _) in enumerate(kinds) if kind == "picture"]
    wanted = f"picture-{(final or every)[-1]}" if every else None
    assert chosen_image(_answer(content={"parts": _parts(kinds)}, finishReason="STOP")) == wanted


@given(st.lists(part, max_size=8))
def test_snake_case_is_read_the_same(kinds: list[tuple[str, bool]]) -> None:
    camel = json.dumps({"candidates": [{"content": {"parts": _parts(kinds)}, "finishReason": "STOP"}]})
    snake = camel.replace("inlineData", "inline_data").replace("finishReason", "finish_reason")
    assert GeneratedContent.model_validate_json(snake) == GeneratedContent.model_validate_json(camel)


def test_a_thought_before_a_refusal_is_no_answer() -> None:
    blocked = _answer(content={"parts": _parts([("picture", True)])}, finishReason="IMAGE_SAFETY")
    assert chosen_image(blocked) is None
    assert why_no_image(blocked, no_image=Repeat.never()).reason == "CONTENT_BLOCKED"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["candidates", "content", "parts", "inlineData", "data", "finishReason", "promptFeedback",
             "blockReason", "usageMetadata", "totalTokenCount", "thought", "error", "details", "status"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(_JSON)
def test_no_answer_breaks_the_driver(document: object) -> None:
    try:
        answer = GeneratedContent.model_validate(document)
    except ValidationError:
        pass
    else:
        facts_of(answer)
        if chosen_image(answer) is None:
            assert isinstance(why_no_image(answer, no_image=Repeat.never()), ProviderError)


@given(_JSON | st.binary(max_size=30), st.integers(201, 599))
def test_no_error_body_breaks_the_driver(document: object, status: int) -> None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    assert isinstance(refused(parse_refusal(body), http_status=status, model="m"), ProviderError)


@pytest.mark.parametrize(
    ("header", "details", "waits"),
    [
        (None, [{"retryDelay": "26s"}], 26.0),
        (None, [{"retry_delay": "1.5s"}], 1.5),
        (timedelta(seconds=7), [{"@type": "type.googleapis.com/google.rpc.Help"}], 7.0),
        (timedelta(seconds=7), [{"retryDelay": "2s"}], 2.0),
        (None, [{"retryDelay": {"seconds": 26}}], None),
    ],
)
def test_googles_own_delay_goes_before_the_header(
    header: timedelta | None, details: list[object], waits: float | None
) -> None:
    body = json.dumps({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": details}}).encode()
    error = refused(parse_refusal(body), http_status=429, model="m", retry_after=header)
    assert (error.retry_after.total_seconds() if error.retry_after else None) == waits


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "AUTH"), (413, "CONFIG"), (502, "PROVIDER_5XX"), (418, "BAD_RESPONSE")]
)
def test_statuses_the_mock_does_not_send_have_their_reasons_too(status: int, reason: str) -> None:
    assert refused(Refusal(), http_status=status, model="m").reason == reason


def test_googles_sentence_is_logged_without_the_key_in_it() -> None:
    refusal = Refusal(message="Consumer 'api_key:AIzaSecret' has been suspended." + "x" * 1000)
    text = _error_text(refusal, "AIzaSecret")
    assert "suspended" in text
    assert "AIzaSecret" not in text
    assert len(text) <= 300


@given(st.lists(st.integers(1, 30_000_000), min_size=1, max_size=14))
def test_shares_fit_together_and_leave_the_small_ones_alone(sizes: list[int]) -> None:
    share = _share_of_each(sizes, 14_000_000)
    assert sum(min(size, share) for size in sizes) <= 14_000_000
    if sum(sizes) <= 14_000_000:
        assert share >= max(sizes)
