"""Where clients reach the gateway's listener: as the caller says it, or by the configuration where that can be read."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from interpose.app.settings import ListenerSettings, Settings
from interpose.model.errors import ClientError

_ANY: Final = frozenset({"0.0.0.0", "::", "*"})  # noqa: S104 -- an address that is looked for, not listened on
_PROBE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Reach:
    """A listener as a client sees it.

    `tls` False: it offers none. `authority` is a PEM file with the root of its certificate, None where the client's own settings know it.
    """

    host: str
    port: int
    tls: bool = True
    authority: str | None = None


def find_reach(
    connection: str,
    protocol: str,
    gateway: str | None,
    config: Path,
    authority: str | None,
    variables: Mapping[str, str],
) -> Reach:
    """The listener for a connection. What the caller says (`gateway`, `authority`) wins over the configuration.

    With a `gateway` no configuration is read: it is the gateway that then refuses a connection that does not exist. Raises `ClientError`,
    and `ConfigurationError` for a configuration that is wrong.
    """
    if gateway:
        host, port = _host_and_port(gateway)
        return Reach(host, port, authority=_authority(authority, None, variables))
    if not os.access(config, os.R_OK):
        raise ClientError(
            "it is not known where the gateway is",
            hint="give `--gateway host:port` or set INTERPOSE_GATEWAY; on the gateway's machine, give `--config`",
        )
    settings = _settings(config)
    _check_connection(connection, protocol, settings)
    listener = _listener(settings, protocol)
    host = listener.address.host
    if host in _ANY:
        host = "localhost" if settings.public is None else _public_host(settings.public.url)
    tls = listener.certificate is not None
    found = _authority(authority, listener.certificate, variables) if tls else None
    return Reach(host, listener.address.port, tls, found)


def probe(reach: Reach) -> None:
    """Whether somebody listens there; raises `ClientError`."""
    try:
        socket.create_connection((reach.host, reach.port), _PROBE_SECONDS).close()
    except OSError as error:
        raise ClientError(
            f"nobody answers at `{reach.host}:{reach.port}`",
            detail=str(error),
            hint="is the gateway running, and is this its listener? give another with `--gateway host:port`",
        ) from error


def _settings(config: Path) -> Settings:
    # With the configuration's reader comes every protocol's grammar; a client with `--gateway` needs none of it.
    from interpose.app.config import read_settings
    from interpose.app.protocols import SPOKEN

    return read_settings(config, SPOKEN)


def _check_connection(connection: str, protocol: str, settings: Settings) -> None:
    found = next((each for each in settings.connections if each.name == connection), None)
    if found is None:
        names = ", ".join(f"`{each.name}`" for each in settings.connections)
        raise ClientError(f"there is no connection `{connection}`", hint=f"the configuration has {names}")
    if found.protocol != protocol:
        raise ClientError(f"`{connection}` speaks `{found.protocol}`", hint=f"this command knows `{protocol}` only")


def _listener(settings: Settings, protocol: str) -> ListenerSettings:
    listeners = [each for each in settings.listeners if each.protocol == protocol]
    if not listeners:
        raise ClientError(f"the gateway has no listener for `{protocol}`", hint="add one to the configuration")
    return next((each for each in listeners if each.certificate is not None), listeners[0])


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ClientError(f"`{text}` is no address of a gateway", hint="write `host:port`")
    return host, int(port)


def _public_host(url: str) -> str:
    return urlsplit(url).hostname or "localhost"


def _authority(given: str | None, certificate: Path | None, variables: Mapping[str, str]) -> str | None:
    """The file that the client checks the gateway's certificate with; None leaves it to libpq.

    libpq looks into no store of the system by itself, so it is named where nothing else is.
    """
    if given is not None:
        if not Path(given).is_file():
            raise ClientError(f"the authority file `{given}` is no file", hint="check the path")
        return str(Path(given).resolve())
    if "PGSSLROOTCERT" in variables:
        return variables["PGSSLROOTCERT"]
    if certificate is not None and _brings_root(certificate):
        return str(certificate)
    if (Path.home() / ".postgresql" / "root.crt").exists():
        return None
    return ssl.get_default_verify_paths().cafile


def _brings_root(certificate: Path) -> bool:
    from interpose.net.certificates import brings_root

    return brings_root(certificate)
