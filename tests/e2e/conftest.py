"""One gateway that all end-to-end tests share; tests that break or reload theirs make their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.postgres import PostgresServer
from tests.support.scene import Scene


@pytest.fixture(scope="session")
def scene(postgres: PostgresServer) -> Iterator[Scene]:
    """The shared scene: leave configuration and policy alone, and restore the rows that you change."""
    with Scene(postgres) as made:
        yield made
        assert made.gateway.stop() == 0, made.gateway.log.read_text()[-4000:]
        assert "internal_error" not in made.gateway.log.read_text()
