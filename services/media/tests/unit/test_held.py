"""Bytes held in memory: parts on their way, and objects stored a moment ago."""

import pytest
from photochanger_media.adapters.s3.held import Part, PartMemory, RecentObjects
from photochanger_media.domain.byte_range import Span

KEY, TAG = "results/slot-001/a/payload.jpg", "tag"


async def bytes_of(part: Part) -> bytes:
    return b"".join([piece async for piece in part])


async def test_a_part_within_the_memory_is_held_and_read_as_often_as_wanted() -> None:
    part = Part(PartMemory(10))
    part.add(b"12345")
    part.add(b"67890")

    assert part.size == 10
    assert part.pieces == (b"12345", b"67890")
    assert await bytes_of(part) == await bytes_of(part) == b"1234567890"


async def test_a_part_beyond_the_memory_goes_to_a_file_and_gives_its_memory_back() -> None:
    memory = PartMemory(10)
    part = Part(memory)
    part.add(b"12345")
    part.add(b"678901")
    part.add(b"2")

    assert part.pieces is None
    assert part.size == 12
    assert memory.take(10)
    assert await bytes_of(part) == await bytes_of(part) == b"123456789012"
    part.close()


async def test_a_closed_part_gives_its_memory_back_once() -> None:
    memory = PartMemory(10)
    part = Part(memory)
    part.add(b"1234567890")
    assert not memory.take(1)

    part.close()
    part.close()

    assert memory.take(10)
    assert not memory.take(1)


@pytest.mark.parametrize(("offset", "length"), [(0, 9), (0, 1), (2, 3), (3, 3), (8, 1), (1, 8), (4, 0)])
async def test_any_range_of_a_recent_object_is_what_was_stored(offset: int, length: int) -> None:
    recent = RecentObjects(100, largest_bytes=100)
    recent.keep(KEY, TAG, [b"123", b"456", b"789"])

    held = recent.pieces(KEY, TAG, Span(offset, length))

    assert held is not None
    assert b"".join(held) == b"123456789"[offset : offset + length]


async def test_pieces_are_no_larger_than_a_message_may_be() -> None:
    recent = RecentObjects(10_000_000, largest_bytes=10_000_000)
    data = bytes(range(256)) * 4096
    recent.keep(KEY, TAG, [data])

    held = recent.pieces(KEY, TAG, Span(1, len(data) - 1))

    assert held is not None
    assert max(map(len, held)) <= 256 * 1024
    assert b"".join(held) == data[1:]


async def test_other_bytes_under_the_key_are_not_taken_for_what_is_held() -> None:
    recent = RecentObjects(100, largest_bytes=100)
    recent.keep(KEY, TAG, [b"123"])

    assert recent.pieces(KEY, "other", Span(0, 3)) is None
    assert recent.pieces("other", TAG, Span(0, 3)) is None
    assert recent.pieces(KEY, TAG, Span(0, 4)) is None


async def test_the_oldest_objects_make_room_and_the_largest_are_not_kept() -> None:
    recent = RecentObjects(10, largest_bytes=5)
    for key in ("a", "b", "c"):
        recent.keep(key, TAG, [b"1234"])
    recent.keep("large", TAG, [b"123456"])

    assert recent.pieces("a", TAG, Span(0, 4)) is None
    assert recent.pieces("large", TAG, Span(0, 6)) is None
    assert recent.pieces("b", TAG, Span(0, 4)) == recent.pieces("c", TAG, Span(0, 4)) == [b"1234"]


async def test_a_forgotten_object_leaves_its_room_to_others() -> None:
    recent = RecentObjects(4, largest_bytes=4)
    recent.keep("a", TAG, [b"1234"])
    recent.forget("a")
    recent.forget("a")
    recent.keep("b", TAG, [b"1234"])

    assert recent.pieces("a", TAG, Span(0, 4)) is None
    assert recent.pieces("b", TAG, Span(0, 4)) == [b"1234"]
