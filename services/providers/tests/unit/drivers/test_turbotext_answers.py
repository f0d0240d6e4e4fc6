import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_providers.domain.errors import BadProviderResponse, ProviderError
from photochanger_providers.drivers.turbotext_answers import absolute_link, failure_of, parse_answer, refused

_BASE = "https://www.turbotext.ru/api_ai"
_SITE = "https://www.turbotext.ru"


def _json(**document: object) -> bytes:
    return json.dumps(document).encode()


def test_the_link_at_the_top_goes_before_those_in_data() -> None:
    data = {"uploaded_image": "second", "image": ["third", "fourth"]}
    assert parse_answer(_json(success=True, uploaded_image="first", data=data)).link == "first"
    assert parse_answer(_json(success=True, data=data)).link == "second"
    assert parse_answer(_json(success=True, data={"image": ["", " ", "third"]})).link == "third"
    assert parse_answer(_json(success=True, data={"image": "third"})).link == "third"


@pytest.mark.parametrize("data", [[], "", None, 0, {"image": []}, {"image": [{"url": "x"}]}, {"image": None}])
def test_what_is_no_link_is_none(data: object) -> None:
    assert parse_answer(_json(success=True, uploaded_image=None, data=data)).link == ""


@pytest.mark.parametrize("success", [{}, {"success": False}, {"success": "False"}, {"success": True}])
def test_reconnect_goes_before_success(success: dict[str, object]) -> None:
    assert parse_answer(_json(action="reconnect", **success)).pending


@pytest.mark.parametrize(
    ("queueid", "found"), [(12345, "12345"), ("12345", "12345"), ("", ""), ("a&do=x", "")]
)
def test_a_queue_number_is_kept_as_text(queueid: object, found: str) -> None:
    assert parse_answer(_json(success=True, queueid=queueid)).queue_id == found


@pytest.mark.parametrize("answer", [{"queueid": 5}, {"data": {"image": ["a.png"]}}])
def test_a_success_that_forgets_to_say_so_is_one(answer: dict[str, object]) -> None:
    assert failure_of(parse_answer(_json(**answer))) is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("LIMIT", "QUOTA"),
        ("limit", "QUOTA"),
        (" url_error ", "CONFIG"),
        ("", "BAD_RESPONSE"),
        (None, "BAD_RESPONSE"),
    ],
)
def test_errors_are_known_by_their_words(error: object, reason: str) -> None:
    for field in ("error", "message"):
        failure = failure_of(parse_answer(_json(success=False, **{field: error})))
        assert failure is not None
        assert (failure.reason, failure.repeat.pauses) == (reason, ())


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'"x"', b'{"a":1,}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_answer_is_a_bad_response(body: bytes) -> None:
    with pytest.raises(BadProviderResponse):
        parse_answer(body)


_FIELDS = [
    "success",
    "action",
    "error",
    "message",
    "queueid",
    "uploaded_image",
    "data",
    "image",
    "forbidden_content",
]
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(["", "reconnect", "True", "LIMIT", "a.png"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=5),
    max_leaves=12,
)


@given(_JSON)
def test_no_answer_breaks_the_driver(document: object) -> None:
    try:
        answer = parse_answer(json.dumps(document).encode())
    except BadProviderResponse:
        return
    failure = failure_of(answer)
    assert failure is None or failure.repeat.pauses == ()
    assert isinstance(answer.link, str)


@given(st.text(max_size=40))
def test_no_link_breaks_the_driver(link: str) -> None:
    try:
        target = absolute_link(link, base_url=_BASE)
    except BadProviderResponse:
        return
    assert target.scheme in {"http", "https"}
    assert target.origin() is not None


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("image/r.png", f"{_SITE}/image/r.png"),
        ("/image/r.png", f"{_SITE}/image/r.png"),
        (f"{_SITE}/download.php?f=x%20y.png", f"{_SITE}/download.php?f=x%20y.png"),
        ("http://www.turbotext.ru/download.php?f=x.png", f"{_SITE}/download.php?f=x.png"),
        ("https://host.example/r.png?a=1&b=2", "https://host.example/r.png?a=1&b=2"),
        ("//host.example/r.png", "https://host.example/r.png"),
        ("https://me:secret@www.turbotext.ru/r.png", f"{_SITE}/r.png"),
        ("image/фото 1.png", f"{_SITE}/image/%D1%84%D0%BE%D1%82%D0%BE%201.png"),
    ],
)
def test_links_are_resolved_against_the_root_of_the_site(link: str, target: str) -> None:
    assert str(absolute_link(link, base_url=_BASE)) == target


@given(st.integers(201, 599))
def test_every_status_has_a_reason(status: int) -> None:
    error = refused(status, retry_after=None)
    assert isinstance(error, ProviderError)
    assert bool(error.repeat.pauses) == (status >= 500)
