"""URLs of the bucket, signed here without any network."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from minio import Minio
from yarl import URL

# A URL is used at once; this only has to cover clocks that differ.
_OWN_USE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Address:
    """Where the bucket is, and how to get in."""

    endpoint_url: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str
    bucket: str

    def client(self) -> Minio:
        """Returns a blocking client. The region is given, so that signing needs no network."""
        parts = urlsplit(self.endpoint_url)
        return Minio(
            parts.netloc,
            secure=parts.scheme == "https",
            region=self.region,
            access_key=self.access_key,
            secret_key=self.secret_key,
        )


class Signer:
    """Signs URLs (AWS Signature Version 4, in the query). About 30 microseconds each."""

    def __init__(self, address: S3Address) -> None:
        self._client = address.client()
        self._bucket = address.bucket

    def url(
        self, method: str, key: str, *, lifetime: timedelta = _OWN_USE, query: dict[str, str] | None = None
    ) -> URL:
        """Returns the URL that allows `method` on `key` for a while."""
        signed: str = self._client.get_presigned_url(
            method,
            bucket_name=self._bucket,
            object_name=key,
            expires=lifetime,
            extra_query_params=dict(query or {}),
        )
        # Already encoded; encoding it again would break the signature.
        return URL(signed, encoded=True)
