"""What admins do over HTTP: sign in, open the galleries to guests."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Request
from photochanger_chassis.clock import Clock
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.clients import ClientAddress
from photochanger_gateway.adapters.http.public import COMMON_ERRORS, error_answers
from photochanger_gateway.application.ports import Ingest
from photochanger_gateway.application.sign_in import SignIn, Tokens
from photochanger_gateway.domain.refusals import InvalidToken, MissingToken

_NO_STORE: Final = {"Cache-Control": "no-store"}
_UNAUTHORIZED: Final = error_answers(s401="Not signed in: `missing_token`, `invalid_token`, `token_expired`.")
_SECURED: Final[dict[str, Any]] = {"security": [{"adminToken": []}]}


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


class MeBody(BaseModel):
    """Who is signed in."""

    username: str = Field(max_length=64)


class ShareBody(BaseModel):
    """The galleries are open."""

    status: Literal["enabled"] = "enabled"
    share_until: str = Field(json_schema_extra={"format": "date-time"}, max_length=40)
    requested_at: str = Field(json_schema_extra={"format": "date-time"}, max_length=40)


@dataclass(frozen=True, slots=True)
class AdminRoutes:
    """The admins' routes. Whatever needs a signed-in admin depends on `admin`."""

    sign_in: SignIn
    tokens: Tokens
    ingest: Ingest
    clients: ClientAddress
    clock: Clock

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(tags=["admins"])
        router.add_api_route(
            "/api/login",
            self._login,
            methods=["POST"],
            operation_id="login",
            summary="Sign in",
            response_class=Response,
            responses={
                200: {"model": TokenBody, "description": "A token."},
                **COMMON_ERRORS,
                **error_answers(
                    s401="Unknown account or wrong password: `invalid_credentials`.",
                    s429="Too many failures: `throttled`, with `Retry-After`.",
                ),
            },
        )
        router.add_api_route(
            "/api/me",
            self._me,
            methods=["GET"],
            operation_id="get_me",
            summary="Who is signed in",
            response_class=Response,
            responses={200: {"model": MeBody, "description": "The admin."}, **COMMON_ERRORS, **_UNAUTHORIZED},
            openapi_extra=_SECURED,
        )
        router.add_api_route(
            "/api/gallery/share",
            self._share,
            methods=["POST"],
            operation_id="share_galleries",
            summary="Open all galleries to guests for 15 minutes",
            response_class=Response,
            responses={
                200: {"model": ShareBody, "description": "They are open."},
                **COMMON_ERRORS,
                **_UNAUTHORIZED,
            },
            openapi_extra=_SECURED,
        )
        return router

    def admin(self, request: Request) -> str:
        """The signed-in admin's name.

        Raises:
            MissingToken, InvalidToken, TokenExpired: nobody is signed in.
        """
        header = request.headers.get("authorization")
        if header is None:
            raise MissingToken
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise InvalidToken
        return self.tokens.read(token.strip(), now=self.clock.now())

    async def _login(self, request: Request, credentials: Annotated[Credentials, Body()]) -> Response:
        signed = await self.sign_in(
            credentials.username, credentials.password, address=self.clients.of(request)
        )
        body = TokenBody(access_token=signed.token, expires_in=int(signed.lifetime.total_seconds()))
        return _json(body)

    async def _me(self, request: Request) -> Response:
        return _json(MeBody(username=self.admin(request)))

    async def _share(self, request: Request) -> Response:
        share = await self.ingest.share_galleries(self.admin(request))
        return _json(
            ShareBody(
                share_until=rfc3339(share.share_until) or "", requested_at=rfc3339(share.requested_at) or ""
            )
        )


def _json(body: BaseModel) -> Response:
    return Response(body.model_dump_json(), media_type="application/json", headers=_NO_STORE)
