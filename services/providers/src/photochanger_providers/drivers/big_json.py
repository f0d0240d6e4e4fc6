"""Reads JSON whose strings may be many megabytes long, without holding those strings.

An answer with a picture in it is one small document around one huge base64 string. Parsed the usual way it
takes three times its size in memory. Here the long strings stay in the file: the document has a name in their
place, by which they are read piece by piece. 30 answers of 20 MB at once then cost 30 pieces.
"""

import binascii
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PIECE_BYTES: Final = 256 * 1024
_LONG_BYTES: Final = 16 * 1024
_MOST_REST_BYTES: Final = 1024 * 1024
_QUOTE: Final = ord('"')
# Possessive, so that neither can be made to backtrack.
_STRING: Final = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_WHOLE_ESCAPES: Final = re.compile(rb"(?:[^\\]++|\\u[0-9a-fA-F]{4}|\\[^u])*+", re.DOTALL)
_STANDARD_ALPHABET: Final = bytes.maketrans(b"-_", b"+/")
_SPACE: Final = b" \t\r\n"
_ODD: Final = (b"-", b"_", b" ", b"\t", b"\r", b"\n")
_QUANTUM: Final = 4


class BadJson(ValueError):
    """The file is no JSON document, or one with more in it than a long string or two."""


@dataclass(frozen=True, slots=True)
class BigJson:
    """A document, and the file in which its long strings are."""

    document: object
    _path: Path
    _spans: Mapping[str, tuple[int, int]]

    def pieces(self, text: str) -> Iterator[bytes]:
        """Yields the bytes of a string of the document, long or short.

        Raises:
            ValueError: it has a malformed escape, or characters beyond ASCII where pieces meet.
        """
        if text not in self._spans:
            yield text.encode("utf-8", "replace")
            return
        at, end = self._spans[text]
        rest = b""
        with self._path.open("rb") as file:
            file.seek(at)
            while at < end:
                piece = file.read(min(_PIECE_BYTES, end - at))
                if not piece:
                    raise BadJson("The file has become shorter.")
                at += len(piece)
                whole, rest = _unescaped(rest + piece)
                yield whole
        if rest:
            raise BadJson("A string has a malformed escape.")


def read_big_json(path: Path) -> BigJson:
    """Reads a file of UTF-8 JSON. Blocks: call it in a thread.

    Raises:
        BadJson: it cannot be read, or is over a megabyte without its long strings.
    """
    outline, spans = _outlined(path)
    try:
        document: object = json.loads(outline.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadJson("This is not JSON.") from error
    return BigJson(document, path, spans)


def decoded_base64(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decodes base64 piece by piece: either alphabet, white space anywhere, padding at will.

    Raises:
        ValueError: it is not base64.
    """
    rest, ended = b"", False
    for piece in pieces:
        # Looking for six characters takes a fraction of translating.
        odd = any(character in piece for character in _ODD)
        text = rest + (piece.translate(_STANDARD_ALPHABET, _SPACE) if odd else piece)
        if ended and text:
            raise binascii.Error("There is more after the padding.")
        whole = len(text) - len(text) % _QUANTUM
        yield binascii.a2b_base64(text[:whole], strict_mode=True)
        # Padding may be cut in two: then its quantum is not whole yet.
        rest, ended = text[whole:], ended or text[:whole].endswith(b"=")
    if rest:
        yield binascii.a2b_base64(rest + b"=" * (-len(rest) % _QUANTUM), strict_mode=True)


def _outlined(path: Path) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """Returns the document with names for its long strings, and where in the file these are."""
    secret = secrets.token_hex(8)  # an answer must not be able to name strings itself
    outline, spans = bytearray(), dict[str, tuple[int, int]]()
    inside = long = False
    began = kept = 0
    rest = b""
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            data, at = rest + piece, 0
            offset = file.tell() - len(data)
            while at < len(data):
                if not inside:
                    quote = data.find(b'"', at)
                    end = quote + 1 or len(data)
                    outline += data[at:end]
                    inside, began, kept = quote >= 0, offset + end, len(outline)
                    at = end
                    continue
                end = _end_of_string(data, at)
                if not long:
                    outline += data[at:end]
                    if long := len(outline) - kept > _LONG_BYTES:
                        del outline[kept:]
                at = end
                if at == len(data) or data[at] != _QUOTE:
                    break  # goes on in the next piece, perhaps after a lone backslash
                if long:
                    name = f"{secret}-{len(spans)}"
                    spans[name] = (began, offset + at)
                    outline += name.encode()
                outline += b'"'
                inside = long = False
                at += 1
            rest = data[at:]
            if len(outline) > _MOST_REST_BYTES:
                raise BadJson("There is more in the document than its long strings.")
    return bytes(outline + rest), spans


def _end_of_string(data: bytes, at: int) -> int:
    """Returns where a string's inside ends in `data`: at its quote, before a lone backslash, or with the data."""
    quote = data.find(_QUOTE, at)
    end = quote if quote >= 0 else len(data)
    if data.find(b"\\", at, end) < 0:
        return end
    found = _STRING.match(data, at)
    return found.end() if found else at


def _unescaped(raw: bytes) -> tuple[bytes, bytes]:
    """Returns what the raw inside of a JSON string stands for, and an incomplete escape at its end."""
    if b"\\" not in raw:
        return raw, b""
    found = _WHOLE_ESCAPES.match(raw)
    end = found.end() if found else 0
    text: str = json.loads(b'"' + raw[:end] + b'"', strict=False)
    return text.encode("utf-8", "replace"), raw[end:]
