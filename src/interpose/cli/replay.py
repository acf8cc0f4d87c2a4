"""Showing a recording's events in a terminal. Everything recorded is data: no byte of it reaches the terminal unsanitised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from rich.console import Console
from rich.markup import escape

from interpose.protocols.contract import ReplayBlock
from interpose.recording.sanitize import sanitize
from interpose.recording.terminal.reading import Line, TerminalReader
from interpose.recording.timeline import (
    ChannelClosed,
    ChannelOpened,
    CommandDecided,
    CommandEnded,
    Delivered,
    Noted,
    Omitted,
    Resized,
    SessionClosed,
    SessionOpened,
    Streamed,
    StreamOmitted,
    TimelineEvent,
)

_STYLES = {"error": "yellow", "notice": "magenta", "control": "dim", "cut": "dim", "tag": "green"}


class Replay:
    """Shows events one by one; delivered bytes are put together until the next event of another kind."""

    def __init__(self, console: Console, words: Callable[[bytes], Sequence[ReplayBlock]] | None) -> None:
        """`words` turns bytes of the session's protocol into readable blocks; None where all goes over channels."""
        self._console = console
        self._words = words
        self._bytes = b""
        self._reader = TerminalReader()
        self._running: dict[int, str] = {}
        self._closed = False

    def show(self, event: TimelineEvent) -> None:
        """Show one event."""
        if isinstance(event, Delivered):
            self._bytes += event.data
            return
        self._show_delivered()
        for line in self._reader.event(event):
            self._shown(line)
        match event:
            case SessionOpened(header=header):
                self._line(
                    "bold",
                    f"session {header.session} of {header.principal} on {header.connection} from {header.source}",
                )
            case CommandDecided():
                colour = {"permit": "cyan", "hold": "magenta"}.get(event.decision, "red")
                head = f"[dim]{event.at:9.3f}s[/] [{colour}]{escape(event.decision):7}[/] "
                kind = "" if event.kind == "query" else f"[dim]({escape(event.kind)})[/] "
                if event.decision == "permit":
                    self._running[event.sequence] = event.text
                self._console.print(f"{head}{kind}[bold]{escape(sanitize(event.text, lines=True))}[/]")
                for number, value in enumerate(event.parameters, 1):
                    shown = "NULL" if value is None else sanitize(value.decode("utf-8", "backslashreplace"))
                    self._line("dim", f"             ${number} = {shown}")
            case Noted():
                self._line("magenta", f"{event.at:9.3f}s {event.kind}: {sanitize(event.text)}")
            case Omitted():
                why = "could not be written" if event.lost else "are beyond the recording's cap"
                self._line("dim", f"             ({event.count:,} bytes of the result {why})")
            case ChannelOpened():
                self._line(
                    "dim", f"             channel {event.channel}: {sanitize(event.kind)} {sanitize(event.term)}"
                )
            case ChannelClosed():
                status = "" if event.status is None else f" with status {event.status}"
                self._line("dim", f"             channel {event.channel} is over{status}")
            case Streamed():
                pass
            case Resized():
                self._line("dim", f"             window {event.columns}x{event.rows}")
            case StreamOmitted():
                why = "could not be written" if event.lost else "are beyond the recording's cap"
                self._line("dim", f"             ({event.count:,} bytes of {event.stream.name.lower()} {why})")
            case CommandEnded():
                self._running.pop(event.sequence, None)
                if event.outcome != "ok":
                    word = f" ({event.error_class})" if event.error_class else ""
                    self._line("yellow", f"             {event.outcome}{word}")
            case SessionClosed():
                self._closed = True
                self._line("bold", f"{event.at:9.3f}s closed: {event.reason}" + (" (incomplete)" if event.lost else ""))
            case _:
                assert_never(event)

    def finish(self) -> None:
        """Show what is left, and what was under way where the record stops: when the gateway was killed, or until now."""
        self._show_delivered()
        for line in self._reader.finish():
            self._shown(line)
        for text in () if self._closed else self._running.values():
            self._line("yellow", f"             no end is recorded of: {sanitize(text)}")

    def _shown(self, line: Line) -> None:
        mark = "detected command: " if line.detected else ""
        self._line("cyan" if line.detected else "", f"             {mark}{sanitize(line.text)}")

    def _show_delivered(self) -> None:
        data, self._bytes = self._bytes, b""
        for block in self._words(data) if data and self._words is not None else ():
            style = _STYLES.get(block.kind, "")
            for line in sanitize(block.text, lines=True).splitlines():
                self._line(style, f"             {line}")

    def _line(self, style: str, text: str) -> None:
        self._console.print(text, style=style or None, markup=False)
