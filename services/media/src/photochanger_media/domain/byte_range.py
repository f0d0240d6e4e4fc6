"""Parts of an object's bytes."""

from dataclasses import dataclass

from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_media.domain.errors import RangeNotSatisfiable


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes that exist: the first one and how many."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes that are wanted, as asked for."""

    offset: int = 0
    """First byte; negative: that many bytes from the end."""
    length: int = 0
    """0: to the end. Cut at the end. Must be 0 when `offset` is negative."""

    def of(self, size_bytes: int) -> Span:
        """Returns the bytes that are meant in an object of `size_bytes`.

        Raises:
            InvalidArgument: the range contradicts itself.
            RangeNotSatisfiable: it begins behind the object's end.
        """
        if self.length < 0 or (self.offset < 0 and self.length > 0):
            raise InvalidArgument(
                "The range contradicts itself.",
                field_violations=(
                    FieldViolation("range.length", "at least 0, and 0 with a negative offset"),
                ),
            )
        if self.offset < 0:
            length = min(-self.offset, size_bytes)
            return Span(size_bytes - length, length)
        if self.offset >= size_bytes:
            raise RangeNotSatisfiable(size_bytes)
        rest = size_bytes - self.offset
        return Span(self.offset, min(self.length, rest) if self.length else rest)
