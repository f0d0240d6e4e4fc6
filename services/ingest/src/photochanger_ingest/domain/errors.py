"""Why ingest refuses, as reasons others can act on.

ServiceError
├── SlotNotFound, SlotDisabled              the slot takes no photo
├── PayloadTooLarge                         the slot takes no photo of this size
├── SlotBusy, ProviderBusy                  no place now; retry_after says when
├── DeadlineCannotBeMet                     too little time is left
├── InvalidPassword, PasswordChecksBusy     the ingest password
├── InvalidHash, HashMismatch               the form's `hash` field
├── IdempotencyConflict, IdempotencyMismatch  the request's Idempotency-Key
├── JobNotFound, JobNotFinished             a job asked for
├── JobAlreadyFinal, JobNotFinal            an asynchronous job to cancel, to repeat
├── InputNotFound                           an asynchronous job's photo
├── InvalidApiKey, ApiKeyNotFound, ApiClientNotFound  keys of API clients
├── WebhookSecretNotFound                   a client's webhook secret
│   └── WebhookSecretRequired               a job whose end nobody could sign
├── WebhooksNotConfigured                   there is nothing to keep webhook secrets with
├── WebhookDeliveryNotFound, WebhookDeliveryPending  a delivery to look at, to resend
├── VersionConflict                         somebody else changed it first
├── SlotVersionNotFound                     a version of a slot to restore
├── TemplateNotFound, TemplateInUse         a slot's template images
├── MediaNotFound                           a template to delete
├── AuditEntryNotFound                      an entry to be closed
└── WrongJobState                           a job cannot make this move
"""

from collections.abc import Sequence
from datetime import timedelta

from photochanger_chassis.errors import ErrorKind, ServiceError

from photochanger_ingest.domain.ids import DeliveryId, JobId, ProviderId, SlotId


class SlotNotFound(ServiceError):
    """There is no such slot."""

    kind, reason = ErrorKind.NOT_FOUND, "SLOT_NOT_FOUND"

    def __init__(self, slot_id: str) -> None:
        super().__init__("This slot does not exist. Slots are slot-001 to slot-015.", slotId=slot_id[:64])


class SlotDisabled(ServiceError):
    """The slot is switched off."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "SLOT_DISABLED"

    def __init__(self, slot_id: SlotId) -> None:
        super().__init__(f"Slot {slot_id} is switched off. An admin can switch it on.", slotId=slot_id)


class PayloadTooLarge(ServiceError):
    """The photo is larger than the slot takes."""

    kind, reason = ErrorKind.OUT_OF_RANGE, "PAYLOAD_TOO_LARGE"

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"{size_bytes} bytes are more than this slot takes, {limit_bytes} bytes.",
            sizeBytes=str(size_bytes),
            limitBytes=str(limit_bytes),
        )


class SlotBusy(ServiceError):
    """Running and waiting jobs of the slot are at their limit."""

    kind, reason = ErrorKind.RESOURCE_EXHAUSTED, "SLOT_BUSY"

    def __init__(self, slot_id: SlotId, *, unfinished: int, retry_after: timedelta) -> None:
        super().__init__(
            f"Slot {slot_id} already has {unfinished} photos running and waiting.",
            retry_after=retry_after,
            slotId=slot_id,
            unfinished=str(unfinished),
        )


class ProviderBusy(ServiceError):
    """So many jobs wait for the provider that this one could not end in time."""

    kind, reason = ErrorKind.RESOURCE_EXHAUSTED, "PROVIDER_BUSY"

    def __init__(self, provider_id: ProviderId, *, unfinished: int, retry_after: timedelta) -> None:
        super().__init__(
            f"Provider {provider_id} already has {unfinished} photos running and waiting.",
            retry_after=retry_after,
            providerId=provider_id,
            unfinished=str(unfinished),
        )


class DeadlineCannotBeMet(ServiceError):
    """Too little time is left to make a picture."""

    kind, reason = ErrorKind.DEADLINE_EXCEEDED, "DEADLINE_CANNOT_BE_MET"

    def __init__(self, left: timedelta) -> None:
        milliseconds = max(0, round(left / timedelta(milliseconds=1)))
        super().__init__(
            f"Only {milliseconds} ms were left when the photo had arrived, too little to process it.",
            leftMilliseconds=str(milliseconds),
        )


class InvalidPassword(ServiceError):
    """The ingest password is wrong, or none is set."""

    kind, reason = ErrorKind.UNAUTHENTICATED, "INVALID_PASSWORD"

    def __init__(self) -> None:
        super().__init__("The ingest password is wrong for this slot.")


class PasswordChecksBusy(ServiceError):
    """So many passwords are being checked that this one was not looked at."""

    kind, reason = ErrorKind.RESOURCE_EXHAUSTED, "PASSWORD_CHECKS_BUSY"

    def __init__(self) -> None:
        super().__init__("Too many passwords are being checked now.", retry_after=timedelta(seconds=2))


class InvalidHash(ServiceError):
    """The `hash` field is absent or no hex digest."""

    kind, reason = ErrorKind.INVALID_ARGUMENT, "INVALID_HASH"

    def __init__(self) -> None:
        super().__init__(
            "The field `hash` must be a hex digest of the photo: 32 digits (MD5), 40 (SHA-1), 64 (SHA-256) or "
            "128 (SHA-512)."
        )


class HashMismatch(ServiceError):
    """The `hash` field is not the photo's digest, and the platform insists on it."""

    kind, reason = ErrorKind.INVALID_ARGUMENT, "HASH_MISMATCH"

    def __init__(self) -> None:
        super().__init__("The field `hash` is not the digest of the photo that arrived.")


