"""Reading `interpose.yaml` strictly into `Settings`: all problems at once, each with line and suggestion.

Relative paths are relative to the configuration file's folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv6Address
from pathlib import Path

from interpose.app.protocols import Spoken
from interpose.app.providers import read_providers
from interpose.app.public import read_public
from interpose.app.settings import (
    AdminSettings,
    AuditSettings,
    IdentitySettings,
    LimitSettings,
    ListenerSettings,
    LogFormat,
    LogLevel,
    LogSettings,
    RecordingSettings,
    Settings,
)
from interpose.app.strict_yaml import Section, read_yaml, suggestion
from interpose.bridges.ssh.options import OWN_CERTIFICATE
from interpose.identity.host_names import host_name
from interpose.identity.oidc_options import OidcOptions
from interpose.identity.saml_options import SamlOptions
from interpose.model.connection import Address, CatalogCheck, Connection, Durability
from interpose.model.errors import ClientError, ConfigurationError
from interpose.model.ids import ConnectionName
from interpose.protocols.contract import BridgeSpec, BrowserLogin

_SECRET_SOURCES = ("env:", "file:", "store:")

_BRACKETED = re.compile(r"\[(?P<host>[^\[\]]+)\](?::(?P<port>.*))?")
_HOST = re.compile(r"[^\s\[\]/@]+")
_SCOPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def read_settings(path: Path, protocols: Mapping[str, Spoken]) -> Settings:
    """Read and check a configuration file; raises `ConfigurationError` with every problem found."""
    top = read_yaml(path)
    folder = path.resolve().parent
    settings = Settings(
        file=path.resolve(),
        state=_path(folder, top.text("state", "state")),
        policy=_path(folder, top.text("policy")),
        principals=_path(folder, top.text("principals")),
        listeners=tuple(_listener(section, folder, protocols) for section in top.items("listeners")),
        connections=tuple(
            _connection(name, section, folder, protocols) for name, section in top.sections("connections")
        ),
        admin=_admin(top.section("admin"), folder),
        public=read_public(top, lambda text: _path(folder, text), _address),
        recording=_recording(top.section("recording")),
        audit=_audit(top.section("audit"), folder),
        limits=_limits(top.section("limits")),
        log=_log(top.section("log")),
        identity=IdentitySettings(read_providers(top.section("identity"), folder)),
        secret_key=_secret_key(top, folder),
        catalog_poll=top.duration("catalog_poll", 5.0),
        workers=top.whole("workers", 1, 1, 256),
        text=top.text_of_file,
    )
    browsed = any(isinstance(each, (OidcOptions, SamlOptions)) for each in settings.identity.providers)
    if settings.public is None and browsed:
        top.problem("identity", "people sign in with a browser, and `public` is missing", "give `public: {url: …}`")
    if any(each.browser_login is not BrowserLogin.NEVER for each in settings.listeners) and (
        settings.public is None or not browsed
    ):
        top.problem(
            "listeners",
            "`browser_login` needs `public` and an identity provider with which people sign in",
            "give `public: {url: …}` and a provider of `type: oidc` or `saml`, or leave out `browser_login`",
        )
    _check_retention(top, settings.recording, settings.audit)
    _check_addresses(top, settings)
    if not settings.listeners:
        top.problem("listeners", "`listeners` is empty: nobody could connect", "add `- protocol: postgres`")
    if not settings.connections:
        top.problem("connections", "`connections` is empty: there is nothing to connect to", "name an upstream")
    top.finish()
    if top.problems:
        raise ConfigurationError(
            f"`{path}` has {len(top.problems)} problem{'s' if len(top.problems) > 1 else ''}",
            problems=tuple(top.problems),
            hint="see docs/reference/configuration.md",
        )
    return settings


def _path(folder: Path, text: str) -> Path:
    return (folder / Path(text).expanduser()).resolve()


def _optional_path(section: Section, key: str, folder: Path) -> Path | None:
    text = section.optional_text(key)
    return None if text is None else _path(folder, text)


def _address(section: Section, key: str, default: Address | None, default_port: int) -> Address:
    text = section.optional_text(key)
    if text is None:
        if default is None:
            section.problem(key, f"`{key}` is missing", "give `host:port`")
            return Address("", default_port)
        return default
    host, port = _parts(text, str(default_port))
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        section.problem(
            key, f"`{text}` is no address", "write `host:port` or `[IPv6 address]:port`, with a port from 1 to 65535"
        )
        return Address("", default_port)
    return Address(host, int(port))


def _parts(text: str, default_port: str) -> tuple[str, str]:
    """Host and port; an empty host where it is none: a colon is part of a bracketed IPv6 address and of nothing else."""
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed is not None:
        try:
            IPv6Address(bracketed["host"])
        except ValueError:
            return "", ""
        return bracketed["host"], default_port if bracketed["port"] is None else bracketed["port"]
    host, _, port = text.partition(":")
    if not _HOST.fullmatch(host):
        return "", ""
    return host, port if ":" in text else default_port


def _tls(section: Section, folder: Path) -> tuple[Path | None, Path | None]:
    tls = section.section("tls")
    certificate, key = _optional_path(tls, "certificate", folder), _optional_path(tls, "key", folder)
    tls.finish()
    if (certificate is None) != (key is None):
        section.problem("tls", "TLS needs both `certificate` and `key`", "give two PEM files, or leave out `tls`")
    for name, file in (("certificate", certificate), ("key", key)):
        if file is not None and not file.is_file():
            section.problem("tls", f"the TLS {name} `{file}` is no file", "check the path")
    return certificate, key


def _listener(section: Section, folder: Path, protocols: Mapping[str, Spoken]) -> ListenerSettings:
    protocol = _protocol(section, protocols)
    spec = protocols.get(protocol)
    if isinstance(spec, BridgeSpec):
        return _bridge_listener(section, folder, spec)
    port = spec.default_port if spec is not None else 1
    certificate, key = _tls(section, folder)
    listener = ListenerSettings(
        protocol=protocol,
        address=_address(section, "address", Address("127.0.0.1", port), port),
        certificate=certificate,
        key=key,
        allow_plaintext_tokens=section.boolean("allow_plaintext_tokens", False),
        client_certificates=section.boolean("client_certificates", False),
        browser_login=section.choice("browser_login", BrowserLogin, BrowserLogin.NEVER),
    )
    if certificate is None and listener.client_certificates:
        section.problem("client_certificates", "client certificates need `tls`", "add `tls: {certificate: …, key: …}`")
    if certificate is None and not listener.allow_plaintext_tokens:
        section.problem(
            "protocol",
            "this listener has no `tls`: nobody could log in without sending the token in clear",
            "add `tls: {certificate: …, key: …}`, or take the risk with `allow_plaintext_tokens: true`",
        )
    section.finish()
    return listener


def _bridge_listener(section: Section, folder: Path, spec: BridgeSpec) -> ListenerSettings:
    """A listener of a protocol that encrypts by itself: it has a host key in the place of TLS."""
    host_key = _optional_path(section, "host_key", folder)
    if host_key is not None and not host_key.is_file():
        section.problem("host_key", f"the host key `{host_key}` is no file", "leave it out, and one is made")
    address = _address(section, "address", Address("127.0.0.1", spec.listener_port), spec.listener_port)
    names = []
    for name in section.listed("public_names"):
        try:
            names.append(host_name(name))
        except ClientError as error:
            section.problem("public_names", error.public_message, error.hint)
    browser = section.choice("browser_login", BrowserLogin, BrowserLogin.NEVER)
    section.finish()
    return ListenerSettings(spec.name, address, host_key=host_key, public_names=tuple(names), browser_login=browser)


def _protocol(section: Section, protocols: Mapping[str, Spoken]) -> str:
    protocol = section.text("protocol")
    if protocol and protocol not in protocols:
        section.problem("protocol", f"unknown protocol `{protocol}`", suggestion(protocol, sorted(protocols)))
    return protocol


def _connection(name: str, section: Section, folder: Path, protocols: Mapping[str, Spoken]) -> Connection:
    protocol = _protocol(section, protocols)
    spec = protocols.get(protocol)
    secret = section.text("secret")
    own = secret == OWN_CERTIFICATE and isinstance(spec, BridgeSpec)
    if secret and not own and not secret.startswith(_SECRET_SOURCES):
        section.problem(
            "secret",
            "`secret` must be a reference, never the credential itself",
            "write `env:NAME`, `file:/path` or `store:name` (see `interpose secret set`)",
        )
    raw_options = section.raw("options")
    if isinstance(raw_options.get("tls_ca_file"), str):
        raw_options["tls_ca_file"] = str(_path(folder, str(raw_options["tls_ca_file"])))
    options: object = None
    if spec is not None:
        try:
            options = spec.parse_options(raw_options)
        except ConfigurationError as error:
            for problem in error.problems or ():
                section.problem("options", problem.message, problem.hint)
            if not error.problems:
                section.problem("options", error.public_message, error.hint)
    connection = Connection(
        name=ConnectionName(name),
        protocol=protocol,
        address=_address(section, "address", None, spec.default_port if spec else 1),
        secret=f"file:{_path(folder, secret[5:])}" if secret.startswith("file:") else secret,
        options=options,
        labels=section.texts("labels"),
        durability=section.choice("durability", Durability, Durability.STANDARD),
        detect_content=section.boolean("detect_content", False),
        pseudonym_scope=_scope(section),
        catalog_check=section.choice("catalog_check", CatalogCheck, CatalogCheck.POLL),
    )
    section.finish()
    return connection


def _scope(section: Section) -> str | None:
    scope = section.optional_text("pseudonym_scope")
    if scope is not None and not _SCOPE.fullmatch(scope):
        section.problem(
            "pseudonym_scope",
            f"`{scope[:80]}` is no name of a scope",
            "use up to 64 letters, digits, `.`, `_` and `-`, as in `crm` or `crm-2`",
        )
    return scope


def _admin(section: Section, folder: Path) -> AdminSettings:
    certificate, key = _tls(section, folder)
    admin = AdminSettings(_address(section, "address", AdminSettings().address, 6480), certificate, key)
    if certificate is None and admin.address.host not in ("127.0.0.1", "::1", "localhost"):
        section.problem("address", "the admin API needs `tls` when it listens beyond loopback", "add `tls`")
    section.finish()
    return admin


def _recording(section: Section) -> RecordingSettings:
    default = RecordingSettings()
    recording = RecordingSettings(
        result_cap=section.size("result_cap", default.result_cap),
        terminal_cap=section.size("terminal_cap", default.terminal_cap),
        retention=section.duration("retention", default.retention),
    )
    section.finish()
    return recording


def _audit(section: Section, folder: Path) -> AuditSettings:
    default = AuditSettings()
    audit = AuditSettings(
        checkpoint_copy=_optional_path(section, "checkpoint_copy", folder),
        checkpoint_interval=section.duration("checkpoint_interval", default.checkpoint_interval),
        retention=section.duration("retention", default.retention),
    )
    section.finish()
    return audit


def _check_addresses(top: Section, settings: Settings) -> None:
    """Each address once: with several workers the system would deal one listener's clients out to another."""
    used = [(each.address, "listeners") for each in settings.listeners]
    used += [] if settings.public is None else [(settings.public.address, "public")]
    used.append((settings.admin.address, "admin"))
    for place, (address, key) in enumerate(used):
        other = next((name for each, name in used[:place] if _meet(each, address)), None)
        if other is not None:
            among = f"twice in `{key}`" if other == key else f"in `{other}` and in `{key}`"
            # The admin API's address may be its default: the other one is then what stands in the file.
            at = other if key == "admin" else key
            top.problem(at, f"the address `{address.host}:{address.port}` is {among}", "give each a port of its own")


