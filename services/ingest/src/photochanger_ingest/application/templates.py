"""Template images: what slots and test runs may name, and when one may go."""

from collections.abc import Iterable, Set
from typing import Final

import structlog
from photochanger_chassis.errors import RemoteError

from photochanger_ingest.application.outside import Media
from photochanger_ingest.application.store import Store
from photochanger_ingest.domain.errors import MediaNotFound, TemplateInUse, TemplateNotFound
from photochanger_ingest.domain.ids import MediaObjectId
from photochanger_ingest.domain.picture import MediaKind
from photochanger_ingest.domain.slot import Template

_log = structlog.stdlib.get_logger(__name__)

OF_SLOTS: Final = frozenset({MediaKind.TEMPLATE})
OF_TEST_RUNS: Final = frozenset({MediaKind.TEMPLATE, MediaKind.TEMPORARY})
"""A test run may use an image before it is made a template."""

_NO_SUCH_OBJECT: Final = frozenset({"MEDIA_NOT_FOUND", "INVALID_ARGUMENT"})


class Templates:
    """Checks and deletes template images, whose bytes the media service has."""

    def __init__(self, store: Store, media: Media) -> None:
        self._store = store
        self._media = media

    async def require(self, templates: Iterable[Template], *, of: Set[MediaKind] = OF_SLOTS) -> None:
        """Raises `TemplateNotFound` for the first that is not there, or no picture of one of these kinds."""
        for media_object_id in dict.fromkeys(template.media_object_id for template in templates):
            if await self._media.kind_of(media_object_id) not in of:
                raise TemplateNotFound(media_object_id)

    async def delete(self, media_object_id: MediaObjectId) -> None:
        """Deletes a template that no slot uses. Deleting twice is no error.

        Older versions of slots may name it still; they cannot be restored then.

        Raises:
            MediaNotFound: it never was, or is something else.
            TemplateInUse: a slot uses it now.
        """
        async with self._store.work() as work:
            # `Slots` binds templates under the same lock, so that none is bound between the look and the deletion.
            await work.slots.lock_templates()
            slot_ids = await work.slots.slots_with_template(media_object_id)
            if slot_ids:
                raise TemplateInUse(media_object_id, slot_ids)
            if await self._media.kind_of(media_object_id) not in {None, MediaKind.TEMPLATE}:
                raise MediaNotFound(media_object_id)
            try:
                await self._media.delete(media_object_id)
            except RemoteError as error:
                if error.reason in _NO_SUCH_OBJECT:
                    raise MediaNotFound(media_object_id) from error
                raise
        _log.info("template.deleted")
