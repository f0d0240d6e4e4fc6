"""`AuditService`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from photochanger.ingest.v1 import audit_service_pb2, audit_service_pb2_grpc

from photochanger_ingest.adapters.grpc.fields import invalid, page_size
from photochanger_ingest.adapters.messages import instant, timestamp
from photochanger_ingest.application.audit import Audit, AuditCursor, AuditQuery
from photochanger_ingest.domain.audit import AuditEntry, AuditId, AuditOutcome, require_audit_id

_Context = grpc.aio.ServicerContext[Any, Any]

_OUTCOMES: Final = {
    AuditOutcome.DONE: audit_service_pb2.AUDIT_OUTCOME_DONE,
    AuditOutcome.REFUSED: audit_service_pb2.AUDIT_OUTCOME_REFUSED,
}
_TOKEN: Final = re.compile(r"([0-9]{1,17})-([0-9a-f]{32})", re.ASCII)
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


class AuditServicer(audit_service_pb2_grpc.AuditServiceServicer):
    """Translates calls into use cases."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def OpenAuditEntry(  # noqa: N802 - gRPC's name
        self, request: audit_service_pb2.OpenAuditEntryRequest, context: _Context
    ) -> audit_service_pb2.OpenAuditEntryResponse:
        """See the contract."""
        entry = request.entry
        await self._audit.open(
            AuditEntry(
                id=AuditId(entry.id),
                occurred_at=_instant(entry.occurred_at),
                actor=entry.actor,
                address=entry.address,
                action=entry.action,
                target=entry.target,
                facts=dict(entry.facts),
            )
        )
        return audit_service_pb2.OpenAuditEntryResponse()

    async def CloseAuditEntry(  # noqa: N802 - gRPC's name
        self, request: audit_service_pb2.CloseAuditEntryRequest, context: _Context
    ) -> audit_service_pb2.CloseAuditEntryResponse:
        """See the contract."""
        for outcome, number in _OUTCOMES.items():
            if number == request.outcome:
                await self._audit.close(
                    require_audit_id(request.id), outcome, refusal=request.refusal, facts=dict(request.facts)
                )
                return audit_service_pb2.CloseAuditEntryResponse()
        raise invalid("outcome", "done or refused")

    async def ListAuditEntries(  # noqa: N802 - gRPC's name
        self, request: audit_service_pb2.ListAuditEntriesRequest, context: _Context
    ) -> audit_service_pb2.ListAuditEntriesResponse:
        """See the contract."""
        # PostgreSQL's text has no such character, so no entry has one.
        if "\0" in request.action_prefix:
            raise invalid("action_prefix", "the beginning of an action")
        page = await self._audit.list(
            AuditQuery(
                actor=request.actor,
                action_prefix=request.action_prefix,
                target=request.target,
                limit=page_size(request.page_size, default=50, most=200),
                after=_cursor(request.page_token),
            )
        )
        return audit_service_pb2.ListAuditEntriesResponse(
            entries=[_message(entry) for entry in page.entries], next_page_token=_page_token(page.next)
        )


def _instant(message: Timestamp) -> datetime:
    try:
        return instant(message)
    except (ValueError, OverflowError) as error:
        raise invalid("entry.occurred_at", "a sensible instant") from error


def _message(entry: AuditEntry) -> audit_service_pb2.AuditEntry:
    return audit_service_pb2.AuditEntry(
        id=entry.id,
        occurred_at=timestamp(entry.occurred_at),
        actor=entry.actor,
        address=entry.address,
        action=entry.action,
        target=entry.target,
        facts=dict(entry.facts),
        outcome=audit_service_pb2.AUDIT_OUTCOME_UNSPECIFIED
        if entry.outcome is None
        else _OUTCOMES[entry.outcome],
        refusal=entry.refusal,
    )


def _page_token(cursor: AuditCursor | None) -> str:
    if cursor is None:
        return ""
    return f"{(cursor.occurred_at - _EPOCH) // timedelta(microseconds=1)}-{cursor.id}"


def _cursor(page_token: str) -> AuditCursor | None:
    if not page_token:
        return None
    found = _TOKEN.fullmatch(page_token)
    if found is None:
        raise invalid("page_token", "one from a former answer")
    return AuditCursor(_EPOCH + timedelta(microseconds=int(found[1])), AuditId(found[2]))
