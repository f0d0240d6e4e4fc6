"""What `photochanger send` says before it sends anything."""

from pathlib import Path

from photochanger_devstack.cli import app
from typer.testing import CliRunner

PHOTO = Path(__file__).resolve().parents[4] / "tests" / "photos" / "portrait-512.png"


def send(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["send", *arguments], env={"COLUMNS": "500"})
    return result.exit_code, " ".join(result.output.split())


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    file = tmp_path / "taken.png"
    file.touch()
    code, said = send(str(PHOTO), "--out", str(file), "--url", "http://127.0.0.1:1", "--password", "x")
    assert code == 2
    assert "'--out'" in said
    assert f"'{file}' is a file" in said
    assert "doctor" not in said


def test_a_photo_that_is_not_there_is_named(tmp_path: Path) -> None:
    code, said = send(str(tmp_path / "nothing.jpg"))
    assert code == 2
    assert f"'{tmp_path / 'nothing.jpg'}' does not exist" in said
    assert "doctor" not in said


def test_another_gateways_key_cannot_be_guessed() -> None:
    code, said = send(str(PHOTO), "--async", "--url", "http://127.0.0.1:1")
    assert code == 1
    assert "give --key" in said


def test_a_gateway_that_is_not_there_is_told_and_nothing_is_sent() -> None:
    code, said = send(
        str(PHOTO), "--async", "--url", "http://127.0.0.1:1", "--key", "pc_secret", "--retries", "0"
    )
    assert code == 1
    assert "Nothing was sent: connection: " in said
    assert "pc_secret" not in said
