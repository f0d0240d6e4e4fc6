"""Routes for signed-in admins: `router("admins")` of `SignedIn`.

Such a route checks who asks before anything of the request's body is read, and its endpoint gets the admin by a
parameter `admin: CurrentAdmin`.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from photochanger_gateway.adapters.http import cookies
from photochanger_gateway.adapters.http.clients import ClientAddress
from photochanger_gateway.adapters.http.public import COMMON_ERRORS, error_answers
from photochanger_gateway.application.sessions import CsrfTokens, Sessions
from photochanger_gateway.domain.admins import Admin, SignedBy
from photochanger_gateway.domain.refusals import CsrfFailed, InvalidToken, MissingToken

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER: Final = "X-CSRF-Token"
_OUR_SITES: Final = frozenset({"same-origin", "none"})
"""`none`: typed, or opened from a bookmark."""
SECURITY_SCHEMES: Final = {
    "adminToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "adminCookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": cookies.NAME,
        "description": f"`{cookies.SECURE_NAME}` over https. Unsafe methods need the header `X-CSRF-Token`, too.",
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
    """Says who is signed in: by a bearer token or, where none is sent, by a session's cookie."""

    def __init__(self, sessions: Sessions, csrf: CsrfTokens, clients: ClientAddress) -> None:
        self._sessions = sessions
        self._csrf = csrf
        self._clients = clients

    async def __call__(self, request: Request) -> Admin:
        """Returns the admin who sent the request.

        Raises:
            MissingToken, InvalidToken, TokenExpired: nobody is signed in.
            CsrfFailed: a change is asked for with the cookie alone.
            SessionsUnavailable: nobody can tell.
        """
        authorization = request.headers.get("authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            if scheme.lower() != "bearer" or not token:
                raise InvalidToken
            session = await self._sessions.find(token.strip(), SignedBy.BEARER)
        else:
            cookie = request.cookies.get(cookies.name_for(request))
            if cookie is None:
                raise MissingToken
            session = await self._sessions.find(cookie, SignedBy.COOKIE)
            if request.method not in SAFE_METHODS:
                self._refuse_forged(request, session.id)
        return Admin(
            session.username, self._clients.of(request), session.id, session.signed_by, session.expires_at
        )

    def _refuse_forged(self, request: Request, session_id: str) -> None:
        """Both the session's own token, and what the browser says about the page that sends the request.

        Source: OWASP's Cross-Site Request Forgery Prevention Cheat Sheet, "Fetch Metadata headers".
        """
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site is not None:
            ours = site in _OUR_SITES
        else:
            ours = (
                origin is None or urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
            )
        if not ours or not self._csrf.matches(session_id, request.headers.get(CSRF_HEADER, "")):
            raise CsrfFailed

    def router(self, *tags: str) -> APIRouter:
        """A router for routes that want a signed-in admin."""
        return APIRouter(tags=list(tags), route_class=self._route_class(), default_response_class=Response)

    def _route_class(self) -> type[APIRoute]:
        """Its routes describe in OpenAPI what a login asks and answers, and the errors that all routes have."""
        signed_in = self

        class AdminRoute(APIRoute):
            def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
                unsafe = not set(options.get("methods") or ()) <= SAFE_METHODS
                extra = dict(options.pop("openapi_extra", None) or {})
                extra.setdefault("security", _SECURITY)
                if unsafe:
                    extra["parameters"] = [*extra.get("parameters", ()), _CSRF_PARAMETER]
                answers = {
                    **COMMON_ERRORS,
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


async def _current(request: Request) -> Admin:  # async: anything else would be run in a thread
    admin = request.state.admin
    if not isinstance(admin, Admin):
        raise TypeError("A route with `CurrentAdmin` is not of `SignedIn.router()`.")
    return admin


CurrentAdmin = Annotated[Admin, Depends(_current)]
"""An endpoint's parameter: the admin who asks."""
