"""Log lines: JSON for machines, text for people, libraries' warnings among them, and no request lines of aiohttp's own."""

import json
import logging

import pytest
import structlog

from etapalvelu import logs


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_json_lines_hold_the_event_and_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")

    structlog.get_logger("http").info("answered", route="/live", status=200)

    (line,) = [json.loads(text) for text in lines(capsys)]
    assert {**line, "timestamp": ""} == {"event": "answered", "route": "/live", "status": 200, "level": "info", "timestamp": ""}


def test_an_error_is_one_line_with_its_traceback_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")

    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("tasks").exception("round_failed", task="sweep")

    (line,) = [json.loads(text) for text in lines(capsys)]
    assert (line["event"], line["task"], line["level"]) == ("round_failed", "sweep", "error")
    assert line["exception"].endswith("ValueError: broken")


def test_a_librarys_warning_is_written_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning", "json")

    logging.getLogger("some.library").warning("careful with %s", "that")
    logging.getLogger("some.library").info("not told")

    (line,) = [json.loads(text) for text in lines(capsys)]
    assert {**line, "timestamp": ""} == {"event": "careful with that", "level": "warning", "timestamp": ""}


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")

    structlog.get_logger("app").info("serving", port=8080)

    (line,) = lines(capsys)
    assert "serving" in line
    assert "port=8080" in line


def test_what_is_less_serious_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("error", "json")

    structlog.get_logger("app").warning("not told")

    assert lines(capsys) == []


def test_request_lines_with_addresses_and_paths_are_never_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", "json")

    logging.getLogger("aiohttp.access").info("10.0.0.1 GET /guest/s3cr3t")

    assert lines(capsys) == []


def test_aiohttps_own_errors_name_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")

    logging.getLogger("aiohttp.server").error("Error handling request from %s", "192.0.2.7")

    (line,) = [json.loads(text) for text in lines(capsys)]
    assert line["event"] == "Error handling request"
