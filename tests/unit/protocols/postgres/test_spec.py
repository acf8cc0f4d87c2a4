"""The whole protocol says of itself what its outline says."""

from __future__ import annotations

import dataclasses

from interpose.analysis.sql import PostgresAnalyst
from interpose.protocols.contract import ProtocolOutline
from interpose.protocols.postgres import OUTLINE
from interpose.protocols.postgres.spec import SPEC


def test_the_whole_is_what_the_outline_says() -> None:
    shared = {field.name for field in dataclasses.fields(ProtocolOutline)} - {"analyst"}
    assert {name: getattr(SPEC, name) for name in shared} == {name: getattr(OUTLINE, name) for name in shared}


def test_both_analyse_with_the_same() -> None:
    assert isinstance(OUTLINE.analyst(), PostgresAnalyst)
    assert SPEC.analyst is PostgresAnalyst
