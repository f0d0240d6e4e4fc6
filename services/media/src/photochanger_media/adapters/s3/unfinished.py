"""Finds uploads in parts that nobody finished."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from minio import Minio


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upload in parts, begun and neither finished nor given up."""

    key: str
    upload_id: str
    begun_at: datetime


def list_unfinished(client: Minio, bucket: str, prefixes: Sequence[str]) -> list[Unfinished]:
    """Lists them; blocks. At most 1000, the rest shows once these are gone."""
    # minio has no public call for this: https://github.com/minio/minio-py/blob/master/minio/api.py
    listed = client._list_multipart_uploads(bucket)
    return [
        Unfinished(upload.object_name, upload.upload_id, upload.initiated_time)
        for upload in listed.uploads
        if upload.upload_id is not None
        and upload.initiated_time is not None
        and upload.object_name.startswith(tuple(prefixes))
    ]
