"""The address guests and cameras reach the gateway at."""

from dataclasses import dataclass

from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """`configured` is PUBLIC_MEDIA_BASE_URL; without it the address the client itself used counts."""

    configured: str | None

    def of(self, request: Request) -> str:
        """The base URL, without a slash at its end."""
        return (self.configured or str(request.base_url)).rstrip("/")
