"""Proving a whole state folder offline: every chain, the links between them, every recording."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Final

from interpose.recording.checkpoint import VerifierKey
from interpose.recording.prove import RecordingProof, RecordKnowledge, check_links
from interpose.recording.verify import ChainReport, Segment, verify_chain
from interpose.store.files.layout import RECORDING_SUFFIX, chains, checkpoints_path

_SLOWEST_DISK: Final = 60.0


@dataclass(frozen=True, slots=True)
class RecordReport:
    """What a state folder proves. `links` and `recordings` hold only what is wrong; `checked` counts the recordings read."""

    chains: tuple[ChainReport, ...]
    links: tuple[str, ...]
    recordings: tuple[RecordingProof, ...]
    checked: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.links and not self.recordings and all(chain.ok for chain in self.chains)


def verify_record(
    audit: Path, recordings: Path, keys: Sequence[VerifierKey], checkpoint_copy: Path | None = None
) -> RecordReport:
    """Prove the chains in `audit` and the recordings in `recordings` against the public `keys`. Raises `OSError`.

    Gateways may go on writing meanwhile.

    With `checkpoint_copy`, the folder that checkpoints were copied to, the copy is believed instead of the file beside the chain.
    """
    knowledge = RecordKnowledge()
    reports: list[ChainReport] = []
    begun = time()
    found = chains(audit)
    for name in found:
        # Checkpoints first: a chain that grows meanwhile is then never shorter than they say.
        path = checkpoints_path(checkpoint_copy or audit, name)
        notes = Segment(path.name, path.read_bytes() if path.exists() else b"")
        paths = chains(audit, name).get(name, [])
        reports.append(verify_chain(name, _segments(paths), notes, keys, knowledge.visit))
    links = [*check_links(reports, knowledge.removed_heads()), *knowledge.conflicts]
    for path in sorted((checkpoint_copy or audit).glob("*.checkpoints")):
        name = path.name.removesuffix(".checkpoints")
        if name not in found and not any(head.startswith(f"{name}:") for head in knowledge.removed_heads()):
            links.append(f"there are checkpoints of the chain `{name}`, which is gone")
    proofs = [_prove(path, knowledge, begun) for path in sorted(recordings.glob(f"*/*{RECORDING_SUFFIX}"))]
    missing = [
        RecordingProof(session, "", 0, f"the recording `{path}` is gone")
        for session, path in knowledge.expected()
        if not (recordings / path).exists()
    ]
    wrong = tuple(proof for proof in proofs if proof.problem is not None)
    return RecordReport(tuple(reports), tuple(links), (*wrong, *missing), len(proofs))


def _segments(paths: list[Path]) -> Iterator[Segment]:
    for path in paths:
        yield Segment(path.name, path.read_bytes())


def _prove(path: Path, knowledge: RecordKnowledge, begun: float) -> RecordingProof:
    with path.open("rb") as file:
        # A chunk is in the file before it is in the chain, by as long as the disk takes.
        growing = begun - _SLOWEST_DISK <= os.fstat(file.fileno()).st_mtime <= time() + 1
        return knowledge.prove(path.name.removesuffix(RECORDING_SUFFIX), file.read, growing=growing)
