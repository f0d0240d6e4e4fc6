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
        return self.configured.rstrip("/") if self.configured else _used(request)

    def addresses(self, request: Request) -> "Addresses":
        """Both addresses, for an answer to an admin. Raises as `of` does."""
        return Addresses(public=self.of(request), own=_used(request))


@dataclass(frozen=True, slots=True)
class Addresses:
    """`public` is where guests and cameras reach the gateway, `own` where the admin who asks just did.

    What an admin's page shows itself comes from `own`: another origin has neither its cookie nor its leave.
    """

    public: str
    own: str

    def ingest(self, slot_id: str) -> str:
        """What a camera posts to."""
        return f"{self.public}/ingest/{slot_id}"

    def template_preview(self, media_object_id: str) -> str:
        """A template's preview, for signed-in admins."""
        return f"{self.own}/api/template-media/{media_object_id}/preview"

    def media(self, media_object_id: str) -> str:
        """A temporary picture, for signed-in admins."""
        return f"{self.own}/api/media/{media_object_id}"

    def api_job(self, job_id: str) -> str:
        """A job, for the program whose it is."""
        return f"{self.own}/api/v1/jobs/{job_id}"

    def job_input(self, job_id: str) -> str:
        """A job's photo, for signed-in admins."""
        return f"{self.own}/api/jobs/{job_id}/input"


def _used(request: Request) -> str:
    url = str(request.base_url).rstrip("/")
    if len(url) > _LONGEST:
        raise InvalidRequest("The Host header is longer than any host's name.")
    return url
