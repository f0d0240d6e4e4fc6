"""The record of what admins do, in memory, by the contract of `protos/`."""

from photochanger.ingest.v1 import audit_service_pb2, audit_service_pb2_grpc
from photochanger_chassis.errors import ErrorKind

from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.script import Script, page_of


class FakeAudit(audit_service_pb2_grpc.AuditServiceServicer):
    """Keeps entries in memory, as ingest does in its database."""

    def __init__(self) -> None:
        self.script = Script()
        self.entries: dict[str, audit_service_pb2.AuditEntry] = {}

    def told(self) -> list[tuple[str, str, str]]:
        """Actor, action and outcome of each entry, the oldest first; the outcome is a refusal's reason, too."""
        names = {
            audit_service_pb2.AUDIT_OUTCOME_DONE: "done",
            audit_service_pb2.AUDIT_OUTCOME_UNSPECIFIED: "unknown",
        }
        return [
            (entry.actor, entry.action, names.get(entry.outcome, entry.refusal))
            for entry in self.entries.values()
        ]

    async def OpenAuditEntry(  # noqa: N802 - gRPC's names, here and below
        self, request: audit_service_pb2.OpenAuditEntryRequest, context: object
    ) -> audit_service_pb2.OpenAuditEntryResponse:
        """See the proto."""
        await self.script.enter("OpenAuditEntry", request)
        self.entries.setdefault(request.entry.id, request.entry)
        return audit_service_pb2.OpenAuditEntryResponse()

    async def CloseAuditEntry(  # noqa: N802
        self, request: audit_service_pb2.CloseAuditEntryRequest, context: object
    ) -> audit_service_pb2.CloseAuditEntryResponse:
        """See the proto."""
        await self.script.enter("CloseAuditEntry", request)
        if request.id not in self.entries:
            raise a_refusal("AUDIT_ENTRY_NOT_FOUND", ErrorKind.NOT_FOUND)
        entry = self.entries[request.id]
        if entry.outcome == audit_service_pb2.AUDIT_OUTCOME_UNSPECIFIED:
            entry.outcome, entry.refusal = request.outcome, request.refusal
            entry.facts.update(request.facts)
        return audit_service_pb2.CloseAuditEntryResponse()

    async def ListAuditEntries(  # noqa: N802
        self, request: audit_service_pb2.ListAuditEntriesRequest, context: object
    ) -> audit_service_pb2.ListAuditEntriesResponse:
        """See the proto."""
        await self.script.enter("ListAuditEntries", request)
        wanted = [
            entry
            for entry in reversed(self.entries.values())
            if request.actor in ("", entry.actor)
            and entry.action.startswith(request.action_prefix)
            and request.target in ("", entry.target)
        ]
        entries, token = page_of(wanted, request.page_size or 50, request.page_token)
        return audit_service_pb2.ListAuditEntriesResponse(entries=entries, next_page_token=token)
