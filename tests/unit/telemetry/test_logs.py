"""Log lines: their form, and that they hold no data."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import CollectorRegistry

from interpose.model.errors import UpstreamError
from interpose.net.journal import place_of
from interpose.telemetry.journal import OperatorJournal
from interpose.telemetry.logs import LibraryLines, LoopFaults, make_logger
from interpose.telemetry.metrics import SessionMetrics


def told(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_lines_have_level_time_and_the_fields_of_the_logger() -> None:
    stream = io.StringIO()
    logger = make_logger(stream, format="json", worker="0")
    logger.info("gateway.started", port=5432)
    logger.debug("unseen")
    (line,) = told(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "gateway.started", "level": "info", "port": 5432, "worker": "0"}


def test_console_lines_are_readable_and_the_level_can_be_lowered() -> None:
    stream = io.StringIO()
    make_logger(stream, format="console", level="debug").debug("hello", who="you")
    assert "hello" in stream.getvalue()
    assert "who=you" in stream.getvalue()
    assert "\x1b" not in stream.getvalue(), "no colours where there is no terminal"


def test_hostile_text_cannot_forge_a_line() -> None:
    stream = io.StringIO()
    make_logger(stream, format="json").info("login.failed", source='x"}\n{"event": "forged\u2028\x1b]0;')
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def broken() -> None:
    ssn = "078-05-1120"
    raise ValueError(f"no such number: {ssn}")


def test_of_an_exception_only_kind_and_place_are_told() -> None:
    stream = io.StringIO()
    logger = make_logger(stream, format="json")
    handler = LibraryLines(logger, place_of)
    try:
        broken()
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
        handler.emit(logging.LogRecord("some.library", logging.ERROR, "", 0, "it \x1b failed %s", ("badly",), info))
        LoopFaults(logger, place_of)(
            cast(asyncio.AbstractEventLoop, None), {"message": "in a callback", "exception": error}
        )
    handler.emit(logging.LogRecord("some.library", logging.WARNING, "", 0, "%d", ("not a number",), None))
    lines = told(stream)
    assert [line["event"] for line in lines] == ["library", "event_loop.fault", "library"]
    assert all("broken:" in line["failure"] and "ValueError" in line["failure"] for line in lines[:2])
    assert "078-05" not in stream.getvalue()
    assert lines[0]["message"] == "it ? failed badly"


def test_one_line_when_a_session_opens_and_one_when_it_closes() -> None:
    stream, registry = io.StringIO(), CollectorRegistry()
    journal = OperatorJournal(make_logger(stream, format="json"), SessionMetrics(registry))
    session: Any = SimpleNamespace(
        id="s_1",
        label="User:alice",
        connection=SimpleNamespace(name="orders"),
        source="10.0.0.1",
        commands=3,
        refused=1,
    )
    journal.session_opened(session, "toy", "TLSv1.3")
    journal.session_closed(session, "client_closed", 10, 20, 1.23456)
    journal.login_failed("10.0.0.1", "toy", "deadline")
    journal.session_failed(None, "ValueError at x")
    journal.upstream_failed("orders", UpstreamError("cannot be reached", detail="db:1: refused"))
    journal.accepting_paused("0.0.0.0:1", "EMFILE")
    opened, closed, *rest = told(stream)
    assert (opened["event"], opened["principal"], opened["tls"]) == ("session.opened", "User:alice", "TLSv1.3")
    assert (closed["event"], closed["reason"], closed["seconds"], closed["commands"]) == (
        "session.closed",
        "client_closed",
        1.235,
        3,
    )
    assert [line["event"] for line in rest] == ["login.failed", "session.failed", "upstream.failed", "accepting.paused"]
    assert registry.get_sample_value("interpose_sessions", {"connection": "orders"}) == 0.0
