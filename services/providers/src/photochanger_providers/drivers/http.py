"""How drivers speak HTTP: no redirects, no proxies from the environment, bounded answers, errors named.

A provider's answer is hostile input. Requests to the provider's own base URL go where the operator said. A
link found in an answer may point anywhere: one of another origin must be https and resolve to public
addresses only, and the connection is made to exactly the addresses that were looked at, so that DNS cannot
change its mind.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from photochanger_chassis.concurrency import gathered
from yarl import URL

from photochanger_providers.domain.errors import BadProviderResponse, NetworkFailed
from photochanger_providers.domain.repeat import Repeat
from photochanger_providers.drivers.body import RequestBody

CHUNK_BYTES: Final = 256 * 1024
_SMALL_ANSWER_BYTES: Final = 1024 * 1024
_CONNECT_SECONDS: Final = 5.0
_READ_BUFFER_BYTES: Final = 256 * 1024
_GATHERED_BYTES: Final = 1024 * 1024  # what goes to a thread at once: each trip costs
_ODD_LINK: Final = "The provider's answer links to an address that is not public and https."
# Global by `ipaddress`, yet they lead to private IPv4 addresses: NAT64 and 6to4.
_TRANSLATED: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"))


class ProviderAnswer:
    """The head of an answer, and ways to read its body that never hold more than they were allowed."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; names compare without case."""
        return self._response.headers

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; `application/octet-stream` where none came."""
        return self._response.content_type.lower()

    async def read(self, limit_bytes: int = _SMALL_ANSWER_BYTES) -> bytes:
        """Returns the body of an answer that is small by nature; big ones are saved instead.

        Raises:
            BadProviderResponse: it is longer than `limit_bytes`.
        """
        body = bytearray()
        async for chunk in self._bounded(limit_bytes):
            body += chunk
        return bytes(body)

    async def save(self, path: Path, limit_bytes: int) -> int:
        """Writes the body to a new file and returns its size in bytes.

        Raises:
            BadProviderResponse: it is longer than `limit_bytes`.
        """
        size = 0
        file = await asyncio.to_thread(path.open, "xb")
        try:
            async for chunks in gathered(self._bounded(limit_bytes), _GATHERED_BYTES):
                await asyncio.to_thread(file.writelines, chunks)
                size += sum(map(len, chunks))
        finally:
            await asyncio.to_thread(file.close)
        return size

    async def _bounded(self, limit_bytes: int) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._response.content.iter_chunked(CHUNK_BYTES):
            size += len(chunk)
            if size > limit_bytes:
                raise BadProviderResponse(
                    f"The provider's answer is larger than {limit_bytes} bytes.", limitBytes=str(limit_bytes)
                )
            yield chunk


class ProviderHttp:
    """An HTTP client for one provider. Sessions are injected, shared and closed by whoever made them."""

    def __init__(
        self, *, base_url: str, trusted: aiohttp.ClientSession, foreign: aiohttp.ClientSession
    ) -> None:
        """Takes the session for `base_url`, and one made by `open_foreign_session` for everything else."""
        self.base_url: Final = base_url.rstrip("/")
        self._trusted = trusted
        self._foreign = foreign

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: RequestBody | None = None,
        if_not_sent: Repeat | None = None,
        if_lost: Repeat | None = None,
    ) -> AsyncIterator[ProviderAnswer]:
        """Sends a request and gives the answer, whatever its status; the body is read inside the block.

        A `url` that begins with `/` is a path below the base URL; any other is absolute. It is given to the
        client as it is, query included. Time is bounded by the caller (`asyncio.timeout`).

        Raises:
            NetworkFailed: no connection (its repeat is `if_not_sent`: nothing can have been accepted), or it
            broke
                later, while the body is read included (`if_lost`). Both are never repeated when absent.
            BadProviderResponse: a redirect, or a link that leads where no picture may come from.
        """
        target = _parsed(self.base_url + url if url.startswith("/") else url)
        session = self._session_for(target)
        all_headers = dict(headers or {})
        if body is not None:
            all_headers |= {"Content-Type": body.content_type, "Content-Length": str(body.content_length)}
        with _network_errors(if_not_sent or Repeat.never(), if_lost or Repeat.never()):
            async with session.request(
                method,
                target,
                headers=all_headers,
                data=body.chunks() if body is not None else None,
                allow_redirects=False,
            ) as response:
                if 300 <= response.status < 400:  # noqa: PLR2004 - the class of redirects
                    raise BadProviderResponse(
                        "The provider answered with a redirect, which is not followed. Check its base URL."
                    )
                yield ProviderAnswer(response)

    def _session_for(self, target: URL) -> aiohttp.ClientSession:
        if target.origin() == URL(self.base_url).origin():
            return self._trusted
        host = target.host or ""
        if target.scheme != "https" or not (_is_name(host) or is_public_address(host)):
            raise BadProviderResponse(
                "The provider's answer links to an address that is not public and https."
            )
        return self._foreign


def open_trusted_session() -> aiohttp.ClientSession:
    """Opens the session for the providers' own base URLs. The caller closes it."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=_timeouts(),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        read_bufsize=_READ_BUFFER_BYTES,
    )


def open_foreign_session() -> aiohttp.ClientSession:
    """Opens the session for links in answers: it connects to public addresses only. The caller closes it."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, resolver=PublicResolver(ThreadedResolver()), use_dns_cache=False
        ),
        timeout=_timeouts(),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        read_bufsize=_READ_BUFFER_BYTES,
    )


def _parsed(url: str) -> URL:
    # The URL goes onto the wire as it is, so nothing may be in it that ends a line or a word there.
    if not all("!" <= character <= "~" for character in url):
        raise BadProviderResponse(_ODD_LINK)
    try:
        parsed = URL(url, encoded=True)
    except ValueError as error:
        raise BadProviderResponse(_ODD_LINK) from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise BadProviderResponse(_ODD_LINK)
    return parsed


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses a name of which any address is not public."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Returns the name's addresses; `OSError` where one of them is not public."""
        results = await self._inner.resolve(host, port, family)
        if not all(is_public_address(result["host"]) for result in results):
            raise OSError("The name leads to an address that is not public.")
        return results

    async def close(self) -> None:
        """Closes the resolver behind it."""
        await self._inner.close()


def _timeouts() -> aiohttp.ClientTimeout:
    # Everything but connecting is bounded by the caller's deadline.
    return aiohttp.ClientTimeout(total=None, connect=None, sock_connect=_CONNECT_SECONDS, sock_read=None)


def _is_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(host)
    return False


def is_public_address(host: str) -> bool:
    """Tells whether a text is an IP address of the public Internet."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast


@contextmanager
def _network_errors(if_not_sent: Repeat, if_lost: Repeat) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise NetworkFailed("No connection to the provider.", repeat=if_not_sent, provider_calls=0) from error
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        raise NetworkFailed("The connection to the provider broke.", repeat=if_lost) from error
