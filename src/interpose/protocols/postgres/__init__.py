"""The PostgreSQL protocol, 3.0 and 3.2 by negotiation, sans-IO: login, dial, relay, cancel, catalog lookups and replay.

Sources are PostgreSQL's documentation (chapters "Frontend/Backend Protocol") and, where it is silent, the server's behaviour.
This module loads neither the SQL grammar nor cryptography, so that whatever only reads the configuration waits for neither;
`spec` has the whole protocol.
"""

from __future__ import annotations

from typing import Final

from interpose.protocols.contract import Abilities, Analyst, ProtocolOutline
from interpose.protocols.postgres.options import PostgresOptions, TlsMode, parse_options


def _analyst() -> Analyst:
    from interpose.analysis.sql import PostgresAnalyst

    return PostgresAnalyst()


OUTLINE: Final = ProtocolOutline(
    name="postgres",
    abilities=Abilities(hold=True, mask=True, cancel=True, notices=True),
    default_port=5432,
    parse_options=parse_options,
    analyst=_analyst,
)
"""PostgreSQL, as far as configuration and policy need it."""

__all__ = ["OUTLINE", "PostgresOptions", "TlsMode"]
