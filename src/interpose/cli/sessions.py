"""`interpose sessions`: who was connected, what they did, and the same again at another speed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Annotated

import msgspec
import typer

from interpose.api.views import FoundView, SessionView
from interpose.cli.casting import Form, exported
from interpose.cli.client import AdminClient
from interpose.cli.options import JsonOption, ServerOption
from interpose.cli.output import ago, console, print_json, print_table, when
from interpose.cli.viewer import usable, viewing
from interpose.model.errors import ClientError
from interpose.recording.frames import FrameError, read_frames
from interpose.recording.sanitize import sanitize
from interpose.recording.terminal.tape import Cut, Tape
from interpose.recording.timeline import ChannelOpened, Delivered, TimelineEvent, timeline

app = typer.Typer(no_args_is_help=True, help="List, replay, search, export and end sessions.")

LimitOption = Annotated[int, typer.Option("--limit", "-n", help="at most so many")]
ConnectionOption = Annotated[str | None, typer.Option("--connection", help="only on this connection")]
ChannelOption = Annotated[int | None, typer.Option("--channel", help="this channel, else the first with a terminal")]
PrincipalOption = Annotated[str | None, typer.Option("--principal", help="only of this principal")]


@app.command("list")
def list_sessions(
    server: ServerOption = None,
    live: Annotated[bool, typer.Option("--live", help="only those that live")] = False,
    principal: PrincipalOption = None,
    connection: ConnectionOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """List sessions that you may see, newest first."""
    rows = AdminClient(server).get(
        "/v1/sessions",
        list[SessionView],
        live="true" if live else None,
        principal=principal,
        connection=connection,
        limit=limit,
    )
    if as_json:
        print_json(rows)
        return
    now = time.time()
    table = [
        [
            row.id,
            row.principal,
            row.connection,
            when(row.opened_at),
            f"live, {ago(now - row.opened_at)}" if row.closed_at is None else ago(row.closed_at - row.opened_at),
            str(row.commands),
            str(row.refused),
            row.close_reason,
        ]
        for row in rows
    ]
    columns = ["id", "who", "connection", "opened (UTC)", "lasted", "commands", "refused", "end"]
    print_table("", columns, table, "no sessions that you may see")


@app.command()
def show(session: str, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Show one session."""
    row = AdminClient(server).get(f"/v1/sessions/{session}", SessionView)
    if as_json:
        print_json(row)
        return
    closed = "it lives" if row.closed_at is None else f"{when(row.closed_at)} UTC ({row.close_reason})"
    details = "".join(f"\n  {name:14} {sanitize(value)}" for name, value in sorted(row.details.items()))
    console().print(
        f"{row.id}\n  {'who':14} {row.principal}\n  {'connection':14} {row.connection} ({row.protocol})\n"
        f"  {'from':14} {row.source}\n  {'opened':14} {when(row.opened_at)} UTC\n  {'closed':14} {closed}\n"
        f"  {'commands':14} {row.commands}, of which {row.refused} were refused{details}",
        markup=False,
    )


@app.command()
def replay(
    session: str,
    server: ServerOption = None,
    speed: Annotated[float, typer.Option("--speed", help="2 is twice as fast; 0 does not wait at all")] = 1.0,
    idle_limit: Annotated[
        float, typer.Option("--idle-limit", "--longest-pause", help="seconds that a pause is shortened to")
    ] = 5.0,
    begin: Annotated[float, typer.Option("--from", help="seconds at which to begin (terminals)")] = 0.0,
    end_at: Annotated[float | None, typer.Option("--to", help="seconds at which to stop (terminals)")] = None,
    channel: ChannelOption = None,
) -> None:
    """Replay a session in the terminal, with its original timing. Terminals: space pauses, arrows wind 5 s, + and -, q."""
    if speed < 0 or idle_limit < 0:
        raise ClientError(
            "`--speed` and `--idle-limit` cannot be negative", hint="1 is the original speed, 0 does not wait"
        )
    client = AdminClient(server)
    row = client.get(f"/v1/sessions/{session}", SessionView)
    events = _timeline(client.stream(f"/v1/sessions/{session}/recording"))
    opening, found = _opening(events, channel)
    if found is not None and speed and usable():
        from interpose.cli.player import PlayOptions, play

        with viewing() as viewer:
            play(
                viewer,
                Tape(terminal=bool(found.term)),
                chain(opening, events),
                Cut(found.channel, idle_limit),
                PlayOptions(speed, begin=begin, end=end_at),
                f"{row.id} {row.principal} on {row.connection}, channel {found.channel}",
            )
        return
    _print_replay(row, chain(opening, events), speed, idle_limit)


