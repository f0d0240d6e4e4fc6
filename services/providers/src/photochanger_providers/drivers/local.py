"""`local`: real person segmentation and edits on this machine. Needs no key and no network.

The edits run in a few worker processes, started when first needed, at most one a core. A worker that crashes,
or is at work when its request is cancelled, is killed; the next request starts another.
"""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from photochanger_providers.application.driver import DriverRequest, DriverResult
from photochanger_providers.domain.catalogue import (
    JsonObject,
    Operation,
    OperationId,
    ProviderId,
    ProviderInfo,
    TemplateRole,
)
from photochanger_providers.domain.errors import BadInput, BadProviderResponse, ProviderMisconfigured
from photochanger_providers.domain.repeat import Repeat
from photochanger_providers.drivers.entry import DriverEntry, DriverTools
from photochanger_providers.local_engine.models import MODEL_DIGESTS
from photochanger_providers.local_engine.options import EDITS
from photochanger_providers.local_engine.schemas import options_schema

_BACKGROUND: Final = TemplateRole("background", "Background picture", required=True)
_LONGEST_ANSWER: Final = 64 * 1024


def _operations() -> tuple[Operation, ...]:
    return tuple(
        Operation(
            id=OperationId(operation.value),
            title=edit.title,
            settings_schema=_json_object(options_schema(operation)),
            template_roles=(_BACKGROUND,) if edit.needs_template else (),
        )
        for operation, edit in EDITS.items()
    )


def _json_object(value: Mapping[str, object]) -> JsonObject:
    plain: JsonObject = json.loads(json.dumps(value))
    return plain


class LocalDriver:
    """Hands photos to worker processes."""

    def __init__(self, tools: DriverTools) -> None:
        self._models_dir = tools.models_dir
        self._free = asyncio.Semaphore(tools.cores)
        self._idle: list[Process] = []

    async def process(self, request: DriverRequest) -> DriverResult:
        """Edits the photo in a worker process.

        Raises:
            BadInput: nobody is in the photo, or it cannot be decoded.
            ProviderMisconfigured: the template cannot be used, or the models are missing.
            BadProviderResponse: the worker crashed.
        """
        target = request.workspace.new_file("")
        order = {
            "operation": request.operation_id,
            "options": request.settings,
            "photo": str(request.photo.path),
            "template": str(request.templates[0].picture.path) if request.templates else None,
            "target": str(target),
        }
        async with self._worker() as worker:
            answer = await _asked(worker, order)
        problem, message = answer.get("problem"), str(answer.get("message", ""))
        if problem == "bad_input":
            raise BadInput(message)
        if problem is not None:
            raise ProviderMisconfigured(message)
        return DriverResult(target)

    async def check_health(self, api_key: str) -> None:
        """Looks whether the model files are there.

        Raises:
            ProviderMisconfigured: one is missing.
        """
        del api_key
        missing = [name for name in MODEL_DIGESTS if not (self._models_dir / name).is_file()]
        if missing:
            raise ProviderMisconfigured(
                f"Model files are missing: {', '.join(missing)}. Set LOCAL_MODELS_DIR to their folder."
            )

    async def close(self) -> None:
        """Ends the idle workers; those at work end with their requests."""
        while self._idle:
            await _killed(self._idle.pop())

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator[Process]:
        async with self._free:
            worker = self._idle.pop() if self._idle else await self._started()
            healthy = False
            try:
                yield worker
                healthy = True
            finally:
                if healthy:
                    self._idle.append(worker)
                else:
                    await _killed(worker)

    async def _started(self) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "photochanger_providers.drivers.local_worker",
            str(self._models_dir),
            stdin=PIPE,
            stdout=PIPE,
            # TensorFlow Lite greets there; what matters comes back as an answer.
            stderr=DEVNULL,
            limit=_LONGEST_ANSWER,
            env=_worker_environment(),
        )


def _worker_environment() -> dict[str, str]:
    """Gives a worker nothing of ours to leak, and one thread of each library."""
    return {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": ":".join(path for path in sys.path if path),
    }


async def _asked(worker: Process, order: JsonObject) -> JsonObject:
    stdin, stdout = worker.stdin, worker.stdout
    if stdin is None or stdout is None:
        raise RuntimeError("The worker was started without pipes.")
    line = b""
    with suppress(ConnectionError):
        stdin.write(json.dumps(order).encode() + b"\n")
        await stdin.drain()
        line = await stdout.readline()
    if not line:
        raise BadProviderResponse("The local engine crashed on this photo.", repeat=Repeat.once())
    answer = json.loads(line)
    if not isinstance(answer, dict):
        raise TypeError("The worker answers with an object.")
    return answer


async def _killed(worker: Process) -> None:
    with suppress(ProcessLookupError):
        worker.kill()
    # Even when we are being cancelled: a killed child ends within moments and must be reaped.
    await asyncio.shield(worker.wait())


DRIVER: Final = DriverEntry(
    info=ProviderInfo(
        id=ProviderId("local"),
        title="On this machine",
        operations=_operations(),
        needs_key=False,
        max_parallel=None,
    ),
    build=LocalDriver,
)
