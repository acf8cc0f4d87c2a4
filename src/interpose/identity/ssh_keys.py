"""Public keys in SSH's binary form, read strictly: which kinds are good enough, and nothing before, between or behind their fields.

Sources: RFC 4251 §5 (data types), RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4, OpenSSH's PROTOCOL.u2f.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from interpose.engine.ssh_logins import fingerprint

LONGEST_BLOB: Final = 16 * 1024
"""Bytes of a key or certificate that are looked at at all."""

_SHORTEST_RSA: Final = 2048
_LONGEST_RSA: Final = 8192
_SMALLEST_EXPONENT: Final = 65537
_CURVES: Final[Mapping[str, ec.EllipticCurve]] = {
    "nistp256": ec.SECP256R1(),
    "nistp384": ec.SECP384R1(),
    "nistp521": ec.SECP521R1(),
}


class MalformedError(ValueError):
    """What was read is not exactly what the form says; the message says what, in words for an operator."""


class Fields:
    """The fields of a binary form, one after another (RFC 4251 §5). Every method raises `MalformedError`."""

    def __init__(self, data: bytes) -> None:
        """Begins at the first byte."""
        if len(data) > LONGEST_BLOB:
            raise MalformedError("too long")
        self._data = data
        self._at = 0

    @property
    def position(self) -> int:
        """How many bytes were read."""
        return self._at

    @property
    def more(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._data)

    def number(self, size: int) -> int:
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self._take(size), "big")

    def string(self) -> bytes:
        """Bytes behind their length."""
        return self._take(self.number(4))

    def text(self) -> str:
        """A string that is printable ASCII."""
        data = self.string()
        if not data.isascii() or not data.decode("ascii").isprintable():
            raise MalformedError("a name is not printable ASCII")
        return data.decode("ascii")

    def positive(self) -> int:
        """A positive number of any size in its one shortest form."""
        data = self.string()
        value = int.from_bytes(data, "big")
        if value == 0 or data[0] & 0x80 or (data[0] == 0 and not data[1] & 0x80):
            raise MalformedError("a number is not in its one form")
        return value

    def end(self) -> None:
        """Nothing may be left."""
        if self.more:
            raise MalformedError("bytes are left over")

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) != count:
            raise MalformedError("cut off")
        self._at += count
        return taken


def packed(data: bytes) -> bytes:
    """A string as SSH writes it."""
    return len(data).to_bytes(4, "big") + data


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that is good enough. `blob` is its binary form."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As OpenSSH shows it: `SHA256:` and base64 without padding."""
        return fingerprint(self.blob)

    @property
    def line(self) -> str:
        """As a file holds it, without a comment."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"


def read_public_key(blob: bytes) -> PublicKey:
    """Read a key; raises `MalformedError` for a kind that is not taken, one that is too weak, and every other form."""
    fields = Fields(blob)
    kind = fields.text()
    read_key_fields(kind, fields)
    fields.end()
    return PublicKey(kind, blob)


def read_public_line(text: str) -> PublicKey:
    """Read a key as a file holds it: kind, base64 and perhaps a comment, without options before them. Raises `MalformedError`."""
    words = text.strip().split(None, 2)
    if len(words) < 2 or "\n" in text.strip() or "\r" in text.strip():
        raise MalformedError("write the kind and the key, as in `ssh-ed25519 AAAA…`")
    try:
        blob = base64.b64decode(words[1].encode("ascii", "replace"), validate=True)
    except binascii.Error:
        raise MalformedError("the key is no base64") from None
    if base64.b64encode(blob).decode() != words[1]:
        raise MalformedError("the key is not in the one form that base64 has")
    key = read_public_key(blob)
    if key.kind != words[0]:
        raise MalformedError(f"the key is no `{words[0][:40]}`: it says `{key.kind}`")
    return key


def read_key_fields(kind: str, fields: Fields) -> None:
    """Read the fields of a key of this kind and check that it is good enough; raises `MalformedError`."""
    read = _KINDS.get(kind)
    if read is None:
        raise MalformedError(f"keys of the kind `{kind[:60]}` are not taken")
    read(kind, fields)


def _ed25519(_: str, fields: Fields) -> None:
    key = fields.string()
    if len(key) != 32:
        raise MalformedError("an Ed25519 key has 32 bytes")
    ed25519.Ed25519PublicKey.from_public_bytes(key)


def _ecdsa(kind: str, fields: Fields) -> None:
    curve = fields.text()
    if not kind.partition("@")[0].endswith(f"-{curve}") or curve not in _CURVES:
        raise MalformedError("the curve is not the kind's own")
    point = fields.string()
    if point[:1] != b"\x04":
        raise MalformedError("the point of the curve is not written in full")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve], point)
    except ValueError:
        raise MalformedError("the point is not on its curve") from None


def _rsa(_: str, fields: Fields) -> None:
    exponent, modulus = fields.positive(), fields.positive()
    if not _SHORTEST_RSA <= modulus.bit_length() <= _LONGEST_RSA:
        raise MalformedError(f"RSA keys need {_SHORTEST_RSA} to {_LONGEST_RSA} bits; this has {modulus.bit_length()}")
    if exponent < _SMALLEST_EXPONENT or exponent.bit_length() > 64 or exponent % 2 == 0 or modulus % 2 == 0:
        raise MalformedError("the RSA exponent is too small, or the key is none")


def _hardware(kind: str, fields: Fields) -> None:
    (_ed25519 if "ed25519" in kind else _ecdsa)(kind, fields)
    if not fields.text().startswith("ssh:"):
        raise MalformedError("the key of the security key is not made for SSH")


_KINDS: Final[Mapping[str, Callable[[str, Fields], None]]] = {
    "ssh-ed25519": _ed25519,
    "ecdsa-sha2-nistp256": _ecdsa,
    "ecdsa-sha2-nistp384": _ecdsa,
    "ecdsa-sha2-nistp521": _ecdsa,
    "ssh-rsa": _rsa,
    "sk-ssh-ed25519@openssh.com": _hardware,
    "sk-ecdsa-sha2-nistp256@openssh.com": _hardware,
}
"""How the keys of each kind are read. DSA is not among them."""

CERTIFIED_KINDS: Final = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
"""Kinds for which certificates are made."""