def _opening(events: Iterator[TimelineEvent], channel: int | None) -> tuple[list[TimelineEvent], ChannelOpened | None]:
    """The begin of a recording up to its first (or this) terminal, and that. A protocol without channels reads no further than it must."""
    before: list[TimelineEvent] = []
    for event in events:
        before.append(event)
        if isinstance(event, ChannelOpened) and (event.term if channel is None else event.channel == channel):
            return before, event
        if isinstance(event, Delivered):
            break
    return before, None


def _print_replay(row: SessionView, events: Iterable[TimelineEvent], speed: float, longest: float) -> None:
    # Listing sessions needs no protocol, and with one comes its whole grammar.
    from interpose.app.protocols import relayed
    from interpose.cli.replay import Replay

    spec = relayed().get(row.protocol)
    player = Replay(console(), spec.replay if spec is not None else None)
    before = 0.0
    for event in events:
        pause = min(longest, max(0.0, event.at - before))
        if speed:
            time.sleep(pause / speed)
        before = event.at
        player.show(event)
    player.finish()


@app.command()
def watch(session: str, server: ServerOption = None, channel: ChannelOption = None) -> None:
    """Follow a session while it lives: its screen when it has a terminal, else what it does line by line."""
    client = AdminClient(server)
    row = client.get(f"/v1/sessions/{session}", SessionView)
    events = _timeline(client.follow(f"/v1/sessions/{session}/recording", follow="true"))
    opening, found = _opening(events, channel)
    if found is None or not usable():
        _print_replay(row, chain(opening, events), 0.0, 0.0)
        return
    from interpose.cli.player import watch as watch_terminal

    with viewing() as viewer:
        title = f"{row.id} {row.principal} on {row.connection}, channel {found.channel}"
        tape = Tape(terminal=bool(found.term))
        failed = watch_terminal(viewer, tape, lambda: chain(opening, events), Cut(found.channel), title)
    if failed is not None:
        raise failed


@app.command()
def search(
    text: str,
    server: ServerOption = None,
    connection: ConnectionOption = None,
    principal: PrincipalOption = None,
    limit: LimitOption = 1000,
    as_json: JsonOption = False,
) -> None:
    """Find commands, and lines that terminals showed, that hold a text, in the recordings of the newest sessions that you may replay."""
    lines = AdminClient(server).lines("/v1/search", q=text, connection=connection, principal=principal, limit=limit)
    found = [msgspec.json.decode(line, type=FoundView) for line in lines]
    if as_json:
        print_json(found)
        return
    rows = [
        [
            hit.session,
            when(hit.at),
            hit.principal,
            hit.decision or hit.kind,
            " ".join(sanitize(hit.text).split()),
        ]
        for hit in found
    ]
    print_table("", ["session", "at (UTC)", "who", "decision", "command"], rows, "nothing found")


@app.command()
def export(
    session: str,
    server: ServerOption = None,
    form: Annotated[
        Form, typer.Option("--format", help="jsonl: all of it, byte by byte; a cast: one channel, made harmless; text")
    ] = Form.JSONL,
    channel: ChannelOption = None,
    typed: Annotated[bool, typer.Option("--input", help="casts hold what was typed too, passwords among it")] = False,
    idle_limit: Annotated[
        float | None, typer.Option("--idle-limit", help="casts: seconds that a pause is cut to")
    ] = None,
) -> None:
    """Print a session's recording: JSON lines, asciicast (version 2 or 3) or text."""
    events = _timeline(AdminClient(server).stream(f"/v1/sessions/{session}/recording"))
    sys.stdout.buffer.writelines(exported(events, form, channel, typed=typed, idle_limit=idle_limit))


@app.command()
def kill(
    session: str,
    server: ServerOption = None,
    reason: Annotated[str, typer.Option("--reason", help="told to the user, and in the audit chain")] = "",
) -> None:
    """End a live session; its client is told so."""
    AdminClient(server).post(f"/v1/sessions/{session}/end", dict[str, str], {"reason": reason})
    console().print(f"{session} is being ended", markup=False)


app.command("end", help="The same as `kill`.")(kill)


@app.command()
def say(session: str, text: str, server: ServerOption = None) -> None:
    """Show a message to the user of a live session."""
    AdminClient(server).post(f"/v1/sessions/{session}/say", dict[str, str], {"text": text})
    console().print(f"{session} is told", markup=False)


class _Stream:
    """The recording as a file that is read once, as it comes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = bytearray()

    def read_whole(self, count: int) -> bytes:
        """So many bytes, fewer only at the end."""
        while len(self._rest) < count and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        data = bytes(self._rest[:count])
        del self._rest[:count]
        return data


def _timeline(chunks: Iterator[bytes]) -> Iterator[TimelineEvent]:
    stream = _Stream(chunks)
    try:
        yield from timeline(frame for frame, _ in read_frames(stream.read_whole))
    except FrameError as error:
        raise ClientError("the recording is damaged", detail=str(error), hint="see `interpose audit verify`") from error