def _meet(one: Address, other: Address) -> bool:
    wild = {"0.0.0.0": 4, "::": 6}  # noqa: S104 -- compared, not listened on
    if one.port != other.port or not one.host or not other.host:
        return False
    families = {wild[each.host] for each in (one, other) if each.host in wild}
    sixes = {":" in each.host for each in (one, other)}
    return one.host == other.host or (bool(families) and len(sixes) == 1)


def _check_retention(top: Section, recording: RecordingSettings, audit: AuditSettings) -> None:
    if audit.retention and (not recording.retention or audit.retention < recording.retention):
        top.problem(
            "audit",
            "`audit.retention` is shorter than `recording.retention`: the proof would go before what it proves",
            "keep audit chains at least as long as recordings",
        )


def _limits(section: Section) -> LimitSettings:
    default = LimitSettings()
    limits = LimitSettings(
        handshake=section.duration("handshake", default.handshake),
        dial=section.duration("dial", default.dial),
        drain=section.duration("drain", default.drain),
        write_stall=section.duration("write_stall", default.write_stall),
        keepalive=section.duration("keepalive", default.keepalive),
        sessions=section.whole("sessions", default.sessions, 1, 1_000_000),
        sessions_per_principal=section.whole("sessions_per_principal", default.sessions_per_principal, 1, 1_000_000),
        handshakes=section.whole("handshakes", default.handshakes, 1, 1_000_000),
        browser_login=section.duration("browser_login", default.browser_login),
        max_message=section.size("max_message", default.max_message),
        max_buffer=section.size("max_buffer", default.max_buffer),
    )
    if not 10.0 <= limits.browser_login <= 600.0:
        section.problem(
            "browser_login",
            "`limits.browser_login` is from 10 seconds to 10 minutes",
            "people need a minute to sign in, and a code that somebody else sent should be over soon: write `2m`",
        )
    if not 1.0 <= limits.keepalive <= 600.0:
        section.problem(
            "keepalive",
            "`limits.keepalive` is from 1 second to 10 minutes",
            "whoever is gone is noticed after four times as long: write `30s`",
        )
    section.finish()
    return limits


def _log(section: Section) -> LogSettings:
    log = LogSettings(
        format=section.choice("format", LogFormat, LogFormat.JSON),
        level=section.choice("level", LogLevel, LogLevel.INFO),
    )
    section.finish()
    return log


def _secret_key(top: Section, folder: Path) -> str | None:
    secrets = top.section("secrets")
    key = secrets.optional_text("key")
    if key is not None and not key.startswith(("env:", "file:")):
        secrets.problem("key", "`secrets.key` must be a reference", "write `env:NAME` or `file:/path`")
    secrets.finish()
    return f"file:{_path(folder, key[5:])}" if key is not None and key.startswith("file:") else key
