"""A bench on which a driver works as it does in the service, against a server of one's choice. For tests.

Everything around the driver is real (retry layer, check of results, HTTP client) but time, the breaker and
the links: pauses take no time, the breaker only takes notes, and links come from whatever the test offers.
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final, Self

from photochanger_chassis.concurrency import ByteBudget, Workers
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.testing import ManualClock
from photochanger_imaging.probe import probe

from photochanger_providers.adapters.workspace import open_workspace
from photochanger_providers.application.ask_provider import Answer, AskProvider
from photochanger_providers.application.driver import DriverRequest, PublicLinks
from photochanger_providers.application.pictures import Pictures
from photochanger_providers.application.settings_schema import checked_settings, model_of, rendered_settings
from photochanger_providers.application.work_log import WorkLog
from photochanger_providers.domain.breaker import Verdict
from photochanger_providers.domain.catalogue import JsonValue, ProviderId
from photochanger_providers.domain.errors import ProviderMisconfigured
from photochanger_providers.domain.picture import MimeType, Picture, Template
from photochanger_providers.drivers.entry import DriverEntry, DriverTools
from photochanger_providers.drivers.http import ProviderHttp, open_foreign_session, open_trusted_session

_MIME_TYPES: Final[Mapping[str, MimeType]] = {
    "image/jpeg": "image/jpeg",
    "image/png": "image/png",
    "image/webp": "image/webp",
}


class NoLinks:
    """Links of an installation without a public base URL."""

    async def url_of(self, picture: Picture) -> str:
        """Raises ProviderMisconfigured."""
        raise ProviderMisconfigured("There is no public base URL.", provider_calls=0)


class NotingBreakers:
    """Breakers that never open, and remember what was said about the provider."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []

    async def peek(self, provider_id: ProviderId, model: str, *, now: datetime) -> timedelta | None:
        """Lets everybody in."""
        return None

    async def enter(self, provider_id: ProviderId, model: str, *, now: datetime) -> timedelta | None:
        """Lets everybody in."""
        return None

    async def record(self, provider_id: ProviderId, model: str, verdict: Verdict, *, now: datetime) -> None:
        """Remembers the verdict."""
        self.verdicts.append(verdict)

    async def reset(self, provider_id: ProviderId) -> None:
        """Does nothing."""

    async def any_open(self, provider_id: ProviderId, *, now: datetime) -> bool:
        """Says that none is."""
        return False


class NoMeasures:
    """Counts nothing."""

    def provider_call(self, provider_id: str, model: str, outcome: str, duration: timedelta) -> None:
        """Does nothing."""

    def repeat(self, provider_id: str, reason: str) -> None:
        """Does nothing."""

    def finished(self, provider_id: str, outcome: str) -> None:
        """Does nothing."""

    def stage(self, provider_id: str, stage: str, duration: timedelta) -> None:
        """Does nothing."""

    def jobs_under_way(self, count: int) -> None:
        """Does nothing."""


class DriverBench:
    """Runs photos through a driver. An async context manager; files are in `directory`."""

    def __init__(
        self,
        entry: DriverEntry,
        *,
        base_url: str,
        api_key: str,
        directory: Path,
        links: PublicLinks | None = None,
        memory_bytes: int = 256 * 1024 * 1024,
    ) -> None:
        self.clock = ManualClock()
        self.pauses: list[float] = []
        self.log = WorkLog()
        self.verdicts: list[Verdict] = []
        self._entry = entry
        self._base_url = base_url
        self._api_key = api_key
        self._directory = directory
        self._links = links or NoLinks()
        self._memory = ByteBudget(memory_bytes)
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        trusted = await self._opened.enter_async_context(open_trusted_session())
        foreign = await self._opened.enter_async_context(open_foreign_session())
        threads = await self._opened.enter_async_context(Workers(2))
        self.driver = self._entry.build(
            DriverTools(
                http=ProviderHttp(base_url=self._base_url, trusted=trusted, foreign=foreign),
                memory=self._memory,
                clock=self.clock,
                random=Random(1),  # noqa: S311 - jitter
                pause=self._pause,
                models_dir=self._directory,
                cores=1,
            )
        )
        self._opened.push_async_callback(self.driver.close)
        self._workspace = self._opened.enter_context(open_workspace(self._directory))
        self._pictures = Pictures(threads=threads, memory=self._memory)
        breakers = NotingBreakers()
        self.verdicts = breakers.verdicts
        self._ask = AskProvider(
            breakers=breakers,
            measures=NoMeasures(),
            clock=self.clock,
            random=Random(1),  # noqa: S311 - jitter
            pause=self._pause,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    async def run(
        self,
        operation_id: str,
        photo: Picture,
        settings: Mapping[str, JsonValue],
        *,
        templates: Sequence[Template] = (),
        fields: Mapping[str, str] | None = None,
        seconds: float = 60.0,
    ) -> Answer:
        """Asks the provider, again where that is safe, with `seconds` left, and checks what comes.

        Raises:
            ProviderError: as the service would get it.
        """
        self.log = WorkLog()
        operation = self._entry.info.operation(operation_id)
        if operation is None:
            raise ValueError(f"there is no operation {operation_id}")
        filled = checked_settings(operation, settings, [template.role for template in templates])
        request = DriverRequest(
            operation_id=operation.id,
            settings=rendered_settings(operation, filled, fields or {}),
            photo=photo,
            templates=tuple(templates),
            deadline=Deadline.after(self.clock.now(), timedelta(seconds=seconds)),
            workspace=self._workspace,
            links=self._links,
            api_key=self._api_key,
        )
        return await self._ask(
            self.driver,
            request,
            provider_id=self._entry.info.id,
            model=model_of(filled),
            check=lambda path: self._pictures.check(path, photo=photo),
            log=self.log,
        )

    async def check_health(self) -> None:
        """Asks the driver for a sign of life."""
        await self.driver.check_health(self._api_key)

    async def _pause(self, length: timedelta) -> None:
        self.pauses.append(length.total_seconds())
        self.clock.advance(length)


def picture_at(path: Path) -> Picture:
    """Describes a picture file."""
    data = path.read_bytes()
    info = probe(data)
    width_px, height_px = info.upright_size
    return Picture(path, _MIME_TYPES[info.format.mime], len(data), width_px, height_px)
