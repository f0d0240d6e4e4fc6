"""What `photochanger slot` says before it asks any service."""

import pytest
from photochanger_devstack.cli import app
from photochanger_devstack.slots import MissingTarget, Targets
from typer.testing import CliRunner

ADDRESSES = {"INGEST_TARGET": "127.0.0.1:1", "PROVIDERS_TARGET": "127.0.0.1:2", "MEDIA_TARGET": "127.0.0.1:3"}


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["slot", *arguments], env={**ADDRESSES, **environment})
    return result.exit_code, " ".join(result.output.split())


def test_addresses_come_from_the_environment() -> None:
    assert Targets.of(ADDRESSES) == Targets("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3")


@pytest.mark.parametrize("missing", sorted(ADDRESSES))
def test_a_missing_address_is_named(missing: str) -> None:
    with pytest.raises(MissingTarget, match=missing):
        Targets.of({name: value for name, value in ADDRESSES.items() if name != missing})


def test_a_change_of_nothing_is_refused() -> None:
    code, said = run("set", "slot-001")
    assert code == 1
    assert "Nothing to change" in said


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        ("--response-mode", "image, multipart"),
        ("--on-failure", "error, original"),
        ("--late-results", "discard, keep"),
        ("--output-format", "as-made, jpeg, png, webp"),
    ],
)
def test_an_unknown_choice_lists_the_known_ones(option: str, choices: str) -> None:
    code, said = run("set", "slot-001", option, "nonsense")
    assert code == 1
    assert choices in said


def test_a_template_without_a_role_is_refused() -> None:
    code, said = run("set", "slot-001", "--template", "beach.jpg")
    assert code == 1
    assert "ROLE=FILE" in said


def test_a_service_that_is_away_is_said_in_words() -> None:
    code, said = run("list")
    assert code == 1
    assert "cannot be reached" in said
