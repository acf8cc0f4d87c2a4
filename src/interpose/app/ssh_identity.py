"""Everything of SSH's identity in one process: who logs in, certificates of people, of the gateway's host key, for upstreams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from interpose.engine.ssh_logins import SshLogins
from interpose.identity.authority import Authority
from interpose.identity.ssh_authority import SshAuthority, SshRole, known_hosts_line
from interpose.identity.ssh_certificates import SshCertificateIssuer, SshKeys
from interpose.identity.ssh_hosts import HostCertificates
from interpose.identity.ssh_upstream import UpstreamCertificates

if TYPE_CHECKING:
    from pathlib import Path

    from interpose.app.settings import Settings
    from interpose.engine.authenticate import Authentication
    from interpose.engine.ports import AuditChain, Clock, Ids, TokenStore
    from interpose.engine.snapshot import SnapshotHolder
    from interpose.identity.certificates import Issued
    from interpose.model.principal import Identity
    from interpose.protocols.intents import Refused
    from interpose.web.authorities import Authorities, AuthorityPages


class SshIdentity:
    """`logins` is what the bridge asks; `hosts` and `upstreams` make the gateway's own certificates. No authority is made before it is needed."""

    def __init__(
        self,
        folder: Path,
        holder: SnapshotHolder,
        authentication: Authentication,
        tokens: TokenStore,
        audit: AuditChain,
        clock: Clock,
        ids: Ids,
    ) -> None:
        """`folder` is the state folder."""
        self._published = Published(folder, clock, ids)
        users, hosts, upstreams = (SshAuthority(role, folder, clock, ids) for role in SshRole)
        self._authentication = authentication
        keys = SshKeys(users, tokens, lambda: holder.current.principals, clock)
        self.logins = SshLogins(authentication, keys)
        self.issuer = SshCertificateIssuer(users, tokens, audit, clock, ids)
        self.hosts = HostCertificates(hosts, audit, clock, ids)
        self.upstreams = UpstreamCertificates(upstreams, audit, clock, ids)

    def pages(self, settings: Settings) -> AuthorityPages:
        """What the public address has of it."""
        from interpose.web.authorities import AuthorityPages

        return AuthorityPages(self._published.authorities(settings), self)

    async def bearer(self, token: str, peer: str) -> Identity | Refused:
        """Who holds an access token."""
        return await self._authentication.bearer(token, peer)

    async def issue(self, identity: Identity, public_key: str, ttl: float, source: str) -> Issued:
        """A user certificate."""
        return await self.issuer.issue(identity, public_key, ttl, source)


@dataclass(frozen=True, slots=True)
class Published:
    """The authorities of a state folder as texts: for known_hosts, for an upstream's sshd, as PEM."""

    folder: Path
    clock: Clock
    ids: Ids

    def known_hosts(self, names: Sequence[str]) -> str:
        """Lines for these names (patterns of known_hosts)."""
        return "".join(known_hosts_line(root, names) + "\n" for root in self._ssh(SshRole.HOST).believed())

    def upstreams(self) -> str:
        """Lines of a `TrustedUserCAKeys` file."""
        return self.keys(SshRole.UPSTREAM)

    def keys(self, role: SshRole) -> str:
        """The public keys of one authority, one a line."""
        return "".join(root.public.line + "\n" for root in self._ssh(role).believed())

    def authorities(self, settings: Settings) -> Authorities:
        """For the public address."""
        names = public_patterns(settings)
        from interpose.web.authorities import Authorities

        return Authorities(
            Authority(self.folder, self.clock, self.ids).bundle, lambda: self.known_hosts(names), self.upstreams
        )

    def _ssh(self, role: SshRole) -> SshAuthority:
        return SshAuthority(role, self.folder, self.clock, self.ids)


def public_patterns(settings: Settings) -> tuple[str, ...]:
    """The gateway's public names in patterns of known_hosts, on port 22 and on every other."""
    hosts = {name for listener in settings.listeners for name in listener.public_names}
    if settings.public is not None:
        hosts.add(urlsplit(settings.public.url).hostname or "localhost")
    return tuple(pattern for host in sorted(hosts) for pattern in (host, f"[{host}]:*"))
