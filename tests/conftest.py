"""Fixtures for every test: a real PostgreSQL, a fresh database, and guards that make silent mistakes loud."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import HealthCheck, settings

from tests.support.database import Database
from tests.support.postgres import PostgresServer
from tests.support.postgres_binaries import DEFAULT_MAJOR, MAJORS, Major

_HERE: Final = Path(__file__).parent
_NUMBERS: Final = itertools.count(1)

# As in ./dev: programs that tests start find what Python compiled, however pytest itself was started.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(sys.prefix) / "pycache"))

# Who starts the tests in the background of a script has Ctrl-C ignored, and with it every client that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A deadline is a timed assertion: it fails on a busy machine and says nothing about the code.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", deadline=None, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--postgres-major` and `--all-majors`."""
    parser.addoption(
        "--postgres-major",
        type=int,
        choices=MAJORS,
        default=DEFAULT_MAJOR,
        help="which PostgreSQL the fixture `postgres` starts",
    )
    parser.addoption(
        "--all-majors",
        action="store_true",
        help="replay what tools send on every PostgreSQL in full, not on the one of --postgres-major only",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What lies in tests/live and tests/e2e carries the marker of its folder."""
    for item in items:
        for folder in ("live", "e2e"):
            if item.path.is_relative_to(_HERE / folder):
                item.add_marker(folder)


@pytest.fixture(autouse=True)
def _no_blocking_calls_in_the_loop() -> Iterator[None]:
    """A blocking call that `interpose` makes inside a running event loop raises `BlockingError`."""
    with blockbuster_ctx("interpose") as guard:
        # The record reaches the operating system before a command is sent: written in the loop, by design.
        for name in ("os.write", "os.link", "os.unlink"):
            guard.functions[name].can_block_in("interpose/store/files/chain.py", {"append"})
            guard.functions[name].can_block_in("interpose/store/files/recordings.py", {"open"})
            guard.functions[name].can_block_in(
                "interpose/store/files/recorder.py", {"command", "delivered", "note", "ended", "close"}
            )
        yield


@pytest.fixture(scope="session")
def postgres_major(request: pytest.FixtureRequest) -> Major:
    """The major that was asked for on the command line."""
    return cast(Major, request.config.getoption("--postgres-major"))


@pytest.fixture(scope="session")
def postgres(postgres_major: Major) -> Iterator[PostgresServer]:
    """A running server with TLS and SCRAM, shared by the session: make databases and roles, change no settings."""
    with PostgresServer(postgres_major) as server:
        yield server


@pytest.fixture
def fresh_database(postgres: PostgresServer) -> Iterator[Database]:
    """A new, empty database on the shared server; dropped afterwards, with the connections to it."""
    database = Database(postgres, f"test_{os.getpid()}_{next(_NUMBERS)}")
    postgres.create_database(database.name)
    yield database
    postgres.drop_database(database.name)
