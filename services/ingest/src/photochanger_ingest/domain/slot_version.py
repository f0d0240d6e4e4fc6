"""What changed between two versions of a slot, and what an older one gives back."""

import json
from dataclasses import dataclass, replace
from typing import Final

from photochanger_ingest.domain.slot import Slot

PASSWORD_FIELD: Final = "ingest_password"  # noqa: S105 - the field's name


@dataclass(frozen=True, slots=True)
class SlotVersion:
    """A slot as it was: `slot` has the values, the version, and who made it when, but never a password's hash.

    `changed_fields` differ from the version before, by their names in the contract. `restored_from` is the version
    whose values these are; None: an admin's own.
    """

    slot: Slot
    own_password: bool
    changed_fields: tuple[str, ...]
    restored_from: int | None = None

    @classmethod
    def of(cls, slot: Slot, before: Slot, *, restored_from: int | None = None) -> "SlotVersion":
        """Returns the version that a change of a slot has made."""
        return cls(
            slot=replace(slot, password_hash=None),
            own_password=slot.password_hash is not None,
            changed_fields=changed_fields(before, slot),
            restored_from=restored_from,
        )

    def restored_to(self, current: Slot) -> Slot:
        """Returns the current slot with this version's values. Its own password stays: nobody kept the old one."""
        return replace(
            self.slot,
            version=current.version,
            updated_at=current.updated_at,
            updated_by=current.updated_by,
            password_hash=current.password_hash,
        )


def changed_fields(before: Slot, after: Slot) -> tuple[str, ...]:
    """Returns the fields an admin set that differ, sorted, by their names in the contract.

    Settings are compared as JSON: another order of keys or other blanks are no change. A new password is one even if
    it is the old one again, which its hash does not tell.
    """
    old, new = _fields(before), _fields(after)
    return tuple(sorted(name for name in old if old[name] != new[name]))


def _fields(slot: Slot) -> dict[str, object]:
    plan = slot.plan
    return {
        "display_name": slot.display_name,
        "active": slot.active,
        "provider_id": plan.provider_id,
        "operation_id": plan.operation_id,
        # As text: to Python 1, 1.0 and True are the same value, to a provider they are not.
        "settings_json": json.dumps(json.loads(plan.settings_json), sort_keys=True),
        "templates": plan.templates,
        "size_limit_bytes": slot.size_limit_bytes,
        "sync_response": slot.sync_response,
        "response_mode": slot.response_mode,
        "on_failure": plan.on_failure,
        "late_results": plan.late_results,
        "dedupe": slot.dedupe,
        "running_limit": slot.running_limit,
        "queue_length": slot.queue_length,
        "output_format": plan.output_format,
        PASSWORD_FIELD: slot.password_hash,
    }
