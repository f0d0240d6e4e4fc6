"""Builds the typed stubs in libs/contracts/src from protos/. Run at set-up; the output is never committed."""

from __future__ import annotations

import shutil
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[2]
PROTOS = ROOT / "protos"
OUTPUT = Path(__file__).resolve().parent / "src"


def main() -> int:
    """Generates messages, services and their type stubs into a clean folder; returns protoc's exit code."""
    fresh = OUTPUT.with_name("src.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    plugins = Path(sys.executable).parent
    code: int = protoc.main(
        [
            "protoc",
            f"--proto_path={PROTOS}",
            f"--proto_path={files('grpc_tools') / '_proto'}",
            f"--python_out={fresh}",
            f"--grpc_python_out={fresh}",
            f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
            f"--mypy_out={fresh}",
            f"--mypy_grpc_out=only_async:{fresh}",
            *sources,
        ]
    )
    if code == 0:
        for folder in [fresh / "photochanger", *(fresh / "photochanger").rglob("*/")]:
            (folder / "py.typed" if folder.name == "photochanger" else folder / "__init__.py").touch()
        (fresh / "photochanger" / "__init__.py").touch()
        shutil.rmtree(OUTPUT, ignore_errors=True)
        fresh.rename(OUTPUT)
    return code


if __name__ == "__main__":
    sys.exit(main())
