"""Whatever is done to a chain, verification names the first entry that is not as written; the stand-alone verifier agrees.

The chains are signed at their end, as every chain is that stopped in order or was linked by a later boot.
"""

from __future__ import annotations

import string
import tempfile
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from interpose.recording.verify import Finding
from tests.support.records import KEY, NAME, STAND_ALONE, MemoryChain, memory_chain

CHAIN = memory_chain(9, sign_at=(4, 9))
STOPPED = memory_chain(5, sign_at=(2,), stop=True)
CHAINS = st.sampled_from([CHAIN, STOPPED])


def found(chain: MemoryChain, data: bytes, notes: bytes | None = None) -> Finding:
    """What both verifiers must find."""
    finding = chain.report(data, notes).finding
    assert finding is not None, "the tampering was not seen"
    assert not stand_alone(data, chain.notes if notes is None else notes)
    return finding


def stand_alone(data: bytes, notes: bytes) -> bool:
    """Whether the stand-alone verifier finds the chain right."""
    with tempfile.TemporaryDirectory() as folder:
        chain, checkpoints = Path(folder, "x.0000.chain"), Path(folder, "x.checkpoints")
        chain.write_bytes(data)
        checkpoints.write_bytes(notes)
        keys = Path(folder, "keys")
        keys.write_text(str(KEY.verifier))
        *_, problem = STAND_ALONE.verify_chain(NAME, [chain], checkpoints, STAND_ALONE.read_keys(keys), [])
        return problem is None


def joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def test_both_verifiers_find_the_untouched_chains_right() -> None:
    for chain in (CHAIN, STOPPED, MemoryChain()):
        assert chain.report().ok
        assert stand_alone(chain.data, chain.notes)


@given(CHAINS, st.data())
def test_a_flipped_bit(chain: MemoryChain, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(chain.data) * 8 - 1))
    altered = bytearray(chain.data)
    altered[at // 8] ^= 1 << at % 8
    seq = chain.data.count(b"\n", 0, at // 8)
    finding = found(chain, bytes(altered))
    if finding.problem == "checkpoint_mismatch":
        # The entry right before a checkpoint: every link up to it holds, so the checkpoint can only narrow it down.
        assert finding.through is not None
        assert finding.seq <= seq <= finding.through
        assert seq == finding.through
    else:
        assert finding.seq == seq


@given(CHAINS, st.data())
def test_a_dropped_entry(chain: MemoryChain, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(chain.lines) - 1))
    assert found(chain, joined(chain.lines[:at] + chain.lines[at + 1 :])).seq == at


@given(CHAINS, st.data())
def test_an_entry_written_twice(chain: MemoryChain, data: st.DataObject) -> None:
    source = data.draw(st.integers(0, len(chain.lines) - 1))
    at = data.draw(st.integers(source + 1, len(chain.lines)))
    assert found(chain, joined([*chain.lines[:at], chain.lines[source], *chain.lines[at:]])).seq == at


@given(CHAINS, st.data())
def test_entries_in_another_order(chain: MemoryChain, data: st.DataObject) -> None:
    lines = data.draw(st.permutations(chain.lines))
    assume(lines != chain.lines)
    first = next(index for index, line in enumerate(lines) if line != chain.lines[index])
    assert found(chain, joined(lines)).seq == first


@given(CHAINS, st.data())
def test_a_tail_cut_off_after_a_checkpoint(chain: MemoryChain, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, len(chain.data) - 1))
    finding = found(chain, chain.data[:length])
    assert (finding.problem, finding.seq) == ("truncated", chain.data.count(b"\n", 0, length))


@given(st.integers(0, 8), st.text(max_size=5))
def test_a_forged_segment_that_is_consistent_in_itself(at: int, text: str) -> None:
    forged = MemoryChain()
    for index in range(9):
        forged.add(fields={"n": index, "text": f"forged {text}" if index >= at else "é" * (index % 3)})
    finding = found(CHAIN, forged.data)
    assert finding.problem == "checkpoint_mismatch"
    assert finding.through is not None
    assert finding.seq <= at <= finding.through


@given(st.data())
def test_a_damaged_checkpoint(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(CHAIN.notes) * 8 - 1))
    notes = bytearray(CHAIN.notes)
    notes[at // 8] ^= 1 << at % 8
    report = CHAIN.report(notes=bytes(notes))
    # A checkpoint that cannot be read proves nothing: it is named, or (a torn last one) covers nothing.
    assert report.finding is not None or report.proven < 9


@pytest.mark.parametrize("note", [0, 1])
def test_a_signature_that_is_written_otherwise_and_means_the_same(note: int) -> None:
    signatures = [line for line in CHAIN.notes.split(b"\n") if line.endswith(b"=")][1::2]
    assert len(signatures) == 2
    last = signatures[note][-2:-1].decode()
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    other = signatures[note][:-2] + letters[letters.index(last) ^ 1].encode() + b"="
    assert b64decode(other.split()[-1]) == b64decode(signatures[note].split()[-1])
    found(CHAIN, CHAIN.data, CHAIN.notes.replace(signatures[note], other))
