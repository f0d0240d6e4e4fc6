"""The platform's settings, and what providers there are."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import (
    CHANGE_ERRORS,
    ETAG,
    ExpectedVersion,
    etag,
    json_answer,
)
from photochanger_gateway.adapters.http.public import error_answers
from photochanger_gateway.adapters.http.settings_models import (
    ProviderBody,
    ProviderList,
    SettingsBody,
    SettingsChange,
)
from photochanger_gateway.adapters.http.signed_in import CurrentAdmin, SignedIn
from photochanger_gateway.adapters.http.urls import BaseUrl
from photochanger_gateway.application.change_settings import ChangeSettings
from photochanger_gateway.application.ports_admin import Catalogue, Configuration
from photochanger_gateway.domain.configuration import PlatformSettings


@dataclass(frozen=True, slots=True)
class SettingsRoutes:
    """The routes of settings and providers."""

    signed_in: SignedIn
    configuration: Configuration
    catalogue: Catalogue
    change_settings: ChangeSettings
    base_url: BaseUrl

    def router(self) -> APIRouter:
        """The routes."""
        router = self.signed_in.router("settings")
        router.add_api_route(
            "/api/settings",
            self._get,
            methods=["GET"],
            operation_id="get_settings",
            summary="The platform's settings",
            responses={200: {"model": SettingsBody, "description": "Never a secret.", "headers": ETAG}},
        )
        router.add_api_route(
            "/api/settings",
            self._update,
            methods=["PUT"],
            operation_id="update_settings",
            summary="Change the platform's settings",
            description="What is absent stays as it is. Keys are stored first, one by one, and stay stored where the "
            "settings are refused; `If-Match` is about the settings alone.",
            responses={
                200: {"model": SettingsBody, "description": "The settings since then.", "headers": ETAG},
                **CHANGE_ERRORS,
                **error_answers(
                    s501="There is no key to keep providers' keys with: `secrets_not_configured`."
                ),
            },
        )
        router.add_api_route(
            "/api/providers",
            self._providers,
            methods=["GET"],
            operation_id="list_providers",
            summary="What providers there are, what they can do and how they are",
            responses={200: {"model": ProviderList, "description": "By id."}},
        )
        return router

    async def _get(self, request: Request) -> Response:
        return await self._answer(request, await self.configuration.get())

    async def _update(
        self,
        request: Request,
        admin: CurrentAdmin,
        change: Annotated[SettingsChange, Body()],
        version: ExpectedVersion,
    ) -> Response:
        settings = await self.change_settings(
            admin, change.edit(), change.provider_keys, expected_version=version
        )
        return await self._answer(request, settings)

    async def _providers(self) -> Response:
        return json_answer(ProviderList([ProviderBody.of(item) for item in await self.catalogue.list()]))

    async def _answer(self, request: Request, settings: PlatformSettings) -> Response:
        keys = await self.catalogue.keys()
        body = SettingsBody.of(settings, keys, self.base_url.addresses(request))
        return json_answer(body, headers=etag(settings.version))
