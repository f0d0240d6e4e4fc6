"""`CatalogueService`."""

import json

from photochanger.providers.v1 import catalogue_service_pb2 as messages
from photochanger.providers.v1 import provider_pb2
from photochanger.providers.v1.catalogue_service_pb2_grpc import CatalogueServiceServicer

from photochanger_providers.adapters.grpc.fields import Context, json_object, page
from photochanger_providers.adapters.outcome_codec import timestamp
from photochanger_providers.application.catalogue import Catalogue, CatalogueEntry, HealthReport, HealthState
from photochanger_providers.domain.catalogue import Operation

_STATES: dict[HealthState, provider_pb2.ProviderHealthState.ValueType] = {
    HealthState.HEALTHY: provider_pb2.PROVIDER_HEALTH_STATE_HEALTHY,
    HealthState.DEGRADED: provider_pb2.PROVIDER_HEALTH_STATE_DEGRADED,
    HealthState.NOT_CONFIGURED: provider_pb2.PROVIDER_HEALTH_STATE_NOT_CONFIGURED,
}


class CatalogueServicer(CatalogueServiceServicer):
    """Translates calls to `Catalogue`."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def ListProviders(  # noqa: N802 - named by the proto
        self,
        request: messages.ListProvidersRequest,
        context: Context,
    ) -> messages.ListProvidersResponse:
        """Lists all providers, by id."""
        del context
        entries, token = page(
            await self._catalogue.providers(), page_size=request.page_size, page_token=request.page_token
        )
        return messages.ListProvidersResponse(
            providers=[_provider(entry) for entry in entries], next_page_token=token
        )

    async def ValidateSettings(  # noqa: N802 - named by the proto
        self,
        request: messages.ValidateSettingsRequest,
        context: Context,
    ) -> messages.ValidateSettingsResponse:
        """Checks a slot's settings against the operation's schema."""
        del context
        settings = self._catalogue.validate(
            request.provider_id,
            request.operation_id,
            json_object(request.settings_json),
            list(request.template_roles),
        )
        return messages.ValidateSettingsResponse(settings_json=json.dumps(settings, ensure_ascii=False))

    async def CheckHealth(  # noqa: N802 - named by the proto
        self,
        request: messages.CheckHealthRequest,
        context: Context,
    ) -> messages.CheckHealthResponse:
        """Asks each configured provider for a sign of life."""
        del context
        reports = await self._catalogue.health(request.provider_id)
        return messages.CheckHealthResponse(
            reports=[
                messages.ProviderReport(provider_id=report.provider_id, health=_health(report))
                for report in reports
            ]
        )


def _provider(entry: CatalogueEntry) -> provider_pb2.Provider:
    return provider_pb2.Provider(
        id=entry.info.id,
        title=entry.info.title,
        operations=[_operation(operation) for operation in entry.info.operations],
        configured=entry.configured,
        requires_public_media=entry.info.requires_public_media,
        health=_health(entry.health),
    )


def _operation(operation: Operation) -> provider_pb2.Operation:
    return provider_pb2.Operation(
        id=operation.id,
        title=operation.title,
        settings_schema_json=json.dumps(operation.settings_schema, ensure_ascii=False),
        template_roles=[
            provider_pb2.TemplateRole(
                id=role.id, title=role.title, required=role.required, max_count=role.max_count
            )
            for role in operation.template_roles
        ],
    )


def _health(report: HealthReport) -> provider_pb2.ProviderHealth:
    return provider_pb2.ProviderHealth(
        state=_STATES[report.state], detail=report.detail, checked_at=timestamp(report.checked_at)
    )
