"""A tunnelled connection: each half ends by itself, neither side is read faster than the other takes, and without a record nothing passes."""

from __future__ import annotations

import asyncio

import asyncssh

from interpose.bridges.ssh.tunnels import TUNNEL_WINDOW
from interpose.model.actions import Action
from interpose.recording.channel_frames import StreamName
from tests.support.ssh_pair import Echo, Host, pair

LARGE = 16 * TUNNEL_WINDOW


class Flood(asyncssh.SSHTCPSession[bytes]):
    """Sends a lot as soon as it may."""

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        self._chan = chan

    def session_started(self) -> None:
        self._chan.write(b"x" * LARGE)
        self._chan.write_eof()


class Patient(asyncssh.SSHTCPSession[bytes]):
    """Takes nothing until it is told to."""

    def __init__(self) -> None:
        self.came = 0
        self.ended = asyncio.Event()

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        self.chan = chan
        chan.pause_reading()

    def session_started(self) -> None:
        self.chan.pause_reading()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self.came += len(data)

    def eof_received(self) -> bool:
        self.ended.set()
        return False


async def test_a_side_that_takes_nothing_stops_the_other_and_nothing_is_lost() -> None:
    async with pair([Action.FORWARD]) as made:
        made.host.session = Flood
        channel, patient = await made.client.create_connection(Patient, "db", 5432, encoding=None)
        tunnel = next(iter(made.session._channels))._tunnel  # type: ignore[attr-defined]
        before = -1
        # Until nothing moves any more; what was passed on then is what windows hold.
        while before != tunnel.upstream.sent or not tunnel.client.full:
            before = tunnel.upstream.sent
            await asyncio.sleep(0.05)
        assert tunnel.upstream.sent < LARGE / 2
        assert tunnel.upstream.stopped
        channel.resume_reading()
        await asyncio.wait_for(patient.ended.wait(), 60)
        assert patient.came == LARGE


async def test_one_half_may_end_long_before_the_other() -> None:
    async with pair([Action.FORWARD]) as made:
        reader, writer = await made.connect()
        writer.write_eof()
        assert await reader.read() == b"<end>"
        writer.close()
        await made.until(lambda: made.ends == [("ok", "0 bytes up, 5 bytes down")])


async def test_contents_are_kept_before_they_are_passed_on_where_that_is_asked_for() -> None:
    async with pair([Action.FORWARD], record_forwards=True) as made:
        reader, writer = await made.connect()
        writer.write(b"kept")
        assert await reader.read(4) == b"kept"
        (number, _, kind, _) = made.recorder.channels[0]
        assert kind == "forward"
        assert made.recorder.streams == {(number, StreamName.STDIN): b"kept", (number, StreamName.STDOUT): b"kept"}
        made.recorder.fails = True
        writer.write(b"lost")
        # The record that fails passes nothing on, and ends the session.
        assert await reader.read() == b""
        await asyncio.wait_for(made.session.over.wait(), 30)
        assert made.around.closed == ["record_failed"]


async def test_a_host_that_goes_away_ends_the_tunnel_and_its_permit() -> None:
    class Gone(Echo):
        """Closes on the first byte."""

        def data_received(self, data: bytes, datatype: int | None) -> None:
            self._chan.abort()

    async with pair([Action.FORWARD]) as made:
        made.host.session = Gone
        reader, writer = await made.connect()
        writer.write(b"x")
        assert await reader.read() == b""
        await made.until(lambda: made.ends == [("ok", "1 bytes up, 0 bytes down")])
        assert isinstance(made.host, Host)
