"""The SSH authorities of the gateway: one for its people's certificates, one for its own host key, one for what it logs in with upstream.

Three keys and not one: each is believed by somebody else (the gateway, the clients' known_hosts, the upstreams' sshd), and what one of them
signs must be worth nothing to the other two. Each has generations, as the X.509 authority has. Sources: OpenSSH's PROTOCOL.certkeys, ssh-keygen(1).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from interpose.identity.authority import FOLDER, LONGEST, SKEW
from interpose.identity.generations import Generations
from interpose.identity.ssh_keys import MalformedError, PublicKey, packed, read_public_line
from interpose.model.errors import StoreError

if TYPE_CHECKING:
    from interpose.engine.ports import Clock, Ids

DAY: Final = 86400.0
UPSTREAM_SECONDS: Final = 300.0
"""Seconds that a certificate for an upstream lives: it is used at once."""

HOST_SECONDS: Final = 14 * DAY
"""Seconds that the gateway's host certificate lives."""

_LINE: Final = re.compile(r"(ssh-ed25519 [A-Za-z0-9+/=]+) made=([0-9]{1,12}) signs=([0-9]{1,12})( alone)?")


class SshRole(Enum):
    """What an authority is for; the value is the name of its files."""

    USER = "user"
    HOST = "host"
    UPSTREAM = "upstream"


_LIFE: Final = {SshRole.USER: LONGEST, SshRole.HOST: HOST_SECONDS, SshRole.UPSTREAM: UPSTREAM_SECONDS}
_NOTICE: Final = {SshRole.USER: 0.0, SshRole.HOST: 7 * DAY, SshRole.UPSTREAM: 7 * DAY}
"""Seconds before a new key signs. The gateway reads its own folder at every login, so it believes a new key of users at once; clients'
known_hosts and upstreams' sshd are edited by people, who need time."""


@dataclass(frozen=True, slots=True)
class SshRoot:
    """One generation. `alone`: the ones before it are not believed any more. `key` is None once it signs no more."""

    number: int
    public: PublicKey
    made_at: float
    signs_from: float
    alone: bool
    key: Ed25519PrivateKey | None = field(repr=False)


class SshAuthority:
    """The generations of one role in one state folder, shared by every process that has it open. Blocking; reads the folder at every call."""

    def __init__(self, role: SshRole, state: Path, clock: Clock, ids: Ids) -> None:
        """Touches nothing yet."""
        self.role = role
        self._files = Generations(state / FOLDER, f"ssh-{role.value}-", ".key", ids)
        self._clock = clock

    def ensure(self) -> None:
        """Make the first key when there is none; of two processes that do so at once one wins. Raises `StoreError`."""
        if not self.roots():
            self._add(1, at_once=True)

    def roots(self) -> Sequence[SshRoot]:
        """Every generation, oldest first; raises `StoreError` for one that is damaged or open to others."""
        return [_read(*each) for each in self._files.read()]

    def believed(self) -> Sequence[SshRoot]:
        """The generations of which a certificate can be valid now or soon, oldest first."""
        roots, now = self.roots(), self._clock.wall()
        found: list[SshRoot] = []
        for root, following in zip(roots, [*roots, None][1:], strict=True):
            if root.alone:
                found.clear()
            if following is None or now < following.signs_from + _LIFE[self.role] + SKEW:
                found.append(root)
        return found

    def signer(self) -> tuple[PublicKey, Ed25519PrivateKey]:
        """The key that signs now, made when there is none; keys that are not needed any more are removed. Raises `StoreError`."""
        self.ensure()
        roots, now = self.roots(), self._clock.wall()
        ready = [root for root in roots if now >= root.signs_from] or [roots[0]]
        chosen = ready[-1]
        for root in roots:
            # One that was still to sign when a later one was made at once never will.
            if root.number < chosen.number and root.key is not None:
                self._files.write(root.number, _written(root), replace=True)
        if chosen.key is None:
            raise StoreError(
                "the SSH certificate authority has lost its key",
                detail=self.role.value,
                hint=f"make a new one with `interpose ca rotate --ssh {self.role.value} --at-once`",
            )
        return chosen.public, chosen.key

    def rotate(self, *, at_once: bool = False) -> SshRoot:
        """Make a new key. It signs after the time that its believers need; the one before is believed until its last certificate is over.

        `at_once`, for a key that was stolen: the new one signs now, and nothing before it is believed. Raises `StoreError`.
        """
        roots = self.roots()
        return self._add(roots[-1].number + 1 if roots else 1, at_once=at_once)

    def _add(self, number: int, *, at_once: bool) -> SshRoot:
        key = Ed25519PrivateKey.generate()
        now = float(int(self._clock.wall()))
        alone = at_once and number > 1
        made = SshRoot(number, public_key(key), now, now if at_once else now + _NOTICE[self.role], alone, key)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        if self._files.write(number, _written(made) + secret.decode(), replace=False):
            return made
        if number == 1:
            return self.roots()[0]
        raise StoreError("somebody else is making a new key at this moment", hint="see `interpose ca show --ssh`")


def public_key(key: Ed25519PrivateKey) -> PublicKey:
    """The public half in SSH's form."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return PublicKey("ssh-ed25519", packed(b"ssh-ed25519") + packed(raw))


def _written(root: SshRoot) -> str:
    """A generation without its secret."""
    alone = " alone" if root.alone else ""
    return f"{root.public.line} made={int(root.made_at)} signs={int(root.signs_from)}{alone}\n"


def _read(number: int, path: Path, data: bytes) -> SshRoot:
    first, _, secret = data.partition(b"\n")
    match = _LINE.fullmatch(first.decode("ascii", "replace"))
    try:
        if match is None:
            raise MalformedError("the first line is not understood")
        public = read_public_line(match[1])
        key = serialization.load_pem_private_key(secret, None) if secret.strip() else None
        if key is not None and (not isinstance(key, Ed25519PrivateKey) or public_key(key) != public):
            raise MalformedError("the private key is not the public key's")
    except ValueError as error:
        raise StoreError(
            "a key of the SSH certificate authority is damaged", detail=str(path), hint="restore it from a backup"
        ) from error
    return SshRoot(number, public, float(match[2]), float(match[3]), match[4] is not None, key)


def known_hosts_line(root: SshRoot, names: Sequence[str]) -> str:
    """The line of known_hosts with which clients believe host certificates of this key for these names."""
    return f"@cert-authority {','.join(names)} {root.public.line}"


def blob_of(line: str) -> bytes:
    """The binary form in a line of a certificate or key that was made here."""
    return base64.b64decode(line.split()[1])
