"""`doctor`, `admin set-password`, and processes told apart."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from photochanger_devstack.cli import app
from photochanger_devstack.credentials import CredentialsFile
from photochanger_devstack.doctor import Verdict, examine
from photochanger_devstack.processes import ProcessIdentity
from photochanger_devstack.stack.layout import Layout
from typer.testing import CliRunner

if TYPE_CHECKING:
    from pathlib import Path

_SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_doctor_says_what_to_do_about_every_finding_that_is_not_good(tmp_path: Path) -> None:
    findings = examine(Layout(tmp_path), running=False)
    assert all(finding.advice for finding in findings if finding.verdict is not Verdict.GOOD)


def test_doctor_misses_models_that_were_not_fetched(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    models = {finding.name: finding for finding in examine(layout, running=False)}["models"]
    assert (models.verdict, "make setup" in models.advice) == (Verdict.FAILED, True)
    layout.models.mkdir(parents=True)
    (layout.models / "person.tflite").write_bytes(b"x")
    assert {finding.name: finding.verdict for finding in examine(layout, running=False)}[
        "models"
    ] == Verdict.GOOD


def test_doctor_finds_the_servers_that_setup_installed(tmp_path: Path) -> None:
    seen = {finding.name: finding for finding in examine(Layout(tmp_path), running=False)}
    assert "PostgreSQL" in seen["PostgreSQL"].seen
    assert "nats-server" in seen["NATS"].seen
    assert seen["S3"].verdict is Verdict.GOOD


def test_a_password_is_stored_as_a_hash_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "runtime_credentials.json"
    file = CredentialsFile(path)
    file.set_password("serg", "a long word")
    file.set_password("igor", "another one")
    file.add_missing("serg", "not taken")
    text = path.read_text()
    assert "a long word" not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    stored = text.split('"serg"')[1].split('"password_hash": "')[1].split('"')[0]
    assert PasswordHasher().verify(stored, "a long word")


def test_every_command_explains_itself() -> None:
    runner = CliRunner()
    for command in ("up", "down", "status", "logs", "send", "demo", "doctor", "clean", "admin"):
        result = runner.invoke(app, [command, "--help"])
        assert result.exit_code == 0, command


def test_a_process_with_our_number_but_another_start_is_not_ours() -> None:
    me = ProcessIdentity.of(os.getpid())
    assert me.alive
    assert not ProcessIdentity(me.pid, me.started_at - 3600).alive


def test_a_process_that_ignores_the_signal_is_killed_after_its_grace() -> None:
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, sys\nsignal.signal(15, signal.SIG_IGN)\nprint(flush=True)\nsignal.pause()",
        ],
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        identity = ProcessIdentity.of(process.pid)
        assert identity.end(grace_seconds=0.1)
        assert process.wait() == -signal.SIGKILL
    assert not identity.end()


def test_a_zombie_counts_as_ended() -> None:
    process = subprocess.Popen(_SLEEPER)
    identity = ProcessIdentity.of(process.pid)
    assert identity.end(signal.SIGKILL)  # nobody has waited for it yet
    assert not identity.alive
    process.wait()
