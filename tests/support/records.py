"""Records for tests: chains built in memory, a state folder on disk, and the stand-alone verifier as a function."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from interpose.engine.ports import SessionHeader
from interpose.model.audit import AuditValue
from interpose.model.ids import ConnectionName, SessionId
from interpose.recording.canonical import encode_event
from interpose.recording.chain import GENESIS, entry_hash, link
from interpose.recording.checkpoint import Checkpoint, SigningKey, join_note
from interpose.recording.merkle import CompactRange
from interpose.recording.verify import ChainReport, Segment, verify_chain
from interpose.store.files.keys import read_verifier_keys
from interpose.store.files.opening import FileRecord, open_record
from interpose.store.files.recordings import RecordingOptions
from interpose.store.files.syncing import ChainOptions
from interpose.store.files.verification import RecordReport, verify_record
from tests.support.memory import CountingIds, ManualClock

ROOT = Path(__file__).resolve().parents[2]
KEY = SigningKey("interpose/test", bytes(range(32)))
OTHER_KEY = SigningKey("interpose/test", bytes(range(1, 33)))
NAME = "node-boot"


@dataclass
class MemoryChain:
    """A chain as bytes, built from the format alone."""

    lines: list[bytes] = field(default_factory=list)
    notes: bytes = b""
    chain: bytes = GENESIS
    tree: CompactRange = field(default_factory=CompactRange)
    key: SigningKey = KEY
    name: str = NAME

    def add(
        self, kind: str = "command.decided", fields: Mapping[str, AuditValue] | None = None, session: str | None = "s_1"
    ) -> None:
        node, boot = self.name.split("-")
        seq = len(self.lines)
        line = encode_event(
            seq=seq,
            ts=1_790_000_000_000_000 + seq,
            mono=seq,
            node=node,
            boot=boot,
            kind=kind,
            session=session,
            actor="User:alice",
            fields=fields or {},
            prev=self.chain.hex(),
        )
        self.lines.append(line)
        self.chain = link(self.chain, entry_hash(line))
        self.tree.append(entry_hash(line))

    def sign(self) -> None:
        checkpoint = Checkpoint(
            f"interpose/test/{self.name}", self.tree.size, self.tree.root(), self.chain.hex(), len(self.lines)
        )
        self.notes += join_note(self.key.sign(checkpoint))

    @property
    def data(self) -> bytes:
        return b"".join(line + b"\n" for line in self.lines)

    def report(self, data: bytes | None = None, notes: bytes | None = None) -> ChainReport:
        """Verify, with the bytes or the checkpoints replaced."""
        return verify_chain(
            self.name,
            [Segment("a.chain", self.data if data is None else data)],
            Segment("a.checkpoints", self.notes if notes is None else notes),
            [KEY.verifier],
        )


def memory_chain(count: int, sign_at: Sequence[int] = (), *, stop: bool = False) -> MemoryChain:
    """A chain of `count` commands, signed after each of these numbers of entries; `stop` ends it in order."""
    chain = MemoryChain()
    for index in range(count):
        chain.add(fields={"n": index, "text": "é" * (index % 3)})
        if index + 1 in sign_at:
            chain.sign()
    if stop:
        chain.add("gateway.stopped", session=None)
        chain.sign()
    return chain


def record_at(
    state: Path,
    boot: str = "b1",
    *,
    clock: ManualClock | None = None,
    chain: ChainOptions = ChainOptions(),  # noqa: B008
    recordings: RecordingOptions = RecordingOptions(),  # noqa: B008
    reserve_size: int = 4096,
) -> FileRecord:
    """An open record in a state folder."""
    return open_record(
        state,
        node="node",
        boot=boot,
        clock=clock or ManualClock(),
        ids=CountingIds(),
        chain_options=chain,
        recording_options=recordings,
        reserve_size=reserve_size,
    )


def header(session: str = "s_1", *, durable: bool = False) -> SessionHeader:
    """A session's header."""
    return SessionHeader(
        SessionId(session),
        "User:alice",
        ConnectionName("orders"),
        "postgres",
        "192.0.2.1",
        1_790_000_000.0,
        (("application", "psql"),),
        durable,
    )


def _stand_alone() -> ModuleType:
    spec = spec_from_file_location("verify_audit", ROOT / "tools" / "verify_audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STAND_ALONE = _stand_alone()


def stand_alone_says(state: Path) -> tuple[bool, str]:
    """Whether the stand-alone verifier finds everything right, and what it prints."""
    printed = io.StringIO()
    main: Callable[[Path, Path], int] = STAND_ALONE.main
    with contextlib.redirect_stdout(printed):
        code = main(state, state / "audit" / "verifier.key")
    return code == 0, printed.getvalue()


def verified(state: Path) -> RecordReport:
    """What the state folder proves, by its own verifier key."""
    keys = read_verifier_keys(state / "audit" / "verifier.key")
    return verify_record(state / "audit", state / "recordings", keys)


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread, half a minute at most."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "the thread did not get there"
        time.sleep(0.005)
