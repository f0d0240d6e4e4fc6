"""Routes for programs: `router(scope)` of `Keyed`.

Such a route checks the API key and counts the request before anything of its body is read, and its endpoint gets the
client by a parameter `client: CurrentClient`.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from photochanger_chassis.errors import ServiceError
from starlette.responses import Response

from photochanger_gateway.adapters.http.clients import ClientAddress
from photochanger_gateway.adapters.http.public import COMMON_ERRORS, error_answers
from photochanger_gateway.adapters.http.standings import STANDING_HEADERS, take, with_standings
from photochanger_gateway.application.ports_clients import ApiKeys
from photochanger_gateway.application.rate_limits import RateLimiter, Rule
from photochanger_gateway.domain.clients import Client, Scope, is_api_key
from photochanger_gateway.domain.refusals import InsufficientScope, InvalidApiKey, MissingApiKey

KEY_HEADER: Final = "X-API-Key"
SECURITY_SCHEMES: Final = {
    "apiKeyBearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "pc_…",
        "description": "An API key, which an admin makes.",
    },
    "apiKeyHeader": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
}
SECURITY: Final[list[dict[str, list[str]]]] = [{"apiKeyBearer": []}, {"apiKeyHeader": []}]
_REFUSALS: Final = error_answers(s401="No API key, or none of ours: `missing_api_key`, `invalid_api_key`.")


@dataclass(frozen=True, slots=True)
class Keyed:
    """Says which client asks: by `Authorization: Bearer pc_…` or, where that has no key, by `X-API-Key`."""

    keys: ApiKeys
    limiter: RateLimiter
    requests: Rule
    wrong_keys: Rule
    addresses: ClientAddress

    async def client_of(self, request: Request) -> Client:
        """Returns the client who sent the request.

        Raises:
            MissingApiKey, InvalidApiKey: there is no key, or none of ours.
            RateLimited: too many wrong keys came from the address.
            ServiceError: nobody can tell now.
        """
        secret = _secret(request)
        address = self.addresses.of(request)
        await self.limiter.check(self.wrong_keys, address)
        try:
            return await self.verified(secret)
        except ServiceError as error:
            if error.reason == InvalidApiKey.reason:
                await self.limiter.take(self.wrong_keys, address)
            raise

    async def verified(self, secret: str) -> Client:
        """Returns the client whose key this is. Raises as `client_of` does."""
        key = await self.keys.verify(secret)
        return Client(key.client_id, key.id, key.scopes)

    async def still_good(self, request: Request, scope: Scope) -> bool:
        """Whether the request's key still opens what it opened; true while nobody can tell."""
        try:
            return scope in (await self.verified(_secret(request))).scopes
        except ServiceError as error:
            return error.reason != InvalidApiKey.reason

    def router(self, scope: Scope) -> APIRouter:
        """A router for routes that want a key with a scope."""
        return APIRouter(
            tags=["programs"], route_class=self.route_class(scope), default_response_class=Response
        )

    def route_class(self, scope: Scope) -> type[APIRoute]:
        """The class of its routes. They describe in OpenAPI what a key asks and answers, and the errors all have."""
        keyed = self

        class ClientRoute(APIRoute):
            def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
                extra = dict(options.pop("openapi_extra", None) or {})
                extra.setdefault("security", SECURITY)
                answers = {
                    **COMMON_ERRORS,
                    **_REFUSALS,
                    **error_answers(s403=f"The key lacks the scope `{scope.value}`: `insufficient_scope`."),
                    **(options.pop("responses", None) or {}),
                }
                answers = {
                    status: {**answer, "headers": {**STANDING_HEADERS, **answer.get("headers", {})}}
                    if status not in _UNCOUNTED
                    else answer
                    for status, answer in answers.items()
                }
                super().__init__(path, endpoint, responses=answers, openapi_extra=extra, **options)

            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                handle = super().get_route_handler()

                async def checked(request: Request) -> Response:
                    client = await keyed.client_of(request)
                    if scope not in client.scopes:
                        raise InsufficientScope(scope.value)
                    await take(request, keyed.limiter, keyed.requests, client.id)
                    request.state.client = client
                    return with_standings(request, await handle(request))

                return checked

        return ClientRoute


_UNCOUNTED: Final = frozenset({401, 403, 500, 503, 504})
"""Answers that may come before anything was counted."""


def _secret(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        secret = token.strip()
    elif (offered := request.headers.get(KEY_HEADER)) is not None:
        secret = offered.strip()
    else:
        raise MissingApiKey
    if not is_api_key(secret):
        raise InvalidApiKey
    return secret


async def _current(request: Request) -> Client:  # async: anything else would be run in a thread
    client = request.state.client
    if not isinstance(client, Client):
        raise TypeError("A route with `CurrentClient` is not of `Keyed.router()`.")
    return client


CurrentClient = Annotated[Client, Depends(_current)]
"""An endpoint's parameter: the client who asks."""
