"""Bodies about webhooks, for programs and for admins, and the parameters both have."""

from datetime import timedelta
from typing import Annotated, Final, Literal

from fastapi import Depends, Path, Query
from pydantic import Field

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.fields import Body, Count, Cursor, Instant, JobId, Url, instant
from photochanger_gateway.adapters.http.models import JOB_ID_PATTERN
from photochanger_gateway.adapters.http.public import error_answers
from photochanger_gateway.application.ports_admin import Page
from photochanger_gateway.application.ports_clients import DeliveryFilter
from photochanger_gateway.domain.webhooks import (
    Delivery,
    DeliveryAttempt,
    DeliveryDetails,
    DeliveryState,
    NewWebhookSecret,
    WebhookSecret,
)

_DELIVERY_ID_PATTERN: Final = r"^msg_[0-9a-f]{32}$"
_MOST_ATTEMPTS: Final = 50

DELIVERY_NOT_FOUND: Final = error_answers(s404="Unknown, or past its time: `webhook_delivery_not_found`.")
DELIVERY_PENDING: Final = error_answers(
    s409="It is not over yet, and sent again by itself: `webhook_delivery_pending`."
)

DeliveryPath = Annotated[str, Path(pattern=_DELIVERY_ID_PATTERN)]
_OfJob = Annotated[
    str, Query(description="Only this job's; empty: all.", pattern=f"^$|{JOB_ID_PATTERN}", max_length=32)
]
_InState = Annotated[
    Literal["", "pending", "delivered", "failed"], Query(description="Only in this state; empty: all.")
]


async def _wanted(job_id: _OfJob = "", state: _InState = "") -> DeliveryFilter:
    return DeliveryFilter(job_id=job_id, state=DeliveryState(state) if state else None)


WantedDeliveries = Annotated[DeliveryFilter, Depends(_wanted)]
"""An endpoint's parameter: which deliveries, of all clients'."""


_Status = Annotated[int, Field(ge=100, le=999)]


class WebhookSecretBody(Body):
    """What may be known of a secret."""

    created_at: Instant = Field(description="Since when it signs.")
    previous_expires_at: Instant | None = Field(
        description="Until then the one before signs as well; null: it does not."
    )

    @classmethod
    def of(cls, secret: WebhookSecret) -> "WebhookSecretBody":
        """The body for a secret."""
        return cls(
            created_at=instant(secret.created_at), previous_expires_at=rfc3339(secret.previous_expires_at)
        )


class NewWebhookSecretBody(WebhookSecretBody):
    """A secret that was made."""

    secret: str = Field(
        description="`whsec_` and the key in base64. It is shown this once.", max_length=64, repr=False
    )

    @classmethod
    def made(cls, new: NewWebhookSecret) -> "NewWebhookSecretBody":
        """The body for a new secret."""
        return cls(**dict(WebhookSecretBody.of(new.secret)), secret=new.text)


class WebhookDeliveryBody(Body):
    """A message to a receiver."""

    id: str = Field(description="The header `webhook-id` of all its attempts.", pattern=_DELIVERY_ID_PATTERN)
    job_id: JobId
    type: str = Field(description="What happened: `job.finished`.", max_length=64)
    url: Url = Field(description="Where it goes, without the query.")
    state: DeliveryState
    attempts_made: Count = Field(description="How often it was sent, over all resends.")
    failure_reason: str | None = Field(
        description="Why it was given up: `gone` (the receiver answered 410 and is switched off), `switched_off` (by "
        "an earlier 410), `attempts_exhausted`, `address_refused` (inside our networks), `client_revoked`.",
        max_length=64,
    )
    last_status: _Status | None = Field(description="Of the last answer; null: there was none.")
    created_at: Instant
    last_attempt_at: Instant | None
    next_attempt_at: Instant | None = Field(description="When it is sent next, about.")

    @classmethod
    def of(cls, delivery: Delivery) -> "WebhookDeliveryBody":
        """The body for a delivery."""
        return cls(
            id=delivery.id,
            job_id=delivery.job_id,
            type=delivery.type,
            url=delivery.url,
            state=delivery.state,
            attempts_made=delivery.attempts_made,
            failure_reason=delivery.failure_reason.lower() or None,
            last_status=delivery.last_status,
            created_at=instant(delivery.created_at),
            last_attempt_at=rfc3339(delivery.last_attempt_at),
            next_attempt_at=rfc3339(delivery.next_attempt_at),
        )


