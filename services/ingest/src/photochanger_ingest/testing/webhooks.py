"""Looks after a client's webhooks as the gateway does, and checks signatures as a receiver does."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final

from photochanger.ingest.v1 import webhook_service_pb2 as pb
from photochanger.ingest.v1.webhook_service_pb2_grpc import WebhookServiceStub

_TIMEOUT: Final = 10.0


class WebhookClient:
    """One client's view of its webhooks."""

    def __init__(self, stub: WebhookServiceStub, client_id: str) -> None:
        self.stub = stub
        self.client_id = client_id

    async def rotate(self) -> str:
        """Makes a secret and returns it."""
        return (await self.rotated()).secret

    async def rotated(self) -> pb.RotateWebhookSecretResponse:
        """Makes a secret and returns all that is told of it."""
        request = pb.RotateWebhookSecretRequest(client_id=self.client_id)
        return await self.stub.RotateWebhookSecret(request, timeout=_TIMEOUT)

    async def secret(self) -> pb.GetWebhookSecretResponse:
        """Asks about the secret."""
        request = pb.GetWebhookSecretRequest(client_id=self.client_id)
        return await self.stub.GetWebhookSecret(request, timeout=_TIMEOUT)

    async def list(self, **query: object) -> pb.ListWebhookDeliveriesResponse:
        """Lists deliveries of this client's."""
        given = {"client_id": self.client_id, **query}
        request = pb.ListWebhookDeliveriesRequest(**given)  # type: ignore[arg-type]  # fields by name
        return await self.stub.ListWebhookDeliveries(request, timeout=_TIMEOUT)

    async def of(self, job_id: str) -> pb.WebhookDelivery:
        """Returns the one delivery of a job."""
        [delivery] = (await self.list(job_id=job_id)).deliveries
        return delivery

    async def get(self, delivery_id: str) -> pb.GetWebhookDeliveryResponse:
        """Returns a delivery with its attempts."""
        request = pb.GetWebhookDeliveryRequest(delivery_id=delivery_id, client_id=self.client_id)
        return await self.stub.GetWebhookDelivery(request, timeout=_TIMEOUT)

    async def until(
        self, delivery_id: str, holds: Callable[[pb.WebhookDelivery], bool]
    ) -> pb.GetWebhookDeliveryResponse:
        """Looks at a delivery until something holds of it."""
        while not holds((found := await self.get(delivery_id)).delivery):
            continue
        return found

    async def ended(self, delivery_id: str) -> pb.GetWebhookDeliveryResponse:
        """Waits for the end of a delivery."""
        return await self.until(delivery_id, lambda found: found.state != pb.WEBHOOK_DELIVERY_STATE_PENDING)

    async def tried(self, delivery_id: str, attempts: int) -> pb.GetWebhookDeliveryResponse:
        """Waits until so many attempts are in the log."""
        return await self.until(delivery_id, lambda found: found.attempts >= attempts)

    async def resend(self, delivery_id: str, *, actor: str = "a test") -> pb.WebhookDelivery:
        """Has a delivery sent once more."""
        request = pb.ResendWebhookDeliveryRequest(
            delivery_id=delivery_id, client_id=self.client_id, actor=actor
        )
        return (await self.stub.ResendWebhookDelivery(request, timeout=_TIMEOUT)).delivery


def signed_by(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tells whether a message is signed with a secret, by the rules of https://www.standardwebhooks.com."""
    key = base64.b64decode(secret.split("_", 1)[1])
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(wanted, each) for each in headers["webhook-signature"].split(" "))