class IdempotencyConflict(ServiceError):
    """The first job of this key still runs."""

    kind, reason = ErrorKind.ABORTED, "IDEMPOTENCY_CONFLICT"

    def __init__(self, job_id: JobId) -> None:
        super().__init__(
            "The first request with this Idempotency-Key is still being processed.",
            retry_after=timedelta(seconds=2),
            jobId=job_id,
        )


class IdempotencyMismatch(ServiceError):
    """The key was used with another form."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "IDEMPOTENCY_MISMATCH"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another photo or other fields. Use a new key.")


class JobNotFound(ServiceError):
    """There is no such job, or it is past its retention."""

    kind, reason = ErrorKind.NOT_FOUND, "JOB_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such job, or it is no longer kept.")


class JobNotFinished(ServiceError):
    """The caller's time is over, the job's is not."""

    kind, reason = ErrorKind.DEADLINE_EXCEEDED, "JOB_NOT_FINISHED"

    def __init__(self, job_id: JobId) -> None:
        super().__init__(f"Job {job_id} has not reached its final state yet.", jobId=job_id)


class JobAlreadyFinal(ServiceError):
    """It is too late to cancel the job."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "JOB_ALREADY_FINAL"

    def __init__(self, job_id: JobId, state: str) -> None:
        super().__init__(
            f"Job {job_id} is {state} already and cannot be cancelled.", jobId=job_id, state=state
        )


class JobNotFinal(ServiceError):
    """It is too early to repeat the job."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "JOB_NOT_FINAL"

    def __init__(self, job_id: JobId, state: str) -> None:
        super().__init__(
            f"Job {job_id} is {state}. Cancel it, or wait for its end, before it is repeated.",
            jobId=job_id,
            state=state,
        )


class InputNotFound(ServiceError):
    """There is no such photo, it is no longer kept, or it is no photo a job may be opened for."""

    kind, reason = ErrorKind.NOT_FOUND, "INPUT_NOT_FOUND"

    def __init__(self, media_object_id: str) -> None:
        super().__init__(
            "There is no such photo, or it is no longer kept. Send it again.",
            mediaObjectId=media_object_id[:64],
        )


class InvalidApiKey(ServiceError):
    """It is no key, or it was revoked. Which of them is not told."""

    kind, reason = ErrorKind.UNAUTHENTICATED, "INVALID_API_KEY"

    def __init__(self) -> None:
        super().__init__("The API key is wrong or was revoked.")


class ApiKeyNotFound(ServiceError):
    """There is no key with this id."""

    kind, reason = ErrorKind.NOT_FOUND, "API_KEY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such API key.")


class ApiClientNotFound(ServiceError):
    """There is no client to make one more key for."""

    kind, reason = ErrorKind.NOT_FOUND, "API_CLIENT_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no client with this id. Leave it out to make a new one.")


class WebhookSecretNotFound(ServiceError):
    """The client has no secret for its webhooks."""

    kind, reason = ErrorKind.NOT_FOUND, "WEBHOOK_SECRET_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("This client has no webhook secret. Make one: POST /api/v1/webhooks/secret.")


class WebhookSecretRequired(WebhookSecretNotFound):
    """A job with a webhook URL, of a client that has no secret to sign with."""

    kind = ErrorKind.FAILED_PRECONDITION


class WebhooksNotConfigured(ServiceError):
    """There is no key to seal secrets with, or none that opens what is stored."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "WEBHOOKS_NOT_CONFIGURED"

    def __init__(self) -> None:
        super().__init__("Webhooks are not set up here: an operator has to set SECRETS_ENCRYPTION_KEY.")


