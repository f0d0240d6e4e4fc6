"""Writes one object: as a single PUT where it fits into one part, else in parts."""

import asyncio
import re
from collections.abc import Mapping
from html import unescape
from typing import Final
from xml.sax.saxutils import escape

import aiohttp
import structlog
from yarl import URL

from photochanger_media.adapters.s3.errors import check_status, storage_errors
from photochanger_media.adapters.s3.held import Part, PartMemory, RecentObjects
from photochanger_media.adapters.s3.signing import Signer
from photochanger_media.application.ports import ObjectMissing
from photochanger_media.domain.errors import StorageUnavailable

_log = structlog.stdlib.get_logger(__name__)

MIN_PART_BYTES: Final = 5 * 1024 * 1024
"""The least S3 takes for a part that is not the last."""
_ABORT_SECONDS: Final = 5.0
_UPLOAD_ID: Final = re.compile(r"<UploadId>([^<]+)</UploadId>")
_TAG: Final = re.compile(r"<ETag>([^<]+)</ETag>")


class S3ObjectWriter:
    """Collects one part after the other: while a part is on its way, no more is taken.

    An object that went in one part is left with `recent`, if there is one.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        signer: Signer,
        key: str,
        *,
        mime_type: str,
        part_bytes: int,
        memory: PartMemory,
        recent: RecentObjects | None = None,
    ) -> None:
        self._session = session
        self._signer = signer
        self._key = key
        self._mime_type = mime_type
        self._part_bytes = part_bytes
        self._memory = memory
        self._recent = recent
        self._part = Part(memory)
        self._upload_id: str | None = None
        self._tags: list[str] = []
        self._finished = False

    async def write(self, data: bytes) -> None:
        """Takes the next bytes."""
        if self._part.size + len(data) > self._part_bytes and self._part.size >= MIN_PART_BYTES:
            await self._send_part()
        self._part.add(data)

    async def commit(self) -> str:
        """Makes the object readable; returns its tag."""
        if self._upload_id is None:
            pieces = self._part.pieces if self._recent is not None else None
            tag = await self._put("store", self._signer.url("PUT", self._key), self._mime_type)
            if self._recent is not None and pieces is not None:
                self._recent.keep(self._key, tag, pieces)
        else:
            await self._send_part()
            tag = await self._complete(self._upload_id)
        self._finished = True
        return tag

    async def discard(self) -> None:
        """Gives up. What was sent in parts is removed now, or by a sweep."""
        self._part.close()
        if self._upload_id is None or self._finished:
            return
        self._finished = True
        url = self._signer.url("DELETE", self._key, query={"uploadId": self._upload_id})
        try:
            async with asyncio.timeout(_ABORT_SECONDS), self._session.delete(url) as response:
                await response.read()
        except (aiohttp.ClientError, OSError) as error:
            _log.warning("storage.abort_failed", error=type(error).__name__)

    async def _send_part(self) -> None:
        if self._upload_id is None:
            self._upload_id = await self._begin()
        query = {"partNumber": str(len(self._tags) + 1), "uploadId": self._upload_id}
        self._tags.append(await self._put("store a part", self._signer.url("PUT", self._key, query=query)))

    async def _put(self, what: str, url: URL, mime_type: str | None = None) -> str:
        headers = {"Content-Length": str(self._part.size)}
        if mime_type is not None:
            headers["Content-Type"] = mime_type
        with storage_errors(what):
            async with self._session.put(url, data=self._part, headers=headers) as response:
                _check_stored(what, response)
                tag = plain_tag(response.headers.get("ETag", ""))
                await response.read()
        self._part.close()
        self._part = Part(self._memory)
        return tag

    async def _begin(self) -> str:
        url = self._signer.url("POST", self._key, query={"uploads": ""})
        return await self._post(
            "begin a large object", url, _UPLOAD_ID, headers={"Content-Type": self._mime_type}
        )

    async def _complete(self, upload_id: str) -> str:
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(tag)}</ETag></Part>"
            for number, tag in enumerate(self._tags, start=1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        url = self._signer.url("POST", self._key, query={"uploadId": upload_id})
        return plain_tag(await self._post("finish a large object", url, _TAG, data=body))

    async def _post(
        self,
        what: str,
        url: URL,
        wanted: re.Pattern[str],
        *,
        data: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> str:
        with storage_errors(what):
            async with self._session.post(url, data=data, headers=headers) as response:
                _check_stored(what, response)
                answer = await response.text()
        found = wanted.search(answer)
        # S3 may answer 200 and tell of a failure in the body:
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
        if found is None:
            raise StorageUnavailable(f"{what}: an unexpected answer")
        return unescape(found[1])


def plain_tag(tag: str) -> str:
    """Returns an ETag without its quotes."""
    return tag.strip('"')


def _check_stored(what: str, response: aiohttp.ClientResponse) -> None:
    try:
        check_status(what, response)
    except ObjectMissing as error:
        # Here it is the bucket, or an upload in parts that somebody removed.
        raise StorageUnavailable(f"{what}: status {response.status}") from error
