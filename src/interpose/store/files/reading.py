"""Reading recordings from their folder, sealed or live, for replay, search and export. Writes nothing, locks nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from interpose.model.errors import StoreError
from interpose.recording.container import SPOOL_HEAD, RecordingFormatError, Trailer, decode_spool_head, read_chunks
from interpose.recording.frames import Frame, FrameError, read_frames
from interpose.recording.header import RecordingHeader
from interpose.recording.search import SearchHit, SearchQuery, search
from interpose.recording.timeline import SessionOpened, TimelineEvent, recording_frames, timeline
from interpose.store.files.layout import LIVE, RECORDING_SUFFIX, safe_name, spools

_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class StoredRecording:
    """A recording that is there. `path` is its file (None while all of it is in spools), `live` says that spools exist."""

    session: str
    path: Path | None
    live: bool


class RecordedSessions:
    """The recordings under one folder. What cannot be read raises `StoreError` that names the session."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the recordings folder; it need not exist."""
        self._folder = folder

    def all(self) -> list[StoredRecording]:
        """Every recording, by session id (which sorts by time)."""
        live = set(self._live())
        paths = {path.name.removesuffix(RECORDING_SUFFIX): path for path in self._folder.glob(f"*/*{RECORDING_SUFFIX}")}
        return [StoredRecording(name, paths.get(name), name in live) for name in sorted({*paths, *live})]

    def find(self, session: str) -> StoredRecording | None:
        """One recording; None when there is none. Raises `RecordingError` for what cannot be a session id."""
        safe_name(session, "id of a session")
        live = session in self._live()
        path = self._path(session)
        return StoredRecording(session, path, live) if path is not None or live else None

    def frames(self, session: str) -> Iterator[Frame]:
        """Every frame that is there now, each once, although the gateway may be sealing at the same time."""
        safe_name(session, "id of a session")
        seen = 0
        for _ in range(_ATTEMPTS):
            # INVARIANT: the spools are listed before the file is looked for. What is sealed in between is then in the file,
            # or its spool is gone when it is opened, and all begins again.
            waiting = self._live().get(session, [])
            path = self._path(session)
            if path is None and not waiting:
                raise StoreError(
                    f"there is no recording of session `{session}`", hint="list sessions to see which there are"
                )
            try:
                for number, frame in self._walk(path, waiting):
                    if number >= seen:
                        seen = number + 1
                        yield frame
            except FileNotFoundError:
                continue
            except (RecordingFormatError, FrameError) as error:
                raise StoreError(f"the recording of session `{session}` is damaged", detail=str(error)) from None
            except OSError as error:
                raise StoreError(f"the recording of session `{session}` cannot be read", detail=str(error)) from None
            return

    def timeline(self, session: str) -> Iterator[TimelineEvent]:
        """What happened in a session, event by event; of a live session, up to now."""
        try:
            yield from timeline(self.frames(session))
        except FrameError as error:
            raise StoreError(f"the recording of session `{session}` is damaged", detail=str(error)) from None

    def header(self, session: str) -> RecordingHeader | None:
        """Whose session it was; None when the recording does not say (cut off at its very begin)."""
        first = next(self.timeline(session), None)
        return first.header if isinstance(first, SessionOpened) else None

    def trailer(self, session: str) -> Trailer | None:
        """How the recording was sealed; None while it is not."""
        stored = self.find(session)
        if stored is None or stored.path is None:
            return None
        try:
            with stored.path.open("rb") as file:
                for chunk in read_chunks(file.read):
                    if chunk.trailer:
                        return chunk.read_trailer()
        except (OSError, RecordingFormatError) as error:
            raise StoreError(f"the recording of session `{session}` cannot be read", detail=str(error)) from None
        return None

    def search(self, query: SearchQuery) -> Iterator[SearchHit]:
        """Every command that matches, session by session; a recording is read no further than it can hold hits."""
        for stored in self.all():
            yield from search(self.timeline(stored.session), query)

    def spools(self, session: str) -> list[Path]:
        """The spools that a session has now, in order."""
        return self._live().get(safe_name(session, "id of a session"), [])

    def _path(self, session: str) -> Path | None:
        return next(self._folder.glob(f"*/{session}{RECORDING_SUFFIX}"), None)

    def _live(self) -> dict[str, list[Path]]:
        """Spools by session, over all workers, dead ones included."""
        found: dict[str, list[Path]] = {}
        for worker in sorted((self._folder / LIVE).glob("[!.]*")):
            found.update(spools(worker))
        return found

    @staticmethod
    def _walk(path: Path | None, waiting: list[Path]) -> Iterator[tuple[int, Frame]]:
        """Frames with their ordinals, those of the file first."""
        number = 0
        if path is not None:
            with path.open("rb") as file:
                for frame in recording_frames(file.read):
                    yield number, frame
                    number += 1
        for spool in waiting:
            with spool.open("rb") as file:
                ordinal = decode_spool_head(file.read(SPOOL_HEAD))
                if ordinal is None:
                    continue
                for frame, _ in read_frames(file.read):
                    yield ordinal, frame
                    ordinal += 1
