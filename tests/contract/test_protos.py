"""`make proto` holds the released contracts: it is run on copies of them, whole and broken."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make proto` reads, in a folder of its own that is no repository."""
    for name in ("Makefile", "buf.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "protos", tmp_path / "protos")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def make(target: str, checkout: Path) -> tuple[int, str]:
    # Not as a part of the make that may be running these tests.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    ran = subprocess.run(
        ["make", target], cwd=checkout, env=environment, check=False, capture_output=True, text=True
    )
    return ran.returncode, ran.stdout + ran.stderr


def change(path: Path, pattern: str, replacement: str) -> None:
    before = path.read_text(encoding="utf-8")
    after = re.sub(pattern, replacement, before, count=1)
    assert after != before
    path.write_text(after, encoding="utf-8")


def test_todays_protos_break_no_client(checkout: Path) -> None:
    assert make("proto", checkout) == (0, "proto: ok\n")


def test_a_field_with_another_name_is_a_breaking_change(checkout: Path) -> None:
    change(checkout / "protos/photochanger/ingest/v1/job.proto", r"string slot_id = 2;", "string slot = 2;")
    code, said = make("proto", checkout)
    assert code != 0
    assert 'Field "2" on message "Job" changed name from "slot_id" to "slot"' in said


def test_a_new_field_breaks_nobody_and_is_held_once_it_is_released(checkout: Path) -> None:
    job = checkout / "protos/photochanger/ingest/v1/job.proto"
    change(job, r"\n}\n\Z", "\n  // A planted field.\n  string planted = 500;\n}\n")
    assert make("proto", checkout)[0] == 0
    assert make("proto-release", checkout)[0] == 0
    change(job, r"\n  // A planted field.\n  string planted = 500;", "")
    code, said = make("proto", checkout)
    assert code != 0
    assert "planted" in said
