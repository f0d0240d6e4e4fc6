"""Routes for signed-in admins: `APIRouter(tags=["admins"], route_class=signed_in.route_class())`.

Such a route checks who asks before anything of the request's body is read, and its endpoint gets the admin by a
parameter `admin: CurrentAdmin`.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from photochanger_chassis.clock import Clock
from starlette.responses import Response

from photochanger_gateway.adapters.http.clients import ClientAddress
from photochanger_gateway.adapters.http.public import error_answers
from photochanger_gateway.application.sign_in import Tokens
from photochanger_gateway.domain.admins import Admin, SignedBy
from photochanger_gateway.domain.refusals import InvalidToken, MissingToken

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER: Final = "X-CSRF-Token"
SECURITY_SCHEMES: Final = {
    "adminToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "adminCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "photochanger",
        "description": "`__Host-photochanger` over https. Unsafe methods need the header `X-CSRF-Token`, too.",
    },
}
_SECURITY: Final[list[dict[str, list[str]]]] = [{"adminToken": []}, {"adminCookie": []}]
_CSRF_PARAMETER: Final = {
    "name": CSRF_HEADER,
    "in": "header",
    "required": False,
    "description": "The session's, from `POST /api/login` or `GET /api/me`. Needed with the cookie only.",
    "schema": {"type": "string"},  # without bounds: with a bearer token it is not looked at
}
_UNAUTHORIZED: Final = error_answers(s401="Not signed in: `missing_token`, `invalid_token`, `token_expired`.")
_FORBIDDEN: Final = error_answers(s403="The cookie came without its CSRF token: `csrf_failed`.")


class SignedIn:
    """Says who is signed in."""

    def __init__(self, tokens: Tokens, clients: ClientAddress, clock: Clock) -> None:
        self._tokens = tokens
        self._clients = clients
        self._clock = clock

    async def __call__(self, request: Request) -> Admin:
        """Returns the admin who sent the request.

        Raises:
            MissingToken, InvalidToken, TokenExpired: nobody is signed in.
        """
        header = request.headers.get("authorization")
        if header is None:
            raise MissingToken
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise InvalidToken
        username = self._tokens.read(token.strip(), now=self._clock.now())
        return Admin(username, self._clients.of(request), "", SignedBy.BEARER)

    def route_class(self) -> type[APIRoute]:
        """The class of routes that want a signed-in admin. They describe in OpenAPI what that asks and answers."""
        signed_in = self

        class AdminRoute(APIRoute):
            def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
                unsafe = not set(options.get("methods") or ()) <= SAFE_METHODS
                extra = dict(options.pop("openapi_extra", None) or {})
                extra.setdefault("security", _SECURITY)
                if unsafe:
                    extra["parameters"] = [*extra.get("parameters", ()), _CSRF_PARAMETER]
                answers = {
                    **_UNAUTHORIZED,
                    **(_FORBIDDEN if unsafe else {}),
                    **(options.pop("responses", None) or {}),
                }
                super().__init__(path, endpoint, responses=answers, openapi_extra=extra, **options)

            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                handle = super().get_route_handler()

                async def checked(request: Request) -> Response:
                    request.state.admin = await signed_in(request)
                    return await handle(request)

                return checked

        return AdminRoute


def _current(request: Request) -> Admin:
    admin = request.state.admin
    if not isinstance(admin, Admin):
        raise TypeError("A route with `CurrentAdmin` is not of `SignedIn.route_class()`.")
    return admin


CurrentAdmin = Annotated[Admin, Depends(_current)]
"""An endpoint's parameter: the admin who asks."""
