"""The gateway's configuration as frozen values; `config` reads them from a file.

Nothing defaults to open; a switch that opens something is named after the risk that it takes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from interpose.app.providers import ProviderOptions
from interpose.model.connection import Address, Connection
from interpose.protocols.contract import BrowserLogin


class LogFormat(Enum):
    """How operator's log lines are written."""

    JSON = "json"
    CONSOLE = "console"


class LogLevel(Enum):
    """The least severe line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """Where clients of one protocol connect.

    `certificate` and `key` are PEM files; without them clients have no TLS, and then `allow_plaintext_tokens` must be
    set for anybody to log in: access tokens would cross the network in clear. `client_certificates`: certificates of the
    built-in authority are asked for, and prove a principal without a token. `browser_login`: people without a token confirm in a browser
    that a client is theirs. `host_key` is the private key of a listener for SSH, which has no TLS; None for the one that is made in the
    state folder, and `public_names` are those that its host certificate is for.
    """

    protocol: str
    address: Address
    certificate: Path | None = None
    key: Path | None = None
    allow_plaintext_tokens: bool = False
    client_certificates: bool = False
    host_key: Path | None = None
    browser_login: BrowserLogin = BrowserLogin.NEVER
    public_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """Where the admin API, health and metrics listen. TLS as for a listener; loopback may go without."""

    address: Address = Address("127.0.0.1", 6480)
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class PublicSettings:
    """Where the pages for people and the login of the command line listen, and the origin under which they are reached.

    `url` is `https://host[:port]` without a path; loopback may do without TLS.
    """

    url: str
    address: Address = Address("127.0.0.1", 6443)
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """`result_cap` is bytes of result kept per command, and of each stream of a program without a terminal; `terminal_cap` bytes
    of each stream of a terminal in an hour; retention in seconds (0 keeps for ever).
    """

    result_cap: int = 256 * 1024
    terminal_cap: int = 64 * 1024 * 1024
    retention: float = 90 * 86400.0


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """`checkpoint_copy` is a second folder (another disk, a mounted bucket) that gets every signed checkpoint."""

    checkpoint_copy: Path | None = None
    checkpoint_interval: float = 60.0
    retention: float = 400 * 86400.0


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Bounds. Times in seconds, sizes in bytes."""

    handshake: float = 5.0
    dial: float = 10.0
    drain: float = 300.0
    write_stall: float = 120.0
    keepalive: float = 30.0
    sessions: int = 5000
    sessions_per_principal: int = 200
    handshakes: int = 500
    browser_login: float = 120.0
    max_message: int = 64 * 1024 * 1024
    max_buffer: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Operator's log."""

    format: LogFormat = LogFormat.JSON
    level: LogLevel = LogLevel.INFO


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """Who proves who people and workloads are, beside the gateway's own access tokens."""

    providers: tuple[ProviderOptions, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that one configuration file says. `text` is the file as it was read."""

    file: Path
    state: Path
    policy: Path
    principals: Path
    listeners: tuple[ListenerSettings, ...]
    connections: tuple[Connection, ...]
    admin: AdminSettings = AdminSettings()
    public: PublicSettings | None = None
    recording: RecordingSettings = RecordingSettings()
    audit: AuditSettings = AuditSettings()
    limits: LimitSettings = LimitSettings()
    log: LogSettings = LogSettings()
    identity: IdentitySettings = IdentitySettings()
    secret_key: str | None = field(default=None)
    catalog_poll: float = 5.0
    workers: int = 1
    text: str = field(default="", repr=False)