class WebhookDeliveryNotFound(ServiceError):
    """There is no such delivery, it is another client's, or its time in the log is over."""

    kind, reason = ErrorKind.NOT_FOUND, "WEBHOOK_DELIVERY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such webhook delivery. Ended ones are kept for 30 days.")


class WebhookDeliveryPending(ServiceError):
    """It is going to be sent anyway."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "WEBHOOK_DELIVERY_PENDING"

    def __init__(self, delivery_id: DeliveryId) -> None:
        super().__init__(
            f"Delivery {delivery_id} is still pending: it is sent without that.", deliveryId=delivery_id
        )


class GalleryNotShared(ServiceError):
    """Nobody shares the galleries now."""

    kind, reason = ErrorKind.PERMISSION_DENIED, "GALLERY_NOT_SHARED"

    def __init__(self) -> None:
        super().__init__("The galleries are not shared now. An admin can open them for 15 minutes.")


class VersionConflict(ServiceError):
    """The change was made on an older version."""

    kind, reason = ErrorKind.ABORTED, "VERSION_CONFLICT"

    def __init__(self, *, expected: int, current: int) -> None:
        super().__init__(
            f"The change was made on version {expected}; the current version is {current}.",
            expectedVersion=str(expected),
            currentVersion=str(current),
        )


class SlotVersionNotFound(ServiceError):
    """The slot has no such version, or had it before versions were kept."""

    kind, reason = ErrorKind.NOT_FOUND, "SLOT_VERSION_NOT_FOUND"

    def __init__(self, slot_id: SlotId, version: int) -> None:
        super().__init__(
            f"Slot {slot_id} has no version {version} that could be restored.",
            slotId=slot_id,
            version=str(version),
        )


class TemplateNotFound(ServiceError):
    """There is no such template image, or it is something else."""

    kind, reason = ErrorKind.NOT_FOUND, "TEMPLATE_NOT_FOUND"

    def __init__(self, media_object_id: str) -> None:
        super().__init__(
            f"There is no template image {media_object_id[:64]}. It may have been deleted: upload it again.",
            mediaObjectId=media_object_id[:64],
        )


class MediaNotFound(ServiceError):
    """There is no media object to delete, or it is no template."""

    kind, reason = ErrorKind.NOT_FOUND, "MEDIA_NOT_FOUND"

    def __init__(self, media_object_id: str) -> None:
        super().__init__(
            f"There is no template image {media_object_id[:64]}.", mediaObjectId=media_object_id[:64]
        )


class TemplateInUse(ServiceError):
    """Slots use the template image."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "TEMPLATE_IN_USE"

    def __init__(self, media_object_id: str, slot_ids: Sequence[SlotId]) -> None:
        super().__init__(
            f"Template image {media_object_id} is used by {', '.join(slot_ids)}. Take it out of there first.",
            mediaObjectId=media_object_id,
            slotIds=",".join(slot_ids),
        )


class AuditEntryNotFound(ServiceError):
    """There is no such entry in the audit log."""

    kind, reason = ErrorKind.NOT_FOUND, "AUDIT_ENTRY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such audit entry. Open it before it is closed.")


class WrongJobState(ServiceError):
    """A job cannot make this move from the state it is in."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "WRONG_JOB_STATE"

    def __init__(self, move: str, state: str) -> None:
        super().__init__(f"A job that is {state} cannot {move}.", state=state)
