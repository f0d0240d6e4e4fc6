"""Structured logs to stdout, with secrets struck out."""

import logging
import re
import sys
from collections.abc import Collection, Mapping
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from photochanger_chassis.settings import LogFormat, LoggingSettings

_SECRET_KEY: Final = re.compile(
    r"passw|authorization|api_?key|token|secret|cookie|private_key", re.IGNORECASE
)
_STRUCK: Final = "***"
_MAX_DEPTH: Final = 5
_SHORT_ID_LENGTH: Final = 8


def configure_logging(service: str, settings: LoggingSettings, *, shortened: Collection[str] = ()) -> None:
    """Sends structlog and the standard library's logs to stdout, one JSON object a line.

    Each line has `timestamp` (RFC 3339, UTC), `level`, `event`, `service`, `logger` and whatever was bound by
    `structlog.contextvars.bind_contextvars`; an exception is there with its trace. Values under keys that
    name a secret are replaced by `***`. Of ids under the keys in `shortened` only the first 8 characters are
    logged: enough to find one again, and not enough to use an id that opens something.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_service(service),
        redact_secrets,
        shorten_ids(shortened),
    ]
    if settings.log_format is LogFormat.JSON:
        last: list[Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        # The default formatter shows local variables, secrets among them.
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # These tell every request or reconnect; what matters of it is logged by us.
    for chatty in ("asyncio", "psycopg.pool", "nats", "alembic", "grpc", "httpx", "urllib3"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def redact_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replaces the values of keys named like a secret, nested mappings included."""
    return {key: _redacted(key, value, _MAX_DEPTH) for key, value in event.items()}


def _redacted(key: str, value: object, depth: int) -> object:
    if _SECRET_KEY.search(key) and value is not None and not isinstance(value, bool):
        return _STRUCK
    if isinstance(value, Mapping) and depth:
        return {inner: _redacted(str(inner), item, depth - 1) for inner, item in value.items()}
    return value


def shorten_ids(names: Collection[str]) -> Processor:
    """Makes a processor that cuts ids under these keys to their first 8 characters."""
    keys = frozenset(names)

    def shorten(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        for key in keys & event.keys():
            if isinstance(event[key], str):
                event[key] = event[key][:_SHORT_ID_LENGTH]
        return event

    return shorten


def _add_service(service: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add
