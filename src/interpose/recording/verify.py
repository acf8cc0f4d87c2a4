"""Proving one audit chain from its bytes: the first entry that is not as it was written is named.

Offline: takes the chain's files and its checkpoints as bytes and the public keys; knows no folders.

What it can and cannot tell. Every entry carries the chain value before it, so an altered, dropped, added or moved entry
breaks a link. A forgery that is consistent in itself breaks the next checkpoint (signed, so it cannot be forged without
the key). The finding names where the proof breaks; whoever altered an entry could have rewritten those before it, back to
the last good checkpoint (`ChainReport.proven`), consistently with it. Entries after the last checkpoint can be cut off
without a trace in this chain; the first entry of the next boot, and a checkpoint that was copied elsewhere, show that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from interpose.recording.chain import GENESIS, ChainHead, Entry, EntryError, entry_hash, link, parse_entry
from interpose.recording.checkpoint import CheckpointError, SignedCheckpoint, VerifierKey, parse_note, split_notes
from interpose.recording.merkle import CompactRange


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of a chain."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong and where. `seq` is the first entry that is not proved to be as written; `offset` is in bytes.

    `through` is the last entry that may be affected when it cannot be told more exactly. `problem` is a machine word:
    `unreadable`, `missing`, `repeated`, `altered`, `misplaced`, `truncated`, `trailing`, `checkpoint_mismatch`,
    `checkpoint_missing`, `checkpoint_unreadable`, `checkpoint_order`, `wrong_key`.
    """

    file: str
    seq: int
    offset: int
    problem: str
    detail: str
    through: int | None = None

    def __str__(self) -> str:
        """One line for people."""
        entries = f"entry {self.seq}" if self.through in (None, self.seq) else f"entries {self.seq} to {self.through}"
        return f"{self.file}: {entries}, byte {self.offset}: {self.problem}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Cut:
    """A torn record: bytes without a line end that a crash or a full disk left behind. Not an error."""

    file: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What one chain proves. Whole when `finding` is None; then `size` entries are as written.

    `proven` is how many entries the last good checkpoint covers; those after it could have been cut off unseen.
    `closed` says that the last entry is the gateway's own stop; `previous` are the heads of earlier boots that the first
    entry names.
    """

    head: ChainHead
    proven: int
    closed: bool
    checkpoints: int
    last_time: int
    previous: tuple[ChainHead, ...]
    cuts: tuple[Cut, ...]
    finding: Finding | None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.finding is None


@dataclass(slots=True)
class _Line:
    """One whole line of a segment."""

    file: str
    offset: int
    raw: bytes


@dataclass(slots=True)
class _State:
    """How far the proof has come."""

    name: str
    size: int = 0
    chain: bytes = GENESIS
    tree: CompactRange = field(default_factory=CompactRange)
    cuts: list[Cut] = field(default_factory=list)
    previous: tuple[ChainHead, ...] = ()
    last_kind: str = ""
    last_time: int = 0
    proven: int = 0
    last: _Line | None = None
    last_entry: Entry | None = None


def verify_chain(
    name: str,
    segments: Iterable[Segment],
    checkpoints: Segment,
    keys: Sequence[VerifierKey],
    visit: Callable[[Entry], None] = lambda entry: None,
) -> ChainReport:
    """Prove the chain `name` (`<node>-<boot>`) from its segments in order. Only one segment is held at a time.

    Each checkpoint must be signed by one of `keys`. `visit` gets every entry that is linked to all before it.
    """
    state = _State(name)
    notes, problem = _read_checkpoints(name, checkpoints, keys)
    finding = _walk(state, segments, notes, visit)
    if finding is None:
        finding = _end(state, notes, checkpoints.name) or problem
    return ChainReport(
        head=ChainHead(name, state.size, state.chain.hex()),
        proven=state.proven,
        closed=state.last_kind == "gateway.stopped",
        checkpoints=len(notes),
        last_time=state.last_time,
        previous=state.previous,
        cuts=tuple(state.cuts),
        finding=finding,
    )


def _walk(
    state: _State, segments: Iterable[Segment], notes: Sequence[SignedCheckpoint], visit: Callable[[Entry], None]
) -> Finding | None:
    """Follow every link and check every checkpoint on the way."""
    due = 0
    lines = _lines(segments, state.cuts)
    line = next(lines, None)
    while line is not None:
        following = next(lines, None)
        entry, finding = _check(state, line, following, notes)
        if finding is not None or entry is None:
            return finding
        hashed = entry_hash(line.raw)
        state.chain = link(state.chain, hashed)
        state.tree.append(hashed)
        state.size += 1
        while due < len(notes) and notes[due].checkpoint.size <= state.size:
            finding = _compare(state, notes[due], line)
            if finding is not None:
                return finding
            due += 1
        if entry.seq == 0:
            state.previous = _previous(entry)
        state.last_kind, state.last_time = entry.kind, entry.ts
        state.last, state.last_entry = line, entry
        visit(entry)
        line = following
    return None


def _check(
    state: _State, line: _Line, following: _Line | None, notes: Sequence[SignedCheckpoint]
) -> tuple[Entry | None, Finding | None]:
    """Read one line and see that it is the one that must stand here."""
    expected = state.size
    try:
        entry = parse_entry(line.raw)
    except EntryError as error:
        return None, Finding(line.file, expected, line.offset, "unreadable", str(error))
    if state.last_kind == "gateway.stopped":
        return None, Finding(line.file, expected, line.offset, "trailing", "an entry after the gateway's own stop")
    if f"{entry.node}-{entry.boot}" != state.name:
        return None, Finding(line.file, expected, line.offset, "misplaced", f"belongs to `{entry.node}-{entry.boot}`")
    if entry.seq != expected or entry.prev != state.chain.hex():
        return None, _blame(state, line, entry, following, notes)
    return entry, None


def _blame(
    state: _State, line: _Line, entry: Entry, following: _Line | None, notes: Sequence[SignedCheckpoint]
) -> Finding:
    """Say which entry is wrong when `line` does not hang on what stands before it.

    If the value after `line`, computed with the `prev` that it states, is what the next entry (or a checkpoint) says,
    then `line` is as written and the entry before it was altered.
    """
    expected = state.size
    if _is_hex(entry.prev) and state.last is not None and entry.seq == expected:
        stated = link(bytes.fromhex(entry.prev), entry_hash(line.raw)).hex()
        if stated in _values_after(expected + 1, following, notes):
            last = state.last
            return Finding(
                last.file, expected - 1, last.offset, "altered", "the entry after it names another chain value"
            )
    if entry.seq > expected:
        detail = f"found entry {entry.seq} here"
        return Finding(line.file, expected, line.offset, "missing", detail)
    if entry.seq < expected:
        return Finding(line.file, expected, line.offset, "repeated", f"found entry {entry.seq} here")
    values = _values_after(expected + 1, following, notes)
    if values or state.last is None:
        return Finding(line.file, expected, line.offset, "altered", "it does not name the chain value before it")
    last = state.last
    detail = "this entry, or the link to it in the next, was altered"
    return Finding(last.file, expected - 1, last.offset, "altered", detail, through=expected)


def _values_after(size: int, following: _Line | None, notes: Sequence[SignedCheckpoint]) -> set[str]:
    """What others say the chain value after `size` entries is."""
    values = {note.checkpoint.chain for note in notes if note.checkpoint.size == size}
    if following is not None:
        try:
            values.add(parse_entry(following.raw).prev)
        except EntryError:
            pass
    return values


def _compare(state: _State, note: SignedCheckpoint, line: _Line) -> Finding | None:
    """Hold the tree so far against a checkpoint of exactly this size."""
    checkpoint = note.checkpoint
    if checkpoint.size == state.size and (
        checkpoint.root != state.tree.root() or checkpoint.chain != state.chain.hex()
    ):
        detail = f"the checkpoint over {checkpoint.size} entries says otherwise"
        return Finding(line.file, state.proven, line.offset, "checkpoint_mismatch", detail, through=state.size - 1)
    state.proven = checkpoint.size
    return None


def _end(state: _State, notes: Sequence[SignedCheckpoint], checkpoint_file: str) -> Finding | None:
    """What can only be seen at the end."""
    file = state.last.file if state.last is not None else checkpoint_file
    end = state.last.offset + len(state.last.raw) + 1 if state.last is not None else 0
    if notes and notes[-1].checkpoint.size > state.size:
        size = notes[-1].checkpoint.size
        detail = f"a checkpoint covers {size} entries, {state.size} are here"
        return Finding(file, state.size, end, "truncated", detail, through=size - 1)
    if state.last_kind == "gateway.stopped":
        if state.cuts and state.cuts[-1].file == file and state.cuts[-1].offset >= end:
            return Finding(file, state.size, end, "trailing", "bytes after the gateway's own stop")
        if state.proven < state.size:
            detail = "the gateway stopped in order, but its last checkpoint is gone"
            return Finding(checkpoint_file, state.proven, 0, "checkpoint_missing", detail, through=state.size - 1)
    return None


def _lines(segments: Iterable[Segment], cuts: list[Cut]) -> Iterator[_Line]:
    """Every whole line; bytes at the end of a segment without a line end become a `Cut`.

    A cut inside the chain (a later segment follows) is harmless: the links show that nothing is missing.
    """
    for segment in segments:
        data, offset = segment.data, 0
        while (end := data.find(b"\n", offset)) >= 0:
            yield _Line(segment.name, offset, data[offset:end])
            offset = end + 1
        if offset < len(data):
            cuts.append(Cut(segment.name, offset, len(data) - offset))


def _read_checkpoints(
    name: str, segment: Segment, keys: Sequence[VerifierKey]
) -> tuple[list[SignedCheckpoint], Finding | None]:
    """The checkpoints that one of the keys signed, in order, up to the first that is wrong; and what is wrong with it."""
    notes: list[SignedCheckpoint] = []
    texts, _ = split_notes(segment.data)
    offset = 0
    for text in texts:
        size = notes[-1].checkpoint.size if notes else 0
        try:
            note = parse_note(text)
        except CheckpointError as error:
            return notes, Finding(segment.name, size, offset, "checkpoint_unreadable", str(error))
        if not any(note.signed_by(key) for key in keys):
            detail = f"the checkpoint over {note.checkpoint.size} entries is not signed by a known key"
            return notes, Finding(segment.name, size, offset, "wrong_key", detail)
        if not note.checkpoint.origin.endswith(f"/{name}"):
            detail = f"a checkpoint of `{note.checkpoint.origin}`"
            return notes, Finding(segment.name, size, offset, "misplaced", detail)
        if notes and (size > note.checkpoint.size or notes[-1].checkpoint.time > note.checkpoint.time):
            detail = "size or time is less than in the checkpoint before"
            return notes, Finding(segment.name, size, offset, "checkpoint_order", detail)
        notes.append(note)
        offset += len(text.encode()) + 1
    return notes, None


def _previous(entry: Entry) -> tuple[ChainHead, ...]:
    """The heads that a first entry names."""
    named = entry.fields.get("previous")
    if not isinstance(named, tuple):
        return ()
    return tuple(head for head in map(ChainHead.parse, named) if head is not None)


def _is_hex(text: str) -> bool:
    return len(text) == 64 and all(character in "0123456789abcdef" for character in text)
