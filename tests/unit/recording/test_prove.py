"""Recordings against the audit chain, and chains against each other."""

from __future__ import annotations

from io import BytesIO

import pytest

from interpose.model.audit import AuditValue
from interpose.recording.chain import ChainHead, Entry
from interpose.recording.container import read_chunks
from interpose.recording.prove import REMOVED, REMOVED_RECORDING, RecordKnowledge, check_links
from interpose.recording.verify import ChainReport
from tests.unit.recording.test_container import recording

DATA = recording(b"first", b"second")
CHUNKS = list(read_chunks(BytesIO(DATA).read))
HASHES = [chunk.hash.hex() for chunk in CHUNKS]


def entry(kind: str, session: str | None = "s_1", **fields: AuditValue) -> Entry:
    return Entry(
        actor="", boot="b", fields=fields, kind=kind, mono=0, node="n", prev="", seq=0, session=session, ts=0, v=1
    )


def knowledge(*extra: Entry, sealed: bool = True) -> RecordKnowledge:
    known = RecordKnowledge()
    known.visit(entry("recording.chunk", chunk=0, sha256=HASHES[0]))
    known.visit(entry("recording.chunk", chunk=1, sha256=HASHES[1]))
    if sealed:
        known.visit(entry("session.sealed", trailer=HASHES[2], state="complete", recording="2026-01-01/s_1.rec"))
    for one in extra:
        known.visit(one)
    return known


def problem(data: bytes, known: RecordKnowledge, session: str = "s_1") -> str | None:
    return known.prove(session, BytesIO(data).read).problem


def test_a_whole_recording() -> None:
    proof = knowledge().prove("s_1", BytesIO(DATA).read)
    assert (proof.problem, proof.sealed, proof.chunks) == (None, "complete", 2)


def test_a_live_recording() -> None:
    assert problem(DATA[: CHUNKS[1].end], knowledge(sealed=False)) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (DATA[: CHUNKS[1].end], "cut off after 2 chunks"),
        (DATA[: CHUNKS[0].end], "cut off after 1 chunks"),
        (DATA[:-1], "cut off"),
        (b"nonsense", "not a recording"),
        (recording(b"first", b"forged"), "chunk 1 was altered"),
        (recording(b"first"), "the seal is not the one"),
        (recording(b"first", b"second", b"third"), "the seal is not the one"),
        (DATA + b"x", "behind the seal"),
        (DATA + DATA[CHUNKS[0].offset :], "behind the seal"),
    ],
)
def test_what_is_wrong_with_a_sealed_one(data: bytes, said: str) -> None:
    assert said in str(problem(data, knowledge()))


def test_a_live_one_that_was_cut_or_got_more() -> None:
    known = knowledge(sealed=False)
    assert "chunk 1 is missing" in str(problem(DATA[: CHUNKS[0].end], known))
    more = recording(b"first", b"second", b"third", seal=False)
    assert "chunk 2 is not in the audit chain" in str(problem(more, known))


def test_one_that_grows_while_it_is_proved() -> None:
    known = knowledge(sealed=False)
    for data in (recording(b"first", b"second", b"third"), DATA, recording(b"first", b"second", seal=False)):
        assert known.prove("s_1", BytesIO(data).read, growing=True).problem is None
    assert RecordKnowledge().prove("s_1", BytesIO(DATA).read, growing=True).problem is None
    altered = known.prove("s_1", BytesIO(recording(b"first", b"forged")).read, growing=True)
    assert "chunk 1 was altered" in str(altered.problem)
    more = recording(b"first", b"second", b"third")
    assert knowledge().prove("s_1", BytesIO(more).read, growing=True).problem is not None


def test_a_recording_that_nobody_made() -> None:
    assert "no audit chain knows" in str(problem(DATA, knowledge(), "s_9"))


def test_what_must_be_there() -> None:
    assert knowledge().expected() == (("s_1", "2026-01-01/s_1.rec"),)
    assert knowledge(entry("administered", action=REMOVED_RECORDING)).expected() == ()


def test_two_stories_of_one_recording() -> None:
    known = knowledge(
        entry("recording.chunk", chunk=0, sha256="ff"),
        entry("session.sealed", trailer="ff", state="complete", recording=""),
    )
    assert len(known.conflicts) == 2


def report(name: str, size: int, *previous: ChainHead) -> ChainReport:
    return ChainReport(ChainHead(name, size, "aa" * 32), size, True, 1, 0, previous, (), None)


def test_links_between_boots() -> None:
    old = ChainHead("n-1", 5, "aa" * 32)
    assert check_links([report("n-1", 5), report("n-2", 3, old)], frozenset()) == []
    [gone] = check_links([report("n-2", 3, old)], frozenset())
    assert "which is gone" in gone
    assert check_links([report("n-2", 3, old)], frozenset({str(old)})) == []
    [shorter] = check_links([report("n-1", 4), report("n-2", 3, old)], frozenset())
    assert "ended after 5" in shorter
    [other] = check_links([report("n-1", 5), report("n-2", 3, ChainHead("n-1", 5, "bb" * 32))], frozenset())
    assert "not the one" in other


def test_removed_chains_are_remembered() -> None:
    assert knowledge(entry("administered", None, action=REMOVED, head="n-1:5:aa")).removed_heads() == {"n-1:5:aa"}
