"""Following a recording while it is written, by whichever worker: a look at its files now and then, which no writer notices."""

from __future__ import annotations

from typing import Final

from interpose.recording.container import SPOOL_HEAD, decode_spool_head
from interpose.recording.frames import CLOSE, Frame, read_frames
from interpose.store.files.reading import RecordedSessions

_MOST: Final = 1024
"""Frames answered at once, so that a reader that is far behind does not have all of it in memory."""


class RecordingTail:
    """Each frame of one recording, once and in order. Not for several threads at a time."""

    def __init__(self, recordings: RecordedSessions, session: str) -> None:
        """From the first frame on."""
        self._recordings = recordings
        self._session = session
        self._seen = 0
        self._spool = ""
        self._offset = 0
        self.over = False
        """Whether nothing more will come."""

    def poll(self) -> list[Frame]:
        """What is there now and was not answered yet, at most some; empty when there is nothing. Raises `StoreError`."""
        if self.over:
            return []
        # INVARIANT: looked at before the frames are read. A session that was not live then has all its frames in its file.
        stored = self._recordings.find(self._session)
        frames = self._from_spool()
        if frames is None:
            frames = self._from_the_begin()
        self._seen += len(frames)
        if any(frame.type == CLOSE for frame in frames) or (not frames and (stored is None or not stored.live)):
            self.over = True
        return frames

    def _from_spool(self) -> list[Frame] | None:
        """What the spool that holds the next frame has of it; None when there is no such spool."""
        for path in reversed(self._recordings.spools(self._session)):
            try:
                with path.open("rb") as file:
                    ordinal = decode_spool_head(file.read(SPOOL_HEAD))
                    if ordinal is None or ordinal > self._seen:
                        continue
                    if str(path) == self._spool:
                        file.seek(self._offset)
                        ordinal = self._seen
                    else:
                        self._spool, self._offset = str(path), SPOOL_HEAD
                    found: list[Frame] = []
                    for frame, raw in read_frames(file.read):
                        self._offset += len(raw)
                        if ordinal >= self._seen:
                            found.append(frame)
                        ordinal += 1
                        if len(found) == _MOST:
                            break
                    return found
            except FileNotFoundError:
                continue
        return None

    def _from_the_begin(self) -> list[Frame]:
        """From the sealed part."""
        self._spool = ""
        found: list[Frame] = []
        for number, frame in enumerate(self._recordings.frames(self._session)):
            if number >= self._seen:
                found.append(frame)
                if len(found) == _MOST:
                    break
        return found
