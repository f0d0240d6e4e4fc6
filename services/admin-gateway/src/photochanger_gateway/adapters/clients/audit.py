"""The record of what admins did, kept by ingest."""

from collections.abc import Mapping
from typing import Final

import grpc.aio
from photochanger.ingest.v1 import audit_service_pb2
from photochanger.ingest.v1.audit_service_pb2_grpc import AuditServiceStub
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.application.audit import AuditEntry, Outcome
from photochanger_gateway.application.ports_admin import Page, PageRequest, Recorded, RecordFilter

_QUICK_SECONDS: Final = 5.0
_OUTCOMES: Final = {
    Outcome.DONE: audit_service_pb2.AUDIT_OUTCOME_DONE,
    Outcome.REFUSED: audit_service_pb2.AUDIT_OUTCOME_REFUSED,
}
_OUTCOMES_BACK: Final = {theirs: ours for ours, theirs in _OUTCOMES.items()}


class GrpcAuditLog:
    """Keeps the promises of `application.audit.AuditLog` and of `application.ports_admin.Records`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._audit = AuditServiceStub(channel)

    async def open(self, entry: AuditEntry) -> None:
        """See the port."""
        message = audit_service_pb2.AuditEntry(
            id=entry.id,
            occurred_at=translate.timestamp(entry.occurred_at),
            actor=entry.actor,
            address=entry.address,
            action=entry.action,
            target=entry.target,
            facts=entry.facts,
        )
        with translate_rpc_errors():
            await self._audit.OpenAuditEntry(
                audit_service_pb2.OpenAuditEntryRequest(entry=message), timeout=_QUICK_SECONDS
            )

    async def close(
        self, entry_id: str, outcome: Outcome, *, refusal: str = "", facts: Mapping[str, str] | None = None
    ) -> None:
        """See the port."""
        request = audit_service_pb2.CloseAuditEntryRequest(
            id=entry_id, outcome=_OUTCOMES[outcome], refusal=refusal, facts=facts
        )
        with translate_rpc_errors():
            await self._audit.CloseAuditEntry(request, timeout=_QUICK_SECONDS)

    async def list(self, wanted: RecordFilter, page: PageRequest) -> Page[Recorded]:
        """See `application.ports_admin.Records`."""
        request = audit_service_pb2.ListAuditEntriesRequest(
            actor=wanted.actor,
            action_prefix=wanted.action,
            target=wanted.target,
            page_size=page.size,
            page_token=page.cursor,
        )
        with translate_rpc_errors():
            answer = await self._audit.ListAuditEntries(request, timeout=_QUICK_SECONDS)
        return Page(tuple(_recorded(item) for item in answer.entries), answer.next_page_token)


def _recorded(message: audit_service_pb2.AuditEntry) -> Recorded:
    entry = AuditEntry(
        id=message.id,
        occurred_at=translate.instant(message.occurred_at),
        actor=message.actor,
        address=message.address,
        action=message.action,
        target=message.target,
        facts=dict(message.facts),
    )
    return Recorded(entry, _OUTCOMES_BACK.get(message.outcome), message.refusal)
