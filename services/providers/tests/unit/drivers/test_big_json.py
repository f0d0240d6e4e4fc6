import base64
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from photochanger_providers.drivers.big_json import BadJson, decoded_base64, read_big_json

_LONG = 16 * 1024
_PIECE = 256 * 1024
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["\\", '"', "\\u", "é" * 9000]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
same_file = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@same_file
@given(document=documents, ascii_only=st.booleans(), indent=st.sampled_from([None, 2]))
def test_a_document_of_short_strings_is_read_as_ever(
    tmp_path: Path, document: object, ascii_only: bool, indent: int | None
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode())
    read = read_big_json(path)

    def restored(value: object) -> object:
        match value:
            case str():
                return b"".join(read.pieces(value)).decode()
            case list():
                return [restored(item) for item in value]
            case dict():
                return {restored(key): restored(item) for key, item in value.items()}
            case _:
                return value

    assert restored(read.document) == document


@same_file
@given(
    before=st.integers(0, 40),
    length=st.sampled_from([0, _LONG - 1, _LONG, _LONG + 1, _PIECE - 9, _PIECE, _PIECE * 2 + 3]),
    escaped=st.booleans(),
)
def test_a_long_string_comes_back_byte_for_byte_wherever_it_lies(
    tmp_path: Path, before: int, length: int, escaped: bool
) -> None:
    path, data = tmp_path / "a.json", bytes(range(256)) * (length // 256 + 1)
    text = json.dumps({"pad": "x" * before, "data": base64.b64encode(data[:length]).decode(), "after": "ok"})
    if escaped:  # as encoders do that think of HTML
        text = text.replace("/", "\\/").replace("=", "\\u003d").replace("+", "\\u002b")
    path.write_text(text)
    read = read_big_json(path)
    assert isinstance(read.document, dict)
    assert read.document["after"] == "ok"
    assert b"".join(decoded_base64(read.pieces(read.document["data"]))) == data[:length]


def test_an_answer_cannot_name_another_string_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(["x" * 100_000, "0-0", "0"]))
    read = read_big_json(path)
    assert isinstance(read.document, list)
    assert b"".join(read.pieces(read.document[1])) == b"0-0"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b'{"a":"unfinished',
        b'{"a":"' + b"x" * 50_000,
        b'{"a":"\\',
        b"[" * 200_000,
        b"[" + b'"",' * 600_000 + b'""]',
        b'{"a":1} {"b":2}',
        b"\xff\xfe{\x00}\x00",
        b"1" * 10_000,
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_no_document_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(BadJson):
        read_big_json(path)


@pytest.mark.parametrize("escape", ["\\u00", "\\uZZZZ", "\\x41", "\\ud800"])
def test_a_malformed_escape_in_a_long_string_is_refused(tmp_path: Path, escape: str) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"data":"' + "A" * 20_000 + escape + '"}')
    read = read_big_json(path)
    assert isinstance(read.document, dict)
    with pytest.raises(ValueError):
        b"".join(decoded_base64(read.pieces(read.document["data"])))


@example(data=b"\0", cuts=[3], safe=False)
@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 300), max_size=6), safe=st.booleans())
def test_base64_decodes_the_same_however_it_is_cut(data: bytes, cuts: list[int], safe: bool) -> None:
    text = base64.urlsafe_b64encode(data).rstrip(b"=") if safe else base64.encodebytes(data)
    marks = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[a:b] for a, b in itertools.pairwise(marks)]
    assert b"".join(decoded_base64(pieces)) == data


@pytest.mark.parametrize(
    "pieces",
    [
        [b"%%%"],
        [b"QUJD="],
        [b"QUI=", b"QUJD"],
        [b"QUI=", b"\n", b"QUJD"],
        [b"A"],
        [b"=AAA"],
        [b"QQ==QQ=="],
        [b"QQ=", b"Q"],
    ],
)
def test_what_is_no_base64_is_refused(pieces: list[bytes]) -> None:
    with pytest.raises(ValueError):
        b"".join(decoded_base64(pieces))
