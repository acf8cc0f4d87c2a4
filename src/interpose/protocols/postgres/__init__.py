"""The PostgreSQL protocol, 3.0 and 3.2 by negotiation, sans-IO: login, dial, relay, cancel, catalog lookups and replay.

Sources are PostgreSQL's documentation (chapters "Frontend/Backend Protocol") and, where it is silent, the server's behaviour.
"""

from __future__ import annotations

from typing import Final

from interpose.analysis.sql import PostgresAnalyst
from interpose.protocols.contract import Abilities, ProtocolSpec
from interpose.protocols.postgres.cancel import PostgresCancel
from interpose.protocols.postgres.dial import PostgresDial, process_id
from interpose.protocols.postgres.login import PostgresLogin
from interpose.protocols.postgres.lookup import catalog_fingerprint, catalog_lookup, catalog_survey, table_sample
from interpose.protocols.postgres.options import PostgresOptions, TlsMode, parse_options
from interpose.protocols.postgres.refusals import said_message
from interpose.protocols.postgres.relay.relay import PostgresRelay
from interpose.protocols.postgres.replay import replay
from interpose.protocols.postgres.table import MESSAGE_TABLE

SPEC: Final = ProtocolSpec(
    name="postgres",
    abilities=Abilities(hold=True, mask=True, cancel=True, notices=True),
    message_table=MESSAGE_TABLE,
    default_port=5432,
    parse_options=parse_options,
    login=PostgresLogin,
    dial=PostgresDial,
    relay=PostgresRelay,
    cancel=PostgresCancel,
    lookup=catalog_lookup,
    fingerprint=catalog_fingerprint,
    survey=catalog_survey,
    sample=table_sample,
    replay=replay,
    analyst=PostgresAnalyst,
    session_name=process_id,
    say=said_message,
)
"""PostgreSQL."""

__all__ = ["SPEC", "PostgresOptions", "TlsMode"]
