"""What verification says of one chain; tampering at random places is in tests/property/recording."""

from __future__ import annotations

from interpose.recording.verify import Segment, verify_chain
from tests.support.records import KEY, OTHER_KEY, MemoryChain, memory_chain


def test_a_whole_chain() -> None:
    report = memory_chain(10, sign_at=(4,), stop=True).report()
    assert report.ok
    assert (report.head.size, report.proven, report.closed, report.checkpoints) == (11, 11, True, 2)


def test_an_empty_chain() -> None:
    report = MemoryChain().report()
    assert report.ok
    assert (report.head.size, report.proven, report.closed) == (0, 0, False)


def test_a_torn_last_record_is_cut_and_no_error() -> None:
    chain = memory_chain(3, sign_at=(2,))
    report = chain.report(chain.data[:-5])
    assert report.ok
    assert (report.head.size, report.proven) == (2, 2)
    [cut] = report.cuts
    assert cut.offset == len(chain.lines[0]) + len(chain.lines[1]) + 2
    assert cut.length == len(chain.lines[2]) + 1 - 5


def test_a_torn_record_that_a_checkpoint_covers_is_an_error() -> None:
    chain = memory_chain(3, sign_at=(3,))
    finding = chain.report(chain.data[:-5]).finding
    assert finding is not None
    assert (finding.problem, finding.seq) == ("truncated", 2)


def test_a_segment_may_end_torn_when_the_next_goes_on() -> None:
    chain = memory_chain(4, sign_at=(4,))
    first = chain.lines[0] + b"\n" + chain.lines[1] + b"\n" + b'{"actor'
    second = chain.lines[2] + b"\n" + chain.lines[3] + b"\n"
    report = verify_chain(
        chain.name, [Segment("0", first), Segment("1", second)], Segment("c", chain.notes), [KEY.verifier]
    )
    assert report.ok
    assert [cut.file for cut in report.cuts] == ["0"]


def test_a_missing_segment() -> None:
    chain = memory_chain(4, sign_at=(4,))
    parts = [Segment(str(index), line + b"\n") for index, line in enumerate(chain.lines)]
    report = verify_chain(chain.name, [parts[0], *parts[2:]], Segment("c", chain.notes), [KEY.verifier])
    assert report.finding is not None
    assert (report.finding.problem, report.finding.seq, report.finding.file) == ("missing", 1, "2")


def test_a_self_consistent_forgery_meets_the_checkpoint() -> None:
    real, forged = memory_chain(6, sign_at=(2, 5)), memory_chain(2)
    for index in range(2, 6):
        forged.add(fields={"n": index, "text": "forged"})
    finding = real.report(forged.data).finding
    assert finding is not None
    assert (finding.problem, finding.seq, finding.through) == ("checkpoint_mismatch", 2, 4)


def test_checkpoints_of_another_key() -> None:
    chain = MemoryChain(key=OTHER_KEY)
    chain.add()
    chain.sign()
    finding = chain.report().finding
    assert finding is not None
    assert finding.problem == "wrong_key"


def test_a_forged_chain_with_its_own_key_is_not_believed() -> None:
    forged = MemoryChain(key=OTHER_KEY)
    forged.add(fields={"n": 0, "text": "forged"})
    forged.sign()
    finding = memory_chain(1).report(forged.data, forged.notes).finding
    assert finding is not None
    assert finding.problem == "wrong_key"


def test_a_removed_last_checkpoint_of_a_chain_that_stopped() -> None:
    chain = memory_chain(5, sign_at=(3,), stop=True)
    first = chain.notes[: chain.notes.index(b"\n\n", chain.notes.index(b"\n\n") + 2) + 2]
    finding = chain.report(notes=first).finding
    assert finding is not None
    assert (finding.problem, finding.seq, finding.through) == ("checkpoint_missing", 3, 5)


def test_nothing_may_stand_behind_the_stop() -> None:
    chain = memory_chain(2, stop=True)
    chain.add()
    chain.sign()
    finding = chain.report().finding
    assert finding is not None
    assert (finding.problem, finding.seq) == ("trailing", 3)
    stopped = memory_chain(2, stop=True)
    finding = stopped.report(stopped.data + b"x").finding
    assert finding is not None
    assert finding.problem == "trailing"


def test_checkpoints_in_the_wrong_order() -> None:
    chain = memory_chain(5, sign_at=(2, 4))
    middle = chain.notes.index(b"\n\n", chain.notes.index(b"\n\n") + 2) + 2
    finding = chain.report(notes=chain.notes[middle:] + chain.notes[:middle]).finding
    assert finding is not None
    assert finding.problem == "checkpoint_order"


def test_a_chain_under_another_name() -> None:
    chain = memory_chain(2, sign_at=(2,))
    report = verify_chain("node-other", [Segment("a", chain.data)], Segment("c", chain.notes), [KEY.verifier])
    assert report.finding is not None
    assert report.finding.problem == "misplaced"


def test_a_checkpoint_of_another_chain() -> None:
    other = MemoryChain(name="node-other")
    other.add()
    other.sign()
    finding = memory_chain(1).report(notes=other.notes).finding
    assert finding is not None
    assert finding.problem == "misplaced"


def test_heads_of_earlier_boots_are_read_from_the_first_entry() -> None:
    chain = MemoryChain()
    chain.add("gateway.started", {"previous": ("node-old:3:" + "ab" * 32, "nonsense")}, session=None)
    [head] = chain.report().previous
    assert (head.name, head.size) == ("node-old", 3)


def test_every_linked_entry_is_visited_until_the_first_that_is_wrong() -> None:
    chain = memory_chain(5)
    data = chain.data.replace(b'"n":3', b'"n":4')
    seen: list[int] = []
    verify_chain(
        chain.name, [Segment("a", data)], Segment("c", b""), [KEY.verifier], lambda entry: seen.append(entry.seq)
    )
    assert seen[:3] == [0, 1, 2]
    assert 4 not in seen


def test_a_finding_reads_well() -> None:
    chain = memory_chain(3)
    finding = chain.report(chain.data.replace(b'"n":1', b'"n":7')).finding
    assert "entries 1 to 2" in str(finding) or "entry 1" in str(finding)
