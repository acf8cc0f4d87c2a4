"""Proving recordings against the audit chain, and chains against each other: what one chain cannot show of itself.

Fed with the entries of verified chains; knows no folders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from interpose.recording.chain import ChainHead, Entry
from interpose.recording.container import RecordingFormatError, read_chunks
from interpose.recording.verify import ChainReport

REMOVED: Final = "retention.removed_chain"
REMOVED_RECORDING: Final = "retention.removed_recording"
"""The `action` fields of `administered` events that retention writes before it deletes."""


@dataclass(frozen=True, slots=True)
class RecordingProof:
    """What is wrong with a recording; None when nothing is. `sealed` is its state, empty while it is not sealed."""

    session: str
    sealed: str
    chunks: int
    problem: str | None


@dataclass(slots=True)
class _Announced:
    """What the chains say of one recording."""

    chunks: dict[int, str]
    trailer: str = ""
    state: str = ""
    path: str = ""
    removed: bool = False


class RecordKnowledge:
    """What all verified chains together say of recordings, and of chains that were deleted in order."""

    def __init__(self) -> None:
        """Knows nothing yet; feed it with `visit`."""
        self._recordings: dict[str, _Announced] = {}
        self._removed: set[str] = set()
        self.conflicts: list[str] = []

    def visit(self, entry: Entry) -> None:
        """Take an entry of a verified chain into account."""
        if entry.kind == "recording.chunk" and entry.session is not None:
            self._chunk(entry.session, entry.fields.get("chunk"), entry.fields.get("sha256"))
        elif entry.kind == "session.sealed" and entry.session is not None:
            announced = self._of(entry.session)
            trailer = str(entry.fields.get("trailer", ""))
            if announced.trailer not in ("", trailer):
                self.conflicts.append(f"session `{entry.session}` was sealed twice, with different content")
            announced.trailer = trailer
            announced.state = str(entry.fields.get("state", ""))
            announced.path = str(entry.fields.get("recording", ""))
        elif entry.kind == "administered":
            self._administered(entry)

    def removed_heads(self) -> frozenset[str]:
        """The heads (as text) of chains that retention deleted after saying so."""
        return frozenset(self._removed)

    def expected(self) -> tuple[tuple[str, str], ...]:
        """Sessions whose sealed recordings must be there, with their paths below the recordings folder."""
        return tuple(
            (session, announced.path)
            for session, announced in sorted(self._recordings.items())
            if announced.path and not announced.removed
        )

    def prove(self, session: str, read: Callable[[int], bytes], *, growing: bool = False) -> RecordingProof:
        """Hold one recording against what the chains say of it; `read(n)` as for `container.read_chunks`.

        `growing` says that the file was written to since the chains were read: while they know no seal, what stands behind
        the chunks that they know is then not held against it.
        """
        announced = self._recordings.get(session, _Announced({}))
        growing = growing and not announced.trailer
        if not growing and not announced.trailer and not announced.chunks:
            return RecordingProof(session, "", 0, "no audit chain knows this recording")
        count, state = 0, ""
        try:
            for chunk in read_chunks(read, session):
                if chunk.trailer:
                    state = chunk.read_trailer().state
                    if not growing and chunk.hash.hex() != announced.trailer:
                        return RecordingProof(session, state, count, "the seal is not the one in the audit chain")
                    if read(1):
                        return RecordingProof(session, state, count, "something stands behind the seal")
                    break
                said = announced.chunks.get(chunk.index)
                if said is not None and said != chunk.hash.hex():
                    return RecordingProof(session, state, count, f"chunk {chunk.index} was altered")
                if said is None and not announced.trailer and not growing:
                    return RecordingProof(session, state, count, f"chunk {chunk.index} is not in the audit chain")
                count += 1
        except RecordingFormatError as error:
            return RecordingProof(session, state, count, str(error))
        if announced.trailer and not state:
            return RecordingProof(session, state, count, f"cut off after {count} chunks: the seal is missing")
        if announced.chunks and max(announced.chunks) >= count:
            return RecordingProof(session, state, count, f"chunk {count} is missing")
        return RecordingProof(session, state, count, None)

    def _of(self, session: str) -> _Announced:
        return self._recordings.setdefault(session, _Announced({}))

    def _chunk(self, session: str, index: object, digest: object) -> None:
        if not isinstance(index, int) or not isinstance(digest, str):
            return
        chunks = self._of(session).chunks
        if chunks.setdefault(index, digest) != digest:
            self.conflicts.append(f"chunk {index} of session `{session}` is in the chain twice, with different hashes")

    def _administered(self, entry: Entry) -> None:
        action = entry.fields.get("action")
        if action == REMOVED:
            self._removed.add(str(entry.fields.get("head", "")))
        elif action == REMOVED_RECORDING and entry.session is not None:
            self._of(entry.session).removed = True


def check_links(reports: list[ChainReport], removed: frozenset[str]) -> list[str]:
    """Whether every head that a chain names is there as named; one sentence for each that is not.

    A chain may not be longer or other than where a later boot saw it end, nor be gone unless retention said so.
    """
    heads = {report.head.name: report.head for report in reports}
    problems: list[str] = []
    for report in reports:
        for named in report.previous:
            found = heads.get(named.name)
            if found is None:
                if str(named) not in removed:
                    problems.append(f"`{report.head.name}` names the chain `{named.name}`, which is gone")
            elif found != named:
                problems.append(_difference(report.head.name, named, found))
    return problems


def _difference(by: str, named: ChainHead, found: ChainHead) -> str:
    if found.size != named.size:
        return f"the chain `{named.name}` has {found.size} entries, but ended after {named.size} when `{by}` began"
    return f"the chain `{named.name}` is not the one that `{by}` saw when it began"
