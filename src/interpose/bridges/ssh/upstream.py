"""Logging in at an SSH upstream over a socket that is open already: pinned host key, one credential, nothing from this machine.

INVARIANT: no configuration file, no agent, no key or known host of whoever runs the gateway is ever looked at.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import asyncssh
from asyncssh.kex import get_kex_algs

from interpose.bridges.ssh import algorithms
from interpose.bridges.ssh.ends import UpstreamEnd
from interpose.model.errors import SecretError, UpstreamError
from interpose.protocols.contract import Credential

if TYPE_CHECKING:
    import socket

    from interpose.bridges.ssh.options import SshOptions
    from interpose.bridges.ssh.ports import Certified

_HINT: Final = "try again, or ask an operator to look at the connection"


class HostKeyMismatch(UpstreamError):  # noqa: N818 - what happened, as the audit chain names it
    """The upstream has another host key than the pinned ones: somebody is in between, or the host was made anew."""

    code = "host_key_mismatch"


async def log_in(
    sock: socket.socket,
    name: str,
    options: SshOptions,
    credential: Credential | Certified,
    *,
    deadline: float,
    keepalive: float,
) -> UpstreamEnd:
    """A connection that is logged in; owns the socket. After `keepalive` seconds of silence the upstream is asked whether it is still there;
    three times, then it is gone. Raises `UpstreamError` and `SecretError`, with messages that are safe to show."""
    loop = asyncio.get_running_loop()
    try:
        prepared = await asyncio.to_thread(_client_options, loop, options, credential, keepalive)
    except BaseException:
        sock.close()
        raise
    prepared.waiter = loop.create_future()
    end: UpstreamEnd | None = None
    try:
        async with asyncio.timeout(deadline):
            _, end = await loop.create_connection(lambda: UpstreamEnd(loop, prepared), sock=sock)
            await prepared.waiter
            return end
    except BaseException as error:
        if end is None:
            sock.close()
        else:
            end.abort()
        if isinstance(error, asyncssh.Error | OSError):
            raise _failure(name, error) from error
        raise


def _client_options(
    loop: asyncio.AbstractEventLoop, options: SshOptions, credential: Credential | Certified, keepalive: float
) -> asyncssh.SSHClientConnectionOptions:
    keys = [asyncssh.import_public_key(key) for key in options.host_keys]
    private, password = (
        _credential(credential) if isinstance(credential, Credential) else (_certified(credential), None)
    )
    return asyncssh.SSHClientConnectionOptions(
        loop=loop,
        config=None,
        known_hosts=(keys, [], [], [], [], [], []),
        server_host_key_algs=[name for key in keys for name in _signatures(key)],
        username=options.user,
        client_keys=None if private is None else [private],
        password=password,
        preferred_auth=["publickey"] if password is None else ["password", "keyboard-interactive"],
        agent_path=None,
        agent_forwarding=False,
        x509_trusted_certs=None,
        x509_trusted_cert_paths=[],
        host_based_auth=False,
        gss_host=None,
        gss_kex=False,
        gss_auth=False,
        kex_algs=available(algorithms.UPSTREAM_KEX),
        encryption_algs=list(algorithms.CIPHERS),
        mac_algs=list(algorithms.UPSTREAM_MACS),
        compression_algs=None,
        signature_algs=list(algorithms.SIGNATURES),
        client_version="Interpose",
        keepalive_interval=keepalive,
        proxy_command=None,
        tunnel=None,
        login_timeout=0,
    )


def _certified(made: Certified) -> tuple[asyncssh.SSHKey, asyncssh.SSHCertificate]:
    return asyncssh.import_private_key(made.private_key), asyncssh.import_certificate(made.certificate)


def _credential(credential: Credential) -> tuple[asyncssh.SSHKey | None, str | None]:
    """The credential as a private key, or else as a password."""
    if not credential.value.lstrip().startswith("-----BEGIN"):
        return None, credential.value
    try:
        return asyncssh.import_private_key(credential.value.strip() + "\n"), None
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        # The library's own message may quote the key.
        raise SecretError(
            "the upstream's private key cannot be read", detail="it is damaged, encrypted, or of an unknown kind"
        ) from None


def _signatures(key: asyncssh.SSHKey) -> list[str]:
    """By which signatures a pinned key may prove itself."""
    name = key.get_algorithm()
    return ["rsa-sha2-512", "rsa-sha2-256"] if name == "ssh-rsa" else [name]


def available(names: tuple[str, ...]) -> list[str]:
    """Those key exchanges that the library can do on this machine."""
    have = {name.decode() for name in get_kex_algs()}
    return [name for name in names if name in have]


def _failure(name: str, error: Exception) -> UpstreamError:
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return HostKeyMismatch(
            f"the host key of `{name}` is not the one that is pinned: the host is another one, or somebody is in between",
            detail=str(error),
            hint="ask the gateway's operator; nothing was sent",
        )
    if isinstance(error, asyncssh.PermissionDenied):
        return UpstreamError(
            f"the upstream `{name}` refused the gateway's credential", hint="ask the gateway's operator"
        )
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return UpstreamError(
            f"the upstream `{name}` offers no algorithm, or no host key of the pinned kind, that the gateway takes",
            detail=str(error),
            hint="ask the gateway's operator",
        )
    return UpstreamError(f"the upstream `{name}` did not let the gateway in", detail=str(error), hint=_HINT)
