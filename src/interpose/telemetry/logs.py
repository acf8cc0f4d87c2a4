"""Log lines: JSON for machines or readable text for a terminal. Never a statement, a value or a credential.

There is no global configuration: whoever writes lines gets a logger. What libraries log by the standard library goes the same way,
and of an exception only its kind and place are told, since its message may quote data.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

import structlog

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

Logger = structlog.typing.FilteringBoundLogger

_MESSAGE_LIMIT: Final = 300
_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def make_logger(stream: TextIO, *, format: str, level: str = "info", **fields: object) -> Logger:  # noqa: A002 -- as in the configuration
    """A logger that writes to `stream`. `format` is `json` or `console`; `fields` are on every line (such as the worker)."""
    renderer: structlog.typing.Processor
    if format == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=True)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=stream.isatty())
    logger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
    )
    return cast("Logger", logger.bind(**fields))


class LibraryLines(logging.Handler):
    """Passes on what libraries log: level, logger and message, cut short; of an exception its kind and place."""

    def __init__(self, logger: Logger, place_of: Callable[[BaseException], str], level: int = logging.WARNING) -> None:
        """Install it with `logging.getLogger().addHandler`. `place_of` words an exception without its message."""
        super().__init__(level)
        self._logger = logger
        self._place_of = place_of

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a record that cannot be put in words is told as such."""
        try:
            message = record.getMessage()[:_MESSAGE_LIMIT]
        except (TypeError, ValueError):
            message = "a log record that cannot be formatted"
        fields: dict[str, object] = {"logger": record.name, "message": _printable(message)}
        if record.exc_info is not None and record.exc_info[1] is not None:
            fields["failure"] = self._place_of(record.exc_info[1])
        write = self._logger.error if record.levelno >= logging.ERROR else self._logger.warning
        write("library", **fields)


class LoopFaults:
    """The event loop's exception handler: nothing that a callback raised is lost, and none of its data is told."""

    def __init__(self, logger: Logger, place_of: Callable[[BaseException], str]) -> None:
        """Install it with `loop.set_exception_handler`. `place_of` words an exception without its message."""
        self._logger = logger
        self._place_of = place_of

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Write one line."""
        error = context.get("exception")
        self._logger.error(
            "event_loop.fault",
            message=str(context.get("message", ""))[:_MESSAGE_LIMIT],
            failure=self._place_of(error) if isinstance(error, BaseException) else "",
        )


def _printable(text: str) -> str:
    """Without control characters: a terminal that shows the log must not obey it."""
    return "".join(char if char.isprintable() else "?" for char in text)
