"""Sends messages to clients' URLs, which may lead anywhere: only ever to addresses that the policy permits.

A name is resolved once for each attempt, every address it leads to is looked at, and the connection is made to
just those, so that DNS cannot change its mind in between. Below that stands a second guard, which looks at the
address of each socket before it is made: whatever a URL is taken for on the way, nothing else is connected to.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from photochanger_chassis.clock import Clock
from yarl import URL

from photochanger_ingest.domain.address import AddressPolicy
from photochanger_ingest.domain.webhook import SendError, Sent

_USER_AGENT: Final = "PhotoChanger-Webhooks/1"
_AT_ONCE: Final = 100
# Nothing of an answer but its head is of interest; this much of a body may wait in memory until it is dropped.
_READ_BUFFER_BYTES: Final = 4096


class AddressRefused(OSError):
    """A URL leads where nothing may be sent."""


class HttpReceivers:
    """Keeps the promises of `application.deliver_webhook.Receivers`."""

    def __init__(self, session: aiohttp.ClientSession, timeout: timedelta, clock: Clock) -> None:
        """Takes a session made by `open_receivers`, and how long an attempt may take in all."""
        self._session = session
        self._timeout = timeout
        self._clock = clock

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sent:
        """See the port."""
        started_at = self._clock.now()
        status: int | None = None
        error: SendError | None = None
        retry_after: timedelta | None = None
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                response = await self._session.post(
                    _parsed(url),
                    data=body,
                    headers={"Content-Type": "application/json", "User-Agent": _USER_AGENT, **headers},
                    allow_redirects=False,
                )
            # The body is not read, and may never end.
            response.close()
            status = response.status
            retry_after = _pause_of(response.headers.get("Retry-After", ""), self._clock.now())
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            error = _error_of(failure)
        duration = max(self._clock.now() - started_at, timedelta())
        if status is None:
            return Sent(started_at, duration, error=error)
        return Sent.answered(status, started_at=started_at, duration=duration, retry_after=retry_after)


@asynccontextmanager
async def open_receivers(
    policy: AddressPolicy,
    *,
    timeout: timedelta,  # noqa: ASYNC109 - a setting, not this call's own limit
    clock: Clock,
    resolver: AbstractResolver | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> AsyncIterator[HttpReceivers]:
    """Opens what sends to receivers. Connections are not kept: none is ever another client's."""
    connector = aiohttp.TCPConnector(
        limit=_AT_ONCE,
        force_close=True,
        use_dns_cache=False,
        resolver=_PermittedNames(resolver or ThreadedResolver(), policy),
        socket_factory=_PermittedSockets(policy),
        ssl=ssl_context or True,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        # One limit for all of it, where it is sent.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        read_bufsize=_READ_BUFFER_BYTES,
    ) as session:
        yield HttpReceivers(session, timeout, clock)


class _PermittedNames(AbstractResolver):
    """Resolves names, and refuses those of which any address is not permitted."""

    def __init__(self, inner: AbstractResolver, policy: AddressPolicy) -> None:
        self._inner = inner
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        results = await self._inner.resolve(host, port, family)
        if not all(self._policy.permits(result["host"]) for result in results):
            raise AddressRefused("The name leads to an address nothing may be sent to.")
        return results

    async def close(self) -> None:
        await self._inner.close()


class _PermittedSockets:
    """Makes the socket of a connection, unless its address is not permitted."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy

    def __call__(self, info: tuple[Any, ...]) -> socket.socket:  # what `getaddrinfo` returns, families mixed
        family, kind, protocol, _, address = info
        if not self._policy.permits(str(address[0])):
            raise AddressRefused("Nothing may be sent to this address.")
        return socket.socket(family, kind, protocol)


def _parsed(url: str) -> URL:
    # The URL goes onto the wire as it is, so nothing may be in it that ends a line or a word there.
    if not all("!" <= character <= "~" for character in url):
        raise AddressRefused("This is no URL.")
    try:
        parsed = URL(url, encoded=True)
    except ValueError as error:
        raise AddressRefused("This is no URL.") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host or "@" in parsed.raw_authority:
        raise AddressRefused("Only http and https, to a host, without a user's name.")
    return parsed


def _error_of(failure: BaseException) -> SendError:
    causes = [failure]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    if any(isinstance(each, AddressRefused | aiohttp.InvalidURL) for each in causes):
        return SendError.ADDRESS_REFUSED
    if isinstance(failure, TimeoutError):
        return SendError.TIMEOUT
    if isinstance(failure, aiohttp.ClientConnectorDNSError):
        return SendError.NAME_NOT_FOUND
    if any(isinstance(each, aiohttp.ClientSSLError | ssl.SSLError | ssl.CertificateError) for each in causes):
        return SendError.TLS
    return SendError.CONNECTION


def _pause_of(text: str, now: datetime) -> timedelta | None:
    """Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or an instant. What is neither asks for nothing."""
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text[:9]), 10**9))
    try:
        return max(parsedate_to_datetime(text) - now, timedelta())
    except (ValueError, TypeError):
        return None
