"""The address guests and cameras reach the gateway at."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from photochanger_gateway.domain.refusals import InvalidRequest

_LONGEST: Final = 300
"""A DNS name has 253 characters at most."""


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """`configured` is PUBLIC_MEDIA_BASE_URL; without it the address the client itself used counts."""

    configured: str | None

    def of(self, request: Request) -> str:
        """The base URL, without a slash at its end.

        Raises:
            InvalidRequest: none is configured and the request's `Host` is no host.
        """
        if self.configured:
            return self.configured.rstrip("/")
        url = str(request.base_url).rstrip("/")
        if len(url) > _LONGEST:
            raise InvalidRequest("The Host header is longer than any host's name.")
        return url
