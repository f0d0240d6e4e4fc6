"""API keys, as admins make and revoke them."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Path
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import BODY_ERRORS, PageQuery, json_answer
from photochanger_gateway.adapters.http.key_models import ApiKeyListBody, NewApiKeyBody, NewApiKeyChange
from photochanger_gateway.adapters.http.models import JOB_ID_PATTERN
from photochanger_gateway.adapters.http.public import error_answers
from photochanger_gateway.adapters.http.signed_in import CurrentAdmin, SignedIn
from photochanger_gateway.application.audit import Audit
from photochanger_gateway.application.ports_clients import ApiKeys

_CREATE_ERRORS: Final = {
    **BODY_ERRORS,
    **error_answers(
        s422="Fields are wrong, each named in `errors`: `invalid_request_body`; no such client: "
        "`api_client_not_found`."
    ),
}
_KeyPath = Annotated[str, Path(pattern=JOB_ID_PATTERN)]


@dataclass(frozen=True, slots=True)
class ApiKeyRoutes:
    """The routes of API keys."""

    signed_in: SignedIn
    keys: ApiKeys
    audit: Audit

    def router(self) -> APIRouter:
        """The routes."""
        router = self.signed_in.router("api keys")
        router.add_api_route(
            "/api/api-keys",
            self._list,
            methods=["GET"],
            operation_id="list_api_keys",
            summary="API keys, newest first",
            responses={200: {"model": ApiKeyListBody, "description": "A page of keys."}},
        )
        router.add_api_route(
            "/api/api-keys",
            self._create,
            methods=["POST"],
            operation_id="create_api_key",
            summary="Make an API key",
            description="For programs that use `/api/v1`. The answer holds the key itself, this once.",
            status_code=201,
            responses={201: {"model": NewApiKeyBody, "description": "It is made."}, **_CREATE_ERRORS},
        )
        router.add_api_route(
            "/api/api-keys/{api_key_id}",
            self._revoke,
            methods=["DELETE"],
            operation_id="revoke_api_key",
            summary="Revoke an API key",
            description="On every replica from the next request on. Jobs it opened go on. Twice is no error.",
            status_code=204,
            responses={
                204: {"description": "It is void."},
                **error_answers(s404="No such key: `api_key_not_found`."),
            },
        )
        return router

    async def _list(self, page: PageQuery) -> Response:
        return json_answer(ApiKeyListBody.of(await self.keys.list(page)))

    async def _create(self, admin: CurrentAdmin, change: NewApiKeyChange) -> Response:
        scopes = frozenset(change.scopes)
        facts = {"name": change.name, "scopes": " ".join(sorted(scopes))}
        async with self.audit.entry(admin, "api-key.create", facts=facts) as entry:
            new = await self.keys.create(
                change.name, scopes, client_id=change.client_id or "", by=admin.username
            )
            entry.add(api_key_id=new.key.id, client_id=new.key.client_id, last_four=new.key.last_four)
        return json_answer(NewApiKeyBody.of(new), status=201)

    async def _revoke(self, admin: CurrentAdmin, api_key_id: _KeyPath) -> Response:
        async with self.audit.entry(admin, "api-key.revoke", target=api_key_id):
            await self.keys.revoke(api_key_id, by=admin.username)
        return Response(status_code=204)
