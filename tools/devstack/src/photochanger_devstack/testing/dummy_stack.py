"""A small stack for tests: one gRPC and one HTTP service in place of ours, some workers. Run it: the supervisor."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from photochanger_devstack.probes import grpc_ready, http_ok
from photochanger_devstack.stack import supervisor
from photochanger_devstack.stack.services import Service

MODULE = "photochanger_devstack.testing.dummy_stack"


def _worker(number: int) -> Service:
    name = f"worker-{number}"
    return Service(
        name=name,
        run=("-m", MODULE, "dummy-grpc"),
        port=name,
        settings=lambda plan: {"LISTEN": plan.listen(name)},
        ready=lambda plan: grpc_ready(plan.listen(name)),
        serves="worker",
        group="worker",
        number=number,
        after="media",
    )


SERVICES = (
    Service(
        name="media",
        run=("-m", MODULE, "dummy-grpc"),
        port="media",
        settings=lambda plan: {"LISTEN": plan.listen("media"), "DATABASE_URL": plan.database_url("media")},
        ready=lambda plan: grpc_ready(plan.listen("media")),
        migrates=True,
    ),
    Service(
        name="gateway",
        run=("-m", MODULE, "dummy-http"),
        port="gateway",
        settings=lambda plan: {"LISTEN": plan.listen("gateway")},
        ready=lambda plan: http_ok(f"{plan.gateway_url}/readyz"),
    ),
    *(_worker(number) for number in range(1, 4)),
)


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def _migrate() -> None:
    with Path("migrations.txt").open("a") as log:
        log.write(f"{os.environ['DATABASE_URL'].rpartition('/')[2]}\n")


def _serve_grpc() -> None:
    server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.so_reuseport", 0)])
    servicer = health.HealthServicer()
    servicer.set("readiness", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(os.environ["LISTEN"])
    server.start()
    server.wait_for_termination()


def _serve_http() -> None:
    if reason := os.environ.get("DUMMY_FAILS"):
        sys.exit(reason)
    host, _, port = os.environ["LISTEN"].partition(":")
    ThreadingHTTPServer((host, int(port)), _Ready).serve_forever()


def _leave(_: int, __: FrameType | None) -> None:
    os._exit(0)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["dummy-grpc", "migrate"]:
            _migrate()
        case ["dummy-grpc", "serve" | "worker"]:
            signal.signal(signal.SIGTERM, _leave)
            _serve_grpc()
        case ["dummy-http", "serve"]:
            signal.signal(signal.SIGTERM, _leave)
            _serve_http()
        case [root]:
            sys.exit(supervisor.main(Path(root), SERVICES))
        case _:
            sys.exit(2)
