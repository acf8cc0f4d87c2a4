"""What `interpose config check` looks at beyond the texts: keys, certificates and credentials that the gateway reads while it serves.

A reload does not: it never read them at once, and a credential that is put in place a second later is found by the next dial. Nothing
is asked of a network, and variables of the environment are not looked at: they belong to the process that serves.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from interpose.app.secrets import open_vault
from interpose.app.settings import Settings
from interpose.identity.oidc_options import OidcOptions
from interpose.identity.saml_options import SamlOptions
from interpose.model.errors import ConfigurationError, InterposeError, Problem, SecretError
from interpose.net.certificates import ClientContexts, ServerCertificate
from interpose.protocols.postgres.options import PostgresOptions
from interpose.secrets.files import read_private_file
from interpose.secrets.vault import load_key

_Look = tuple[str, Callable[[], object]]
"""What is looked at, and how; it raises `InterposeError`."""


def check_named_files(settings: Settings, wall: Callable[[], float] = time.time) -> list[str]:
    """Read them all; answers warnings. Raises `ConfigurationError` with every one that could not be used by this user."""
    problems: list[Problem] = []
    warnings: list[str] = []
    for where, certificate, key in _pairs(settings):
        try:
            served = ServerCertificate(certificate, key, alpn=())
        except ConfigurationError as error:
            problems.append(_problem(where, error))
            continue
        if served.leaf.expires_at <= wall():
            end = datetime.fromtimestamp(served.leaf.expires_at, UTC)
            warnings.append(f"{where}: the certificate `{certificate}` has expired ({end:%Y-%m-%d %H:%M} UTC)")
        if served.exposed:
            warnings.append(f"{where}: the key `{key}` is open to everybody on this machine: run `chmod 600 {key}`")
    for where, look in (*_host_keys(settings), *_secrets(settings)):
        try:
            look()
        except InterposeError as error:
            problems.append(_problem(where, error))
    if problems:
        count = len(problems)
        raise ConfigurationError(
            f"{count} problem{'s' if count > 1 else ''} in files that `{settings.file}` names",
            problems=tuple(problems),
            hint="run this as the user that serves",
        )
    return warnings


def _problem(where: str, error: InterposeError) -> Problem:
    said = ": ".join(part for part in (where, error.public_message, error.detail) if part)
    return Problem(said, hint=error.hint or "")


def _pairs(settings: Settings) -> Iterator[tuple[str, Path, Path]]:
    """Where a TLS certificate is shown, and its two files."""
    for each in settings.listeners:
        if each.certificate is not None and each.key is not None:
            yield f"listener {each.address.host}:{each.address.port}", each.certificate, each.key
    for where, http in (("admin", settings.admin), ("public", settings.public)):
        if http is not None and http.certificate is not None and http.key is not None:
            yield where, http.certificate, http.key


def _host_keys(settings: Settings) -> Iterator[_Look]:
    for each in settings.listeners:
        if each.host_key is not None:
            # Loaded here: configurations without SSH need no library for it.
            from interpose.bridges.ssh.host_key import read_host_key

            yield f"listener {each.address.host}:{each.address.port}", partial(read_host_key, each.host_key)


def _secrets(settings: Settings) -> Iterator[_Look]:
    """Every secret that lies in a file, and the authorities of upstreams."""
    key = settings.secret_key
    # A key in the environment may be set where the gateway is started, and nowhere else.
    opens = key is None or key.startswith("file:") or key.removeprefix("env:") in os.environ
    if key is not None and opens:
        yield "secrets.key", partial(load_key, key, os.environ)
    for where, reference in _references(settings):
        kind, _, name = reference.partition(":")
        if kind == "file":
            yield where, partial(_filled, Path(name))
        elif kind == "store" and opens:
            yield where, partial(_stored, settings, name)
    for connection in settings.connections:
        options = connection.options
        if isinstance(options, PostgresOptions) and options.tls_ca_file is not None:
            authorities = ClientContexts(time.monotonic)
            yield f"connection {connection.name}", partial(authorities.make, "ca", options.tls_ca_file, ())


def _filled(file: Path) -> None:
    if not read_private_file(file):
        raise SecretError("the credential file is empty", detail=str(file))


def _stored(settings: Settings, name: str) -> None:
    open_vault(settings).get(name)


def _references(settings: Settings) -> Iterator[tuple[str, str]]:
    """Where a secret is named, and how."""
    for connection in settings.connections:
        yield f"connection {connection.name}", connection.secret
    for provider in settings.identity.providers:
        where = f"identity provider {provider.name}"
        if isinstance(provider, OidcOptions) and provider.client_secret is not None:
            yield where, provider.client_secret
        if isinstance(provider, SamlOptions) and provider.key is not None:
            yield where, provider.key
        if isinstance(provider, OidcOptions | SamlOptions) and provider.scim is not None:
            yield f"{where}, scim", provider.scim.token
