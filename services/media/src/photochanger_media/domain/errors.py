"""What media refuses, and why.

ServiceError
├── MediaNotFound           no such object, or it was deleted
├── MediaExpired            it was there; its retention is over
├── MediaNotPublic          it may not leave the platform
├── RangeNotSatisfiable     no byte of the wanted range exists
├── PayloadTooLarge         more bytes than allowed
├── UnsupportedMediaType    not JPEG, PNG or WebP
├── BrokenPicture           the bytes are no whole picture
├── TooManyPixels           larger than the limits allow
├── LinkNotFound            no such link
├── LinkExpired             it was there; its time is over
├── LinksNotConfigured      nobody said under which address links are reached
└── Unavailable
    └── StorageUnavailable  the bucket does not answer as it should
"""

from datetime import timedelta

from photochanger_chassis.errors import ErrorKind, ServiceError, Unavailable

_STORAGE_RETRY = timedelta(seconds=1)


class MediaNotFound(ServiceError):
    """There is no such object, somebody deleted it, or it has no preview."""

    kind, reason = ErrorKind.NOT_FOUND, "MEDIA_NOT_FOUND"

    def __init__(self, media_object_id: str, *, preview: bool = False) -> None:
        super().__init__(
            f"Media object {media_object_id} has no preview (yet): only results and templates get one."
            if preview
            else f"There is no media object {media_object_id}.",
            mediaObjectId=media_object_id,
        )


class MediaExpired(ServiceError):
    """The object's retention is over, whether or not its bytes are still there."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "MEDIA_EXPIRED"

    def __init__(self, media_object_id: str) -> None:
        super().__init__(f"Media object {media_object_id} has expired.", mediaObjectId=media_object_id)


class MediaNotPublic(ServiceError):
    """Only results, previews, templates and temporary objects may be linked."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "MEDIA_NOT_PUBLIC"

    def __init__(self, media_object_id: str) -> None:
        super().__init__(
            f"Media object {media_object_id} is private. Upload a temporary object and link that.",
            mediaObjectId=media_object_id,
        )


class RangeNotSatisfiable(ServiceError):
    """The wanted range lies outside the object."""

    kind, reason = ErrorKind.OUT_OF_RANGE, "RANGE_NOT_SATISFIABLE"

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"The range lies outside the {size_bytes} bytes.", sizeBytes=str(size_bytes))


class PayloadTooLarge(ServiceError):
    """More bytes came than are allowed. `size_bytes` is what had arrived when it was noticed."""

    kind, reason = ErrorKind.INVALID_ARGUMENT, "PAYLOAD_TOO_LARGE"

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"The picture has at least {size_bytes} bytes; at most {limit_bytes} are taken.",
            sizeBytes=str(size_bytes),
            limitBytes=str(limit_bytes),
        )


class UnsupportedMediaType(ServiceError):
    """The picture is neither JPEG nor PNG nor WebP, by what was declared or by its content."""

    kind, reason = ErrorKind.INVALID_ARGUMENT, "UNSUPPORTED_MEDIA_TYPE"


class BrokenPicture(ServiceError):
    """The bytes are not a whole, well-formed picture."""

    kind, reason = ErrorKind.INVALID_ARGUMENT, "BROKEN_IMAGE"


class TooManyPixels(ServiceError):
    """The picture declares itself larger than the limits allow."""

    kind, reason = ErrorKind.INVALID_ARGUMENT, "TOO_MANY_PIXELS"

    def __init__(self, message: str, *, width_px: int, height_px: int) -> None:
        super().__init__(message, widthPx=str(width_px), heightPx=str(height_px))


class LinkNotFound(ServiceError):
    """No such link. Says nothing of the token, which is a secret."""

    kind, reason = ErrorKind.NOT_FOUND, "LINK_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such link.")


class LinkExpired(ServiceError):
    """The link, or what it points at, has ended."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "LINK_EXPIRED"

    def __init__(self) -> None:
        super().__init__("The link has expired.")


class LinksNotConfigured(ServiceError):
    """Links need an address that the outside world can reach."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "LINKS_NOT_CONFIGURED"

    def __init__(self) -> None:
        super().__init__("Set PUBLIC_MEDIA_BASE_URL to the address at which providers reach this platform.")


class StorageUnavailable(Unavailable):
    """The bucket cannot be reached or refuses."""

    reason = "STORAGE_UNAVAILABLE"

    def __init__(self, what: str) -> None:
        super().__init__(f"The storage does not work: {what}.", retry_after=_STORAGE_RETRY)
