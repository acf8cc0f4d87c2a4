"""Opening the sources of upstream credentials as the configuration says."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from interpose.app.settings import Settings
from interpose.engine.ports import AuditChain
from interpose.model.connection import Connection
from interpose.model.errors import SecretError
from interpose.model.ids import ConnectionName
from interpose.secrets.sources import SecretSources
from interpose.secrets.vault import Vault, load_key


def open_vault(settings: Settings) -> Vault:
    """The encrypted store in the state folder; raises `SecretError` when no key is configured or it cannot be had."""
    if settings.secret_key is None:
        raise SecretError(
            "there is no key for the encrypted store",
            hint="set `secrets: {key: file:/path}` or `env:NAME` in the configuration",
        )
    return Vault(settings.state / "secrets.json", load_key(settings.secret_key, os.environ))


def open_secrets(
    settings: Settings, connections: Callable[[], Mapping[ConnectionName, Connection]], audit: AuditChain
) -> SecretSources:
    """All sources; the encrypted store is opened when the first connection needs it."""
    return SecretSources(connections, audit, os.environ, lambda: open_vault(settings))
