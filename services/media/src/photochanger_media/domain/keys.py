"""Where each kind of object lies in the bucket."""

import re
from typing import Final

from photochanger_imaging.formats import ImageFormat

from photochanger_media.domain.media_object import JobId, MediaId, MediaKind, SlotId

PREFIXES = ("inputs/", "results/", "templates/", "temporary/")
"""Everything this service stores is under one of these; it never touches anything else in the bucket."""

_OBJECT_KEY: Final = re.compile(
    r"(?:inputs/[^/]+/[^/]+|templates/[^/]+|temporary)/[0-9a-f]{32}\.(?:jpg|png|webp)"
    r"|templates/[^/]+/[0-9a-f]{32}\.preview\.(?:jpg|png|webp)"
    r"|results/[^/]+/[^/]+/(?:payload|preview)\.(?:jpg|png|webp)"
)


def object_key(
    kind: MediaKind,
    image_format: ImageFormat,
    *,
    media_id: MediaId,
    slot_id: SlotId | None,
    job_id: JobId | None,
    template_id: MediaId | None = None,
) -> str:
    """Returns the key of an object. `template_id` is what a preview shows, where that is a template.

    A job has one result and one preview, at fixed keys, and so has a template its preview; everything else has its
    id in the key.
    """
    extension = image_format.extension
    match kind:
        case MediaKind.PREVIEW if template_id is not None:
            return f"templates/{slot_id or 'shared'}/{template_id}.preview.{extension}"
        case MediaKind.RESULT:
            return f"results/{slot_id}/{job_id}/payload.{extension}"
        case MediaKind.PREVIEW:
            return f"results/{slot_id}/{job_id}/preview.{extension}"
        case MediaKind.INPUT:
            return f"inputs/{slot_id}/{job_id}/{media_id}.{extension}"
        case MediaKind.TEMPLATE:
            return f"templates/{slot_id or 'shared'}/{media_id}.{extension}"
        case MediaKind.TEMPORARY:
            return f"temporary/{media_id}.{extension}"


def lock_name(key: str) -> str:
    """Returns the name under which changes to `key` exclude each other.

    A job's result and preview share one, whatever their formats; so a preview is never made of a result that is
    being replaced.
    """
    return key.rpartition("/")[0] if key.startswith("results/") else key


def is_object_key(key: str) -> bool:
    """Whether `key` has a form that `object_key` gives. Servers may list scratch files of their own, too."""
    return _OBJECT_KEY.fullmatch(key) is not None
