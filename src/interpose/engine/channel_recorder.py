"""The port to which the driver of a protocol with channels tells what goes over them."""

from __future__ import annotations

from typing import Protocol

from interpose.recording.channel_frames import StreamName


class ChannelRecorder(Protocol):
    """The part of a session's recording that is about channels. Writing may raise `RecordingError`; nothing is then sent."""

    def channel_opened(self, channel: int, sequence: int, kind: str, term: str = "") -> None:
        """A channel begins to carry the streams of the command with this sequence; buffered.

        `kind` is what was started; `term` is the terminal's type, empty when the channel has no terminal.
        """
        ...

    def stream(self, channel: int, stream: StreamName, data: bytes) -> None:
        """Bytes of a channel as the client sent or got them, up to the stream's cap; buffered."""
        ...

    def window(self, channel: int, columns: int, rows: int) -> None:
        """The size of a channel's terminal from now on; buffered."""
        ...

    def channel_closed(self, channel: int, status: int | None = None) -> None:
        """A channel carries nothing more; `status` is what its program exited with, None when it is not known."""
        ...
