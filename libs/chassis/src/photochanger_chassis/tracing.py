"""OpenTelemetry traces, with the W3C context carried through gRPC metadata and NATS headers."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import context as otel_context
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from photochanger_chassis.settings import TracingSettings


@contextmanager
def tracing(service: str, settings: TracingSettings) -> Iterator[None]:
    """Sets up tracing for the life of the process and sends the last spans on the way out.

    Trace ids are made in any case (logs carry them); spans are exported only when an endpoint is set.
    OpenTelemetry lets a process set its provider once, so this is for `main.py`, not for tests.
    """
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: service}))
    if settings.otel_exporter_otlp_endpoint is not None:
        exporter = OTLPSpanExporter(endpoint=settings.otel_exporter_otlp_endpoint)
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()


def trace_headers() -> dict[str, str]:
    """Returns the current trace context as W3C headers (`traceparent`…), none outside a trace."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


@contextmanager
def continued_trace(headers: Mapping[str, str] | Iterable[tuple[str, str | bytes]]) -> Iterator[None]:
    """Makes spans in the block children of the trace that gRPC metadata or NATS headers carry, if any."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    carrier = {key.lower(): value for key, value in pairs if isinstance(value, str)}
    token = otel_context.attach(propagate.extract(carrier))
    try:
        yield
    finally:
        otel_context.detach(token)


def current_trace_id() -> str | None:
    """Returns the id of the current trace as 32 hexadecimal digits, for logs."""
    span = trace.get_current_span().get_span_context()
    return trace.format_trace_id(span.trace_id) if span.is_valid else None
