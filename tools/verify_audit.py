"""Verify an Interpose state folder without any of Interpose's code: chains, checkpoints, recordings.

    python verify_audit.py <state folder> <verifier key file> [folder with the copied checkpoints]

Run it on a copy, or while no gateway writes. Needs Python 3.11 and the `cryptography` package. Written from the format alone, so that a fault in the gateway's own
verification does not hide here. Prints one line for each chain, link and recording that is wrong; exit code 1 then.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FIELDS = set("actor boot fields kind mono node prev seq session ts v".split())
CHUNK = struct.Struct("<cBIQIII32s")


def sha(data):
    return hashlib.sha256(data).digest()


def read_keys(path):
    """{(name, key id): public key}"""
    keys = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, key_id, encoded = line.strip().split("+", 2)
            raw = base64.b64decode(encoded)
            assert raw[0] == 1 and sha(name.encode() + b"\n" + raw)[:4].hex() == key_id, "not a verifier key"
            keys[name, bytes.fromhex(key_id)] = Ed25519PublicKey.from_public_bytes(raw[1:])
    return keys


def read_checkpoints(path, name, keys):
    """[(size, root, chain)] of the notes that are signed, and what is wrong with the first that is not."""
    notes, blocks, last_time = [], path.read_text(errors="replace").split("\n\n")[:-1] if path.exists() else [], 0
    for text, signature in zip(blocks[::2], blocks[1::2], strict=False):
        try:
            origin, size, root, chain, time = text.split("\n")
            key_name, encoded = signature.removeprefix("\u2014 ").split(" ")
            raw = base64.b64decode(encoded, validate=True)
            if base64.b64encode(raw).decode() != encoded:
                raise ValueError
            keys[key_name, raw[:4]].verify(raw[4:], (text + "\n").encode())
        except (ValueError, KeyError, InvalidSignature):
            return notes, f"checkpoint {len(notes)} is not signed by the key"
        time = int(time.removeprefix("time "))
        if not origin.endswith("/" + name) or time < last_time or (notes and int(size) < notes[-1][0]):
            return notes, f"checkpoint {len(notes)} is out of place"
        notes.append((int(size), base64.b64decode(root), chain.removeprefix("chain ")))
        last_time = time
    return notes, None


class Tree:
    """RFC 6962: the roots of perfect subtrees."""

    def __init__(self):
        self.roots = []

    def append(self, leaf):
        self.roots.append((1, leaf))
        while len(self.roots) > 1 and self.roots[-1][0] == self.roots[-2][0]:
            (size, right), (_, left) = self.roots.pop(), self.roots.pop()
            self.roots.append((2 * size, sha(b"\x01" + left + right)))

    def root(self):
        if not self.roots:
            return sha(b"")
        value = self.roots[-1][1]
        for _, left in reversed(self.roots[:-1]):
            value = sha(b"\x01" + left + value)
        return value


def canonical(record):
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def verify_chain(name, paths, checkpoints, keys, facts):
    """(size, chain value, heads named by the first entry, what is wrong or None)"""
    notes, wrong_note = read_checkpoints(checkpoints, name, keys)
    size, chain, tree, previous, stopped, due = 0, bytes(32), Tree(), [], False, 0
    for path in paths:
        *lines, torn = path.read_bytes().split(b"\n")
        if torn and stopped:
            return size, chain, previous, "bytes after the end"
        for line in lines:
            try:
                record = json.loads(line)
                good = canonical(record) == line and set(record) == FIELDS and record["v"] == 1
                good = good and (record["seq"], record["prev"]) == (size, chain.hex()) and not stopped
                good = good and f"{record['node']}-{record['boot']}" == name
            except (ValueError, KeyError, TypeError):
                good = False
            if not good:
                return size, chain, previous, f"entry {size} in {path.name} (or the one before it) is not as written"
            leaf = sha(b"\x00" + line)
            chain, size = sha(chain + leaf), size + 1
            tree.append(leaf)
            while due < len(notes) and notes[due][0] <= size:
                if notes[due][0] == size and notes[due][1:] != (tree.root(), chain.hex()):
                    return size, chain, previous, f"the checkpoint over {size} entries says otherwise"
                due += 1
            if record["seq"] == 0:
                previous = record["fields"].get("previous", [])
            stopped = record["kind"] == "gateway.stopped"
            facts.append(record)
    if due < len(notes):
        return size, chain, previous, f"cut off after {size} entries: a checkpoint covers {notes[due][0]}"
    if stopped and not wrong_note and (not notes or notes[-1][0] < size):
        return size, chain, previous, "the last checkpoint is missing"
    return size, chain, previous, wrong_note


def verify_recording(path, chunks, trailer):
    """What is wrong with a recording, or None."""
    session, data, at, index = path.name.removesuffix(".rec"), path.read_bytes(), 8, 0
    if trailer is None and not chunks:
        return "no audit chain knows this recording"
    before, sealed = sha(session.encode()), False
    while at + CHUNK.size <= len(data):
        kind, _, stated, _, _, _, stored, stated_before = CHUNK.unpack_from(data, at)
        whole = data[at : at + CHUNK.size + stored]
        if len(whole) < CHUNK.size + stored:
            break
        if kind not in (b"C", b"T") or stated != index or stated_before != before:
            return f"chunk {index} does not hang on the one before it"
        before = sha(whole)
        if kind == b"T":
            sealed = True
            if before.hex() != trailer or at + len(whole) != len(data):
                return "the seal is not the one in the audit chain, or not the end"
        elif chunks.get(index, None if trailer is None else before.hex()) != before.hex():
            return f"chunk {index} is not the one in the audit chain"
        index, at = index + 1, at + len(whole)
    if trailer and not sealed:
        return f"cut off after {index} chunks"
    return f"chunk {index} is missing" if chunks and max(chunks) >= index - sealed else None


def main(state, key_file, copy=None):
    audit, recordings, facts, heads, wrong = state / "audit", state / "recordings", [], {}, []
    keys, files = read_keys(key_file), {}
    for path in audit.glob("*.chain"):
        match = re.fullmatch(r"(.+)\.(\d{4,})\.chain", path.name)
        if match:
            files.setdefault(match[1], []).append((int(match[2]), path))
    for name, numbered in sorted(files.items()):
        paths = [path for _, path in sorted(numbered)]
        size, chain, previous, problem = verify_chain(name, paths, (copy or audit) / f"{name}.checkpoints", keys, facts)
        heads[name] = (f"{name}:{size}:{chain.hex()}", previous)
        wrong += [f"{name}: {problem}"] if problem else []
    removed = {r["fields"].get("head") for r in facts if r["fields"].get("action") == "retention.removed_chain"}
    for name, (_, previous) in heads.items():
        for head in previous:
            if heads.get(head.split(":")[0], (None,))[0] != head and head not in removed:
                wrong.append(f"{name}: the earlier chain {head.split(':')[0]} is gone or not as it ended")
    chunks, trailers, gone, paths = {}, {}, set(), {}
    for record in facts:
        session, fields = record["session"], record["fields"]
        if record["kind"] == "recording.chunk":
            if chunks.setdefault(session, {}).setdefault(fields["chunk"], fields["sha256"]) != fields["sha256"]:
                wrong.append(f"{session}: chunk {fields['chunk']} is in the chain twice")
        elif record["kind"] == "session.sealed":
            if trailers.setdefault(session, fields["trailer"]) != fields["trailer"]:
                wrong.append(f"{session}: sealed twice")
            paths[session] = fields["recording"]
        elif fields.get("action") == "retention.removed_recording":
            gone.add(session)
    for session, name in paths.items():
        if name and session not in gone and not (recordings / name).exists():
            wrong.append(f"{session}: the recording is gone")
    for path in sorted(recordings.glob("*/*.rec")):
        session = path.name.removesuffix(".rec")
        problem = verify_recording(path, chunks.get(session, {}), trailers.get(session))
        wrong += [f"{path.name}: {problem}"] if problem else []
    sys.stdout.write(("\n".join(wrong) or f"verified: {len(heads)} chains, {len(facts)} entries") + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), *map(Path, sys.argv[3:4])))
