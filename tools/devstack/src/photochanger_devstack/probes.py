"""Whether a server answers. A probe takes a second or two at most and never raises."""

from __future__ import annotations

import http.client
from http import HTTPStatus
from urllib.parse import urlsplit

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_SECONDS = 2.0


def http_status(url: str) -> int | None:
    """The status of a GET of `url`, None where nobody answers. No proxy of the environment is used."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
    try:
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return None
    else:
        return response.status
    finally:
        connection.close()


def http_ok(url: str) -> bool:
    """Whether a GET of `url` answers 200."""
    return http_status(url) == HTTPStatus.OK


def grpc_ready(address: str, service: str = "readiness") -> bool:
    """Whether the gRPC server at `address` says SERVING for `service` by grpc.health.v1."""
    request = health_pb2.HealthCheckRequest(service=service)
    with grpc.insecure_channel(address) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=_SECONDS)
        except grpc.RpcError:
            return False
    serving: bool = answer.status == health_pb2.HealthCheckResponse.SERVING
    return serving
