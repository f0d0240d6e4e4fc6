"""Bodies about API keys, for admins."""

from typing import Annotated

from pydantic import AfterValidator, Field

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.fields import Body, Cursor, Instant, JobId, Text, instant
from photochanger_gateway.application.ports_admin import Page
from photochanger_gateway.domain.clients import ApiKey, NewKey, Scope


def _named(name: str) -> str:
    if not name.strip():
        raise ValueError("a name is wanted, not only spaces")
    return name


class ApiKeyBody(Body):
    """What may be known of an API key."""

    id: JobId
    name: str = Field(max_length=80)
    client_id: str = Field(
        description="Whose it is: a client's jobs and limits are shared by its keys.", max_length=64
    )
    scopes: list[Scope] = Field(max_length=16)
    last_four: str = Field(description="To tell one key from another.", max_length=4)
    created_at: Instant
    created_by: str = Field(max_length=80)
    revoked_at: Instant | None
    revoked_by: str | None = Field(max_length=80)
    last_used_at: Instant | None = Field(description="Exact to a minute.")

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyBody":
        """The body for a key."""
        return cls(
            id=key.id,
            name=key.name,
            client_id=key.client_id,
            scopes=sorted(key.scopes),
            last_four=key.last_four,
            created_at=instant(key.created_at),
            created_by=key.created_by,
            revoked_at=rfc3339(key.revoked_at),
            revoked_by=key.revoked_by or None,
            last_used_at=rfc3339(key.last_used_at),
        )


class ApiKeyListBody(Body):
    """A page of API keys."""

    keys: list[ApiKeyBody] = Field(description="Newest first, revoked ones too.", max_length=200)
    next_cursor: Cursor | None

    @classmethod
    def of(cls, page: Page[ApiKey]) -> "ApiKeyListBody":
        """The body for a page."""
        return cls(keys=[ApiKeyBody.of(item) for item in page.items], next_cursor=page.next_cursor or None)


class NewApiKeyChange(Body):
    """A key to be made."""

    name: Annotated[Text, Field(min_length=1, max_length=80), AfterValidator(_named)] = Field(
        description="For people: which program it is for."
    )
    scopes: list[Scope] = Field(
        description="What it may be used for.",
        min_length=1,
        max_length=3,
        json_schema_extra={"uniqueItems": True},
    )
    client_id: JobId | None = Field(
        None,
        description="One more key for this client, so that keys can be changed without a pause; null: a new client.",
    )


class NewApiKeyBody(Body):
    """A key that was made."""

    key: str = Field(
        description="The key itself. It is shown this once and kept nowhere.", max_length=64, repr=False
    )
    api_key: ApiKeyBody

    @classmethod
    def of(cls, new: NewKey) -> "NewApiKeyBody":
        """The body for a new key."""
        return cls(key=new.secret, api_key=ApiKeyBody.of(new.key))
