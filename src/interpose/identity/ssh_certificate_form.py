"""OpenSSH certificates in their binary form, read strictly. Says what is in one; believes nothing of it.

Source: OpenSSH's PROTOCOL.certkeys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from interpose.identity.ssh_keys import Fields, MalformedError, PublicKey, packed, read_key_fields

USER, HOST = 1, 2
"""What a certificate is for."""

_SUFFIX: Final = "-cert-v01@openssh.com"
_KINDS: Final[Mapping[str, str]] = {
    kind.removesuffix("@openssh.com") + _SUFFIX: kind
    for kind in (
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "ssh-rsa",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    )
}
"""Kinds of certificate, and the kind of the key in each."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a certificate says. Times are seconds since the epoch; `options` are critical ones, whose data is still packed."""

    kind: str
    key: PublicKey
    serial: int
    purpose: int
    key_id: str
    principals: tuple[str, ...]
    valid_after: int
    valid_before: int
    options: Mapping[str, bytes] = field(hash=False)
    extensions: Mapping[str, bytes] = field(hash=False)
    authority: bytes
    signature_kind: str
    signature: bytes = field(repr=False)


def is_certificate(blob: bytes) -> bool:
    """Whether a key as a client offers it is a certificate, by its kind."""
    try:
        return Fields(blob[:256]).text().endswith(_SUFFIX)
    except MalformedError:
        return False


def read_certificate(blob: bytes) -> Form:
    """Read a certificate; raises `MalformedError` for everything that is not exactly its form."""
    fields = Fields(blob)
    kind = fields.text()
    key_kind = _KINDS.get(kind)
    if key_kind is None:
        raise MalformedError(f"certificates of the kind `{kind[:60]}` are not taken")
    if not 16 <= len(fields.string()) <= 64:
        raise MalformedError("the nonce has 16 to 64 bytes")
    began = fields.position
    read_key_fields(key_kind, fields)
    key = PublicKey(key_kind, packed(key_kind.encode()) + blob[began : fields.position])
    serial, purpose = fields.number(8), fields.number(4)
    key_id = fields.text()
    principals = _names(fields.string())
    after, before = fields.number(8), fields.number(8)
    options, extensions = _options(fields.string()), _options(fields.string())
    if fields.string():
        raise MalformedError("the reserved field is not empty")
    authority = fields.string()
    signature = Fields(fields.string())
    fields.end()
    signature_kind, signed = signature.text(), signature.string()
    signature.end()
    return Form(
        kind,
        key,
        serial,
        purpose,
        key_id,
        principals,
        after,
        before,
        options,
        extensions,
        authority,
        signature_kind,
        signed,
    )


def option_text(data: bytes) -> str:
    """The text in an option's data; raises `MalformedError`."""
    fields = Fields(data)
    text = fields.text()
    fields.end()
    return text


def _names(data: bytes) -> tuple[str, ...]:
    fields = Fields(data)
    names = []
    while fields.more:
        names.append(fields.text())
    return tuple(names)


def _options(data: bytes) -> Mapping[str, bytes]:
    """INVARIANT: names are in order and none is there twice, as the form demands: two readers cannot see two different ones."""
    fields = Fields(data)
    found: dict[str, bytes] = {}
    last = ""
    while fields.more:
        name, value = fields.text(), fields.string()
        if name <= last:
            raise MalformedError("options are not in order")
        found[name] = value
        last = name
    return found
