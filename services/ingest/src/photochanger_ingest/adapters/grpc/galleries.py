"""`GalleryService`."""

from typing import Any, Final

import grpc
from photochanger.ingest.v1 import gallery_service_pb2, gallery_service_pb2_grpc

from photochanger_ingest.adapters.grpc.fields import invalid
from photochanger_ingest.adapters.messages import job_message, timestamp
from photochanger_ingest.application.share_galleries import ShareGalleries

_Context = grpc.aio.ServicerContext[Any, Any]

_MOST_PICTURES: Final = 10


class GalleryServicer(gallery_service_pb2_grpc.GalleryServiceServicer):
    """Translates calls into use cases."""

    def __init__(self, galleries: ShareGalleries) -> None:
        self._galleries = galleries

    async def ShareGalleries(  # noqa: N802 - gRPC's name
        self, request: gallery_service_pb2.ShareGalleriesRequest, context: _Context
    ) -> gallery_service_pb2.ShareGalleriesResponse:
        """See the contract."""
        share = await self._galleries.open(requested_by=request.requested_by)
        return gallery_service_pb2.ShareGalleriesResponse(
            share_until=timestamp(share.share_until), requested_at=timestamp(share.requested_at)
        )

    async def ListSharedGalleries(  # noqa: N802 - gRPC's name
        self, request: gallery_service_pb2.ListSharedGalleriesRequest, context: _Context
    ) -> gallery_service_pb2.ListSharedGalleriesResponse:
        """See the contract."""
        if not 0 <= request.pictures_per_slot <= _MOST_PICTURES:
            raise invalid("pictures_per_slot", f"0 to {_MOST_PICTURES}")
        share, galleries = await self._galleries.list(per_slot=request.pictures_per_slot or _MOST_PICTURES)
        return gallery_service_pb2.ListSharedGalleriesResponse(
            share_until=timestamp(share.share_until),
            galleries=[
                gallery_service_pb2.SharedGallery(
                    slot_id=gallery.slot_id,
                    slot_display_name=gallery.slot_display_name,
                    jobs=[job_message(job) for job in gallery.jobs],
                )
                for gallery in galleries
            ],
        )
