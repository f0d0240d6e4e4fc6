"""What admins do over HTTP: sign in, open the galleries to guests."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Body, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from photochanger_gateway.adapters.http import cookies
from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.clients import ClientAddress
from photochanger_gateway.adapters.http.public import COMMON_ERRORS, error_answers
from photochanger_gateway.adapters.http.signed_in import CSRF_HEADER, CurrentAdmin, SignedIn
from photochanger_gateway.application.audit import Audit
from photochanger_gateway.application.ports import Ingest
from photochanger_gateway.application.sessions import LIFETIMES, CsrfTokens
from photochanger_gateway.application.sign_in import SignIn, SignOut
from photochanger_gateway.domain.admins import SignedBy

_NO_STORE: Final = {"Cache-Control": "no-store"}


CLIENT_HEADER: Final = "X-PhotoChanger-Client"
_CLIENT_PARAMETER: Final = {
    "name": CLIENT_HEADER,
    "in": "header",
    "required": False,
    "description": "`web` asks for a cookie.",
    "schema": {"type": "string"},
}


class Credentials(BaseModel):
    """A user name and a password."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=128, repr=False)


class TokenBody(BaseModel):
    """A token."""

    access_token: str = Field(max_length=2048)
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a kind of token, not a token
    expires_in: int = Field(description="Seconds.", ge=1, le=86400)


class WebSessionBody(BaseModel):
    """A session of a browser; its token is in the cookie."""

    token_type: Literal["cookie"] = "cookie"  # noqa: S105 - a kind of token, not a token
    expires_in: int = Field(description="Seconds.", ge=1, le=86400)
    csrf_token: str = Field(description=f"For the header `{CSRF_HEADER}`.", max_length=128)
    username: str = Field(max_length=64)


class MeBody(BaseModel):
    """Who is signed in."""

    username: str = Field(max_length=64)
    csrf_token: str | None = Field(description="Only for a session by cookie.", max_length=128)
    expires_at: str = Field(
        description="The session's end.", json_schema_extra={"format": "date-time"}, max_length=40
    )


class ShareBody(BaseModel):
    """The galleries are open."""

    status: Literal["enabled"] = "enabled"
    share_until: str = Field(json_schema_extra={"format": "date-time"}, max_length=40)
    requested_at: str = Field(json_schema_extra={"format": "date-time"}, max_length=40)


@dataclass(frozen=True, slots=True)
class AdminRoutes:
    """The admins' routes."""

    sign_in: SignIn
    sign_out: SignOut
    csrf: CsrfTokens
    signed_in: SignedIn
    audit: Audit
    ingest: Ingest
    clients: ClientAddress

    def router(self) -> APIRouter:
        """The routes."""
        router = self.signed_in.router("admins")
        router.add_api_route(
            "/api/login",
            self._login,
            methods=["POST"],
            operation_id="login",
            route_class_override=APIRoute,  # the one that needs no login
            summary="Sign in",
            description="With the header `X-PhotoChanger-Client: web` the token comes as a cookie, and its CSRF token "
            "in the body.",
            openapi_extra={"parameters": [_CLIENT_PARAMETER]},
            responses={
                200: {"model": TokenBody | WebSessionBody, "description": "A token, or a cookie."},
                **COMMON_ERRORS,
                **error_answers(
                    s401="Unknown account or wrong password: `invalid_credentials`.",
                    s429="Too many failures: `throttled`, with `Retry-After`.",
                ),
            },
        )
        router.add_api_route(
            "/api/logout",
            self._logout,
            methods=["POST"],
            operation_id="logout",
            summary="Sign out",
            description="The token, or the cookie, counts nowhere any more.",
            status_code=204,
            responses={204: {"description": "Signed out."}},
        )
        router.add_api_route(
            "/api/me",
            self._me,
            methods=["GET"],
            operation_id="get_me",
            summary="Who is signed in",
            responses={200: {"model": MeBody, "description": "The admin."}},
        )
        router.add_api_route(
            "/api/gallery/share",
            self._share,
            methods=["POST"],
            operation_id="share_galleries",
            summary="Open all galleries to guests for 15 minutes",
            responses={200: {"model": ShareBody, "description": "They are open."}},
        )
        return router

    async def _login(self, request: Request, credentials: Annotated[Credentials, Body()]) -> Response:
        web = request.headers.get(CLIENT_HEADER) == "web"
        signed = await self.sign_in(
            credentials.username,
            credentials.password,
            address=self.clients.of(request),
            signed_by=SignedBy.COOKIE if web else SignedBy.BEARER,
        )
        session = signed.session
        seconds = int(LIFETIMES[session.signed_by].total_seconds())
        if not web:
            return _json(TokenBody(access_token=signed.token, expires_in=seconds))
        answer = _json(
            WebSessionBody(
                expires_in=seconds, csrf_token=self.csrf.issue(session.id), username=session.username
            )
        )
        cookies.give(answer, request, signed.token, LIFETIMES[session.signed_by])
        return answer

    async def _logout(self, request: Request, admin: CurrentAdmin) -> Response:
        await self.sign_out(admin)
        answer = Response(status_code=204, headers=_NO_STORE)
        cookies.take_back(answer, request)
        return answer

    async def _me(self, admin: CurrentAdmin) -> Response:
        by_cookie = admin.signed_by is SignedBy.COOKIE
        return _json(
            MeBody(
                username=admin.username,
                csrf_token=self.csrf.issue(admin.session_id) if by_cookie else None,
                expires_at=rfc3339(admin.expires_at) or "",
            )
        )

    async def _share(self, admin: CurrentAdmin) -> Response:
        async with self.audit.entry(admin, "gallery.share"):
            share = await self.ingest.share_galleries(admin.username)
        return _json(
            ShareBody(
                share_until=rfc3339(share.share_until) or "", requested_at=rfc3339(share.requested_at) or ""
            )
        )


def _json(body: BaseModel) -> Response:
    return Response(body.model_dump_json(), media_type="application/json", headers=_NO_STORE)
