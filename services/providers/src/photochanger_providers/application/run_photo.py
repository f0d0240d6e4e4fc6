"""One photo's way through a provider: fetch, prepare, ask, check, store."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

from photochanger_chassis.clock import Clock
from photochanger_chassis.concurrency import collapse_group
from photochanger_chassis.deadline import Deadline

from photochanger_providers.application.ask_provider import Answer, AskProvider
from photochanger_providers.application.driver import Driver, DriverRequest, Workspace
from photochanger_providers.application.insist import insist
from photochanger_providers.application.pictures import Pictures
from photochanger_providers.application.ports import BreakerStore, Measures, Media, Pause, PlaceLender
from photochanger_providers.application.provider_keys import KeyRing
from photochanger_providers.application.settings_schema import checked_settings, model_of, rendered_settings
from photochanger_providers.application.work_log import WorkLog
from photochanger_providers.domain.catalogue import JsonObject, Operation, ProviderId, ProviderInfo
from photochanger_providers.domain.errors import (
    InvalidSettings,
    ProviderAuthFailed,
    ProviderMisconfigured,
    ProviderUnavailable,
)
from photochanger_providers.domain.order import Order, Succeeded
from photochanger_providers.domain.picture import Picture, Template

_T = TypeVar("_T")
_MOST_RESERVE: Final = timedelta(seconds=2)
_RESERVE_SHARE: Final = 0.1
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Provider:
    """A registered provider with its driver. `limit` bounds calls under way over all replicas."""

    info: ProviderInfo
    driver: Driver
    limit: int


Providers = Mapping[ProviderId, Provider]


@dataclass(slots=True)
class _Lender:
    """Lends pictures of one order until its work ends."""

    media: Media
    order: Order

    async def url_of(self, picture: Picture) -> str:
        """Returns a public URL of the picture."""
        return await self.media.lend(picture, self.order, until=self.order.ends)


class RunPhoto:
    """Runs one photo through its provider and stores the result."""

    def __init__(
        self,
        *,
        providers: Providers,
        keys: KeyRing,
        breakers: BreakerStore,
        places: PlaceLender,
        ask: AskProvider,
        media: Media,
        pictures: Pictures,
        open_workspace: Callable[[], AbstractContextManager[Workspace]],
        measures: Measures,
        clock: Clock,
        pause: Pause,
    ) -> None:
        self._providers = providers
        self._keys = keys
        self._breakers = breakers
        self._places = places
        self._ask = ask
        self._media = media
        self._pictures = pictures
        self._open_workspace = open_workspace
        self._measures = measures
        self._clock = clock
        self._pause = pause

    async def __call__(self, order: Order, log: WorkLog) -> Succeeded:
        """Returns the stored result; `log` tells what was done, also when there is none.

        Raises:
            ServiceError: one of `FAILURE_KINDS`' reasons.
        """
        provider, operation = self._operation_of(order)
        settings = _fitting(operation, order)
        model = model_of(settings)
        api_key = await self._insisted(lambda: self._keys.key_for(provider.info), order)
        if provider.info.needs_key and not api_key:
            raise ProviderAuthFailed(
                f"Provider '{order.provider_id}' has no API key. Store one, or set it in the environment.",
                provider_calls=0,
                providerId=order.provider_id,
            )
        away = await self._insisted(
            lambda: self._breakers.peek(order.provider_id, model, now=self._clock.now()), order
        )
        if away is not None:
            raise ProviderUnavailable(order.provider_id, model, retry_after=away)
        with self._open_workspace() as workspace:
            photo, templates = await self._fetch(order, workspace, log)
            request = DriverRequest(
                operation_id=operation.id,
                settings=rendered_settings(operation, settings, order.form_fields),
                photo=photo,
                templates=templates,
                deadline=self._driver_deadline(order),
                workspace=workspace,
                links=_Lender(self._media, order),
                api_key=api_key,
            )
            answer = await self._asked(provider, request, order, model, log)
            with log.stage("store"):
                picture = await self._pictures.in_format(answer.picture, order.output_format, workspace)
                stored = await self._insisted(lambda: self._media.store_result(picture, order), order)
        effort = log.effort
        for stage in effort.stages:
            self._measures.stage(order.provider_id, stage.name, stage.duration)
        return Succeeded(stored, effort.provider_calls, effort.stages, answer.model)

    def _operation_of(self, order: Order) -> tuple[Provider, Operation]:
        provider = self._providers.get(order.provider_id)
        operation = provider.info.operation(order.operation_id) if provider is not None else None
        if provider is None or operation is None:
            raise ProviderMisconfigured(
                f"There is no operation '{order.operation_id}' of a provider '{order.provider_id}'.",
                provider_calls=0,
                providerId=order.provider_id,
                operationId=order.operation_id,
            )
        return provider, operation

    def _driver_deadline(self, order: Order) -> Deadline:
        left = order.ends.remaining(self._clock.now())
        return order.ends.minus(min(_MOST_RESERVE, left * _RESERVE_SHARE))

    async def _fetch(
        self, order: Order, workspace: Workspace, log: WorkLog
    ) -> tuple[Picture, tuple[Template, ...]]:
        with log.stage("fetch"), collapse_group():
            async with asyncio.TaskGroup() as tasks:
                photo = tasks.create_task(self._picture(order.input_media_object_id, order, workspace))
                templates = [
                    tasks.create_task(self._picture(template.media_object_id, order, workspace))
                    for template in order.templates
                ]
        roles = (template.role for template in order.templates)
        return photo.result(), tuple(
            Template(role, task.result()) for role, task in zip(roles, templates, strict=True)
        )

    async def _picture(self, media_object_id: str, order: Order, workspace: Workspace) -> Picture:
        return await self._insisted(
            lambda: self._pictures.take_in(
                lambda: self._media.read(media_object_id, deadline=order.ends), workspace
            ),
            order,
        )

    async def _insisted(self, action: Callable[[], Awaitable[_T]], order: Order) -> _T:
        return await insist(action, deadline=order.ends, clock=self._clock, pause=self._pause)

    async def _asked(
        self, provider: Provider, request: DriverRequest, order: Order, model: str, log: WorkLog
    ) -> Answer:
        async def check(path: Path) -> Picture:
            with log.stage("check"):
                return await self._pictures.check(path, photo=request.photo)

        async with self._places.hold(order, provider.limit):
            with log.stage("provider"):
                return await self._ask(
                    provider.driver, request, provider_id=order.provider_id, model=model, check=check, log=log
                )


def _fitting(operation: Operation, order: Order) -> JsonObject:
    try:
        return checked_settings(operation, order.settings, [template.role for template in order.templates])
    except InvalidSettings as error:
        problems = "; ".join(f"{each.field} {each.description}" for each in error.field_violations[:_NAMED])
        raise ProviderMisconfigured(
            f"The slot's settings do not fit operation '{operation.id}': {problems}.", provider_calls=0
        ) from error