class WebhookAttemptBody(Body):
    """A message as it was sent once."""

    number: Count = Field(description="From 1, over all resends.")
    started_at: Instant
    duration_ms: Count
    status: _Status | None = Field(description="Of the answer; null: there was none.")
    error: str | None = Field(
        description="`http_status`, `timeout`, `connection`, `tls`, `name_not_found`, `address_refused`; null: it "
        "went well.",
        max_length=64,
    )

    @classmethod
    def of(cls, attempt: DeliveryAttempt) -> "WebhookAttemptBody":
        """The body for an attempt."""
        return cls(
            number=attempt.number,
            started_at=instant(attempt.started_at),
            duration_ms=max(0, round(attempt.duration / timedelta(milliseconds=1))),
            status=attempt.status,
            error=attempt.error.lower() or None,
        )


_Attempts = Annotated[
    list[WebhookAttemptBody],
    Field(description=f"The last {_MOST_ATTEMPTS}, newest first.", max_length=_MOST_ATTEMPTS),
]


def _attempts_of(details: DeliveryDetails) -> list[WebhookAttemptBody]:
    return [WebhookAttemptBody.of(item) for item in details.attempts[:_MOST_ATTEMPTS]]


class WebhookDeliveryDetailsBody(WebhookDeliveryBody):
    """A message to a receiver, and how it was sent."""

    attempts: _Attempts

    @classmethod
    def whole(cls, details: DeliveryDetails) -> "WebhookDeliveryDetailsBody":
        """The body for a delivery."""
        return cls(**dict(WebhookDeliveryBody.of(details.delivery)), attempts=_attempts_of(details))


class WebhookDeliveryListBody(Body):
    """A page of a client's deliveries."""

    deliveries: list[WebhookDeliveryBody] = Field(description="Newest first.", max_length=200)
    next_cursor: Cursor | None

    @classmethod
    def of(cls, page: Page[Delivery]) -> "WebhookDeliveryListBody":
        """The body for a page."""
        deliveries = [WebhookDeliveryBody.of(item) for item in page.items]
        return cls(deliveries=deliveries, next_cursor=page.next_cursor or None)


class ClientDeliveryBody(WebhookDeliveryBody):
    """A message to a client's receiver, as admins see it."""

    client_id: str = Field(description="Whose job has ended.", max_length=64)

    @classmethod
    def of(cls, delivery: Delivery) -> "ClientDeliveryBody":
        """The body for a delivery."""
        return cls(**dict(WebhookDeliveryBody.of(delivery)), client_id=delivery.client_id)


class ClientDeliveryDetailsBody(ClientDeliveryBody):
    """A message to a client's receiver, and how it was sent."""

    attempts: _Attempts

    @classmethod
    def whole(cls, details: DeliveryDetails) -> "ClientDeliveryDetailsBody":
        """The body for a delivery."""
        return cls(**dict(ClientDeliveryBody.of(details.delivery)), attempts=_attempts_of(details))


class ClientDeliveryListBody(Body):
    """A page of all clients' deliveries."""

    deliveries: list[ClientDeliveryBody] = Field(description="Newest first.", max_length=200)
    next_cursor: Cursor | None

    @classmethod
    def of(cls, page: Page[Delivery]) -> "ClientDeliveryListBody":
        """The body for a page."""
        deliveries = [ClientDeliveryBody.of(item) for item in page.items]
        return cls(deliveries=deliveries, next_cursor=page.next_cursor or None)
