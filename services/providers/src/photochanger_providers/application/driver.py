"""What the service wants from a driver, and what it gives to one.

A driver speaks to one provider: it translates a request into the provider's words, and the answer back into a
picture file or a `ProviderError`. It knows no queue, lease, store or retry; repeats are decided above it,
from the `Repeat` an error carries. A driver is one file in `drivers/`: its `ProviderInfo`, its schemas, its
class, and a `DRIVER = DriverEntry(info, build)`, listed once in `drivers/registry.py` (see
`drivers/entry.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from photochanger_chassis.deadline import Deadline

from photochanger_providers.domain.catalogue import JsonObject, OperationId
from photochanger_providers.domain.picture import Picture, Template

Fact = str | int | float | bool


class PublicLinks(Protocol):
    """Lends pictures to a provider that fetches them itself."""

    async def url_of(self, picture: Picture) -> str:
        """Returns a public URL of the picture that works until the request's deadline and is 410 afterwards.

        Raises:
            ProviderMisconfigured: the installation has no public base URL.
            StorageUnavailable: the picture could not be stored.
        """
        ...


class Workspace(Protocol):
    """A job's own directory for temporary files; all of it is removed when the job's work ends."""

    def new_file(self, suffix: str) -> Path:
        """Returns the path of a file that does not exist yet, for example for suffix `.png`."""
        ...


@dataclass(frozen=True, slots=True)
class DriverRequest:
    """One photo to run.

    `settings` fit the operation's schema, have their defaults filled in and their placeholders rendered.
    `templates` are in the slot's order. `deadline` leaves time to check and store the result; when it passes,
    the driver is cancelled. `api_key` is empty for a provider that needs none.
    """

    operation_id: OperationId
    settings: JsonObject
    photo: Picture
    templates: tuple[Template, ...]
    deadline: Deadline
    workspace: Workspace
    links: PublicLinks
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DriverResult:
    """The provider's picture, unchecked, in a file of the request's workspace.

    `model` is the provider's model as it named itself, or empty. `provider_calls` counts in-call repeats too,
    but not polling. `facts` go to the log: ids, token counts, finish reasons; never pictures, prompts or
    URLs.
    """

    path: Path
    model: str = ""
    provider_calls: int = 1
    facts: Mapping[str, Fact] = field(default_factory=dict)


class Driver(Protocol):
    """Speaks to one provider. One instance serves all jobs of a process, in parallel."""

    async def process(self, request: DriverRequest) -> DriverResult:
        """Runs one photo through the provider.

        Raises:
            ProviderError: one of its subclasses, with its `repeat` facts.
        """
        ...

    async def check_health(self, api_key: str) -> None:
        """Asks for a sign of life that costs no picture. Cancelled after a second.

        Raises:
            ProviderError: there was none.
        """
        ...

    async def close(self) -> None:
        """Gives back what the driver itself opened (worker processes); not the HTTP client."""
        ...
