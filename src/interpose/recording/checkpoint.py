"""Checkpoints: a signed statement of how long a chain is and what it contains.

A C2SP signed note (c2sp.org/signed-note) whose text is a C2SP checkpoint (c2sp.org/tlog-checkpoint): origin, size, root,
then two extension lines of ours, `chain <hex>` and `time <microseconds>`. Signed with Ed25519.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519: Final = b"\x01"
_DASH: Final = "\u2014 "


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed: the first `size` entries of the chain `origin` have this Merkle root and this chain value.

    `time` is wall-clock microseconds and never decreases within a chain.
    """

    origin: str
    size: int
    root: bytes
    chain: str
    time: int

    def text(self) -> str:
        """The note's text, with its final line end."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\nchain {self.chain}\ntime {self.time}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name that it signs under."""

    name: str
    key: bytes

    @property
    def id(self) -> bytes:
        """The four-byte key id of signed notes."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.key).digest()[:4]

    def __str__(self) -> str:
        """`name+id+base64`, the printable form of signed notes."""
        return f"{self.name}+{self.id.hex()}+{b64encode(_ED25519 + self.key).decode()}"

    @staticmethod
    def parse(text: str) -> VerifierKey:
        """Read the printable form; raises `ValueError`."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise ValueError("a verifier key is `name+id+base64`")
        name, given_id, encoded = parts
        try:
            raw = b64decode(encoded, validate=True)
        except Base64Error:
            raise ValueError("the verifier key's last part is not base64") from None
        if len(raw) != 33 or raw[:1] != _ED25519:
            raise ValueError("the verifier key is not an Ed25519 key")
        key = VerifierKey(name, raw[1:])
        if key.id.hex() != given_id:
            raise ValueError("the verifier key's id does not belong to its name and key")
        return key

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether this key signed the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """The private half; made from 32 secret bytes."""

    __slots__ = ("_private", "verifier")

    def __init__(self, name: str, seed: bytes) -> None:
        """`name` must hold neither white space nor `+`; raises `ValueError`."""
        if not name or "+" in name or any(character.isspace() for character in name):
            raise ValueError(f"`{name}` cannot name a key: no white space, no `+`")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = VerifierKey(name, self._private.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint) -> str:
        """The signed note."""
        text = checkpoint.text()
        signature = b64encode(self.verifier.id + self._private.sign(text.encode())).decode()
        return f"{text}\n{_DASH}{self.verifier.name} {signature}\n"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A note as read: its checkpoint, its exact text and its signatures (key name, key id, signature)."""

    checkpoint: Checkpoint
    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def signed_by(self, key: VerifierKey) -> bool:
        """Whether one of the signatures is this key's and right."""
        return any(
            name == key.name and key_id == key.id and key.verify(self.text, signature)
            for name, key_id, signature in self.signatures
        )


class CheckpointError(ValueError):
    """A note cannot be read; the text says why."""


def parse_note(note: str) -> SignedCheckpoint:
    """Read one signed note; raises `CheckpointError`. Proves nothing about its signatures."""
    text, blank, tail = note.partition("\n\n")
    lines = text.split("\n")
    if not blank or len(lines) != 5:
        raise CheckpointError("not a signed checkpoint")
    origin, size, root, chain, time = lines
    if not (_number(size) and chain.startswith("chain ") and time.startswith("time ") and _number(time[5:])):
        raise CheckpointError("the checkpoint's lines are not origin, size, root, chain and time")
    try:
        root_bytes = b64decode(root, validate=True)
    except ValueError:
        raise CheckpointError("the checkpoint's root is not base64") from None
    signatures: list[tuple[str, bytes, bytes]] = []
    for line in tail.removesuffix("\n").split("\n"):
        name, _, encoded = line.removeprefix(_DASH).partition(" ")
        try:
            raw = b64decode(encoded, validate=True)
        except ValueError:
            raw = b""
        # INVARIANT: no other bytes say the same: the last letter of base64 may have bits that mean nothing.
        if not line.startswith(_DASH) or len(raw) < 5 or b64encode(raw).decode() != encoded:
            raise CheckpointError("a signature line cannot be read")
        signatures.append((name, raw[:4], raw[4:]))
    checkpoint = Checkpoint(origin, int(size), root_bytes, chain[6:], int(time[5:]))
    if checkpoint.text() != text + "\n":
        raise CheckpointError("the checkpoint is not written as it should be")
    return SignedCheckpoint(checkpoint, text + "\n", tuple(signatures))


def split_notes(data: bytes) -> tuple[list[str], bool]:
    """The notes of a checkpoint file (each note is followed by an empty line), and whether the last one is torn."""
    blocks = data.decode("utf-8", "replace").split("\n\n")
    rest = blocks.pop()
    pairs = [f"{blocks[i]}\n\n{blocks[i + 1]}\n" for i in range(0, len(blocks) - 1, 2)]
    return pairs, bool(rest) or len(blocks) % 2 == 1


def join_note(note: str) -> bytes:
    """A note as it is appended to a checkpoint file."""
    return (note + "\n").encode()


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and (text == "0" or text[0] != "0")
