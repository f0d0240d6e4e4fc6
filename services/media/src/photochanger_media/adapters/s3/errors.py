"""Translates what goes wrong with the bucket, once."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from minio.error import MinioException
from urllib3.exceptions import HTTPError

from photochanger_media.application.ports import ObjectMissing
from photochanger_media.domain.errors import StorageUnavailable

_NOT_FOUND = 404
_WRONG_TAG = 412
_BAD = 400


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turns errors of aiohttp, minio and the network in the block into StorageUnavailable.

    Messages name the step, never the URL: it carries a signature.
    """
    try:
        yield
    except aiohttp.ServerTimeoutError as error:
        raise StorageUnavailable(f"{what}: no answer in time") from error
    except aiohttp.ClientError as error:
        raise StorageUnavailable(f"{what}: {type(error).__name__}") from None
    except MinioException as error:
        raise StorageUnavailable(f"{what}: {getattr(error, 'code', type(error).__name__)}") from error
    except (HTTPError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise  # somebody's deadline: not ours to name
        raise StorageUnavailable(f"{what}: {type(error).__name__}") from error


def check_status(what: str, response: aiohttp.ClientResponse) -> None:
    """Raises ObjectMissing for 404 and 412, StorageUnavailable for any other refusal."""
    if response.status in {_NOT_FOUND, _WRONG_TAG}:
        raise ObjectMissing(what)
    if response.status >= _BAD:
        raise StorageUnavailable(f"{what}: status {response.status}")
