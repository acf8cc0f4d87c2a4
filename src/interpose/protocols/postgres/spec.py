"""The PostgreSQL protocol put together: login, dial, relay, cancel, catalog lookups and replay, with all that they need."""

from __future__ import annotations

from typing import Final

from interpose.analysis.sql import PostgresAnalyst
from interpose.protocols.contract import ProtocolSpec
from interpose.protocols.postgres import OUTLINE
from interpose.protocols.postgres.cancel import PostgresCancel
from interpose.protocols.postgres.dial import PostgresDial, process_id
from interpose.protocols.postgres.login import PostgresLogin
from interpose.protocols.postgres.lookup import catalog_fingerprint, catalog_lookup, catalog_survey, table_sample
from interpose.protocols.postgres.refusals import said_message
from interpose.protocols.postgres.relay.relay import PostgresRelay
from interpose.protocols.postgres.replay import replay
from interpose.protocols.postgres.table import MESSAGE_TABLE

SPEC: Final = ProtocolSpec(
    name=OUTLINE.name,
    abilities=OUTLINE.abilities,
    default_port=OUTLINE.default_port,
    parse_options=OUTLINE.parse_options,
    analyst=PostgresAnalyst,
    message_table=MESSAGE_TABLE,
    login=PostgresLogin,
    dial=PostgresDial,
    relay=PostgresRelay,
    cancel=PostgresCancel,
    lookup=catalog_lookup,
    fingerprint=catalog_fingerprint,
    survey=catalog_survey,
    sample=table_sample,
    replay=replay,
    session_name=process_id,
    say=said_message,
)
"""PostgreSQL, whole."""
