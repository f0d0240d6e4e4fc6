import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from photochanger_chassis.logging import configure_logging
from photochanger_chassis.settings import LoggingSettings


@pytest.fixture(autouse=True)
def logging_left_as_found() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def configure(capsys: pytest.CaptureFixture[str]) -> Callable[[], None]:
    # Called inside the test: pytest exchanges stdout between a fixture and its test.
    return lambda: configure_logging("ingest", LoggingSettings())


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_is_json_with_service_level_time_and_bound_ids(
    configure: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    with structlog.contextvars.bound_contextvars(job_id="7"):
        structlog.stdlib.get_logger("x").info("job.opened", width_px=3)
    [line] = _lines(capsys)
    assert line["event"] == "job.opened"
    assert line["service"] == "ingest"
    assert line["level"] == "info"
    assert line["job_id"] == "7"
    assert str(line["timestamp"]).endswith("Z")


def test_the_standard_library_logs_the_same_way(
    configure: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    logging.getLogger("somebody").warning("disk at %d %%", 91)
    [line] = _lines(capsys)
    assert line["event"] == "disk at 91 %"
    assert line["service"] == "ingest"


def test_values_under_secret_names_are_struck_out_at_any_depth(
    configure: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    structlog.stdlib.get_logger("x").info(
        "login", password="hunter2", headers={"Authorization": "hunter2"}, GEMINI_API_KEY="hunter2", slot="s"
    )
    text = capsys.readouterr().out
    assert "hunter2" not in text
    assert json.loads(text)["slot"] == "s"


def test_an_exception_is_logged_with_its_trace(
    configure: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    try:
        _ = {"here": 1}["gone"]
    except KeyError:
        structlog.stdlib.get_logger("x").exception("broken")
    [line] = _lines(capsys)
    assert "test_an_exception_is_logged_with_its_trace" in str(line["exception"])


def test_ids_that_open_something_are_logged_short(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("ingest", LoggingSettings(), shortened=("ticket_id",))
    structlog.stdlib.get_logger("x").info("opened", ticket_id="0123456789abcdef", other_id="0123456789abcdef")
    [line] = _lines(capsys)
    assert line["ticket_id"] == "01234567"
    assert line["other_id"] == "0123456789abcdef"
