"""`interpose sessions`: who was connected, what they did, and the same again at another speed."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from interpose.api.views import FoundView, SessionView
from interpose.cli.client import AdminClient
from interpose.cli.options import JsonOption, ServerOption
from interpose.cli.output import ago, console, print_json, print_table, when
from interpose.model.errors import ClientError
from interpose.recording.export import recording_jsonl
from interpose.recording.frames import FrameError, read_frames
from interpose.recording.sanitize import sanitize
from interpose.recording.timeline import TimelineEvent, timeline

app = typer.Typer(no_args_is_help=True, help="List, replay, search, export and end sessions.")

LimitOption = Annotated[int, typer.Option("--limit", "-n", help="at most so many")]
ConnectionOption = Annotated[str | None, typer.Option("--connection", help="only on this connection")]
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
    longest: Annotated[float, typer.Option("--longest-pause", help="seconds that a pause is shortened to")] = 5.0,
) -> None:
    """Replay a session in the terminal, with its original timing."""
    if speed < 0:
        raise ClientError("`--speed` cannot be negative", hint="1 is the original speed, 0 does not wait")
    # Listing sessions needs no protocol, and with one comes its whole grammar.
    from interpose.app.protocols import PROTOCOLS
    from interpose.cli.replay import Replay

    client = AdminClient(server)
    row = client.get(f"/v1/sessions/{session}", SessionView)
    spec = PROTOCOLS.get(row.protocol)
    if spec is None:
        raise ClientError(f"this version cannot replay the protocol `{row.protocol}`")
    player = Replay(console(), spec.replay)
    before = 0.0
    for event in _timeline(client, session):
        pause = min(longest, max(0.0, event.at - before))
        if speed:
            time.sleep(pause / speed)
        before = event.at
        player.show(event)
    player.finish()


@app.command()
def search(
    text: str,
    server: ServerOption = None,
    connection: ConnectionOption = None,
    principal: PrincipalOption = None,
    limit: LimitOption = 1000,
    as_json: JsonOption = False,
) -> None:
    """Find commands that hold a text, in the recordings of the newest sessions that you may replay."""
    lines = AdminClient(server).lines("/v1/search", q=text, connection=connection, principal=principal, limit=limit)
    found = [msgspec.json.decode(line, type=FoundView) for line in lines]
    if as_json:
        print_json(found)
        return
    rows = [
        [hit.session, when(hit.at), hit.principal, hit.decision, " ".join(sanitize(hit.text).split())] for hit in found
    ]
    print_table("", ["session", "at (UTC)", "who", "decision", "command"], rows, "nothing found")


@app.command()
def export(session: str, server: ServerOption = None) -> None:
    """Print a session's recording as JSON lines."""
    sys.stdout.buffer.writelines(recording_jsonl(_timeline(AdminClient(server), session)))


@app.command()
def end(session: str, server: ServerOption = None) -> None:
    """End a live session; its client is told so."""
    AdminClient(server).post(f"/v1/sessions/{session}/end", dict[str, str], {})
    console().print(f"{session} is being ended", markup=False)


class _Stream(io.RawIOBase):
    """The recording as a file that is read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _timeline(client: AdminClient, session: str) -> Iterator[TimelineEvent]:
    stream = io.BufferedReader(_Stream(client.stream(f"/v1/sessions/{session}/recording")), 1 << 16)
    try:
        yield from timeline(frame for frame, _ in read_frames(stream.read))
    except FrameError as error:
        raise ClientError("the recording is damaged", detail=str(error), hint="see `interpose audit verify`") from error
