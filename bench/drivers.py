"""The test suites of asyncpg and psycopg 3, directly and through an allow-all gateway: every outcome must be the same.

    python -m bench.drivers --suite asyncpg --source FOLDER [--python PYTHON] [-- PYTEST ARGUMENTS]
    python -m bench.drivers --suite psycopg --source FOLDER [--python PYTHON]

`FOLDER` is an unpacked source with its `tests`; `PYTHON` an interpreter that has the driver and the suite's own
requirements (docs/explanation/driver-suites.md). Both sides have a fresh PostgreSQL of the same kind with a superuser
`postgres`. Tests whose outcome differs run again alone on both sides; those that then agree are called unstable.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from tests.support.gateway import GatewayProcess
from tests.support.postgres import PostgresServer
from tests.support.postgres_binaries import Major

PRINCIPALS = "principals:\n  - {name: postgres, kind: user, groups: [developers]}\n"
SUITES = {"asyncpg": ("tests",), "psycopg": ("tests", "tools", "pyproject.toml")}
"""What is copied of each source: never the driver itself, or it would shadow the installed one."""
DATABASES = {"asyncpg": ("postgres", "testdb", "asyncpg_intro_test"), "psycopg": ("postgres",)}
"""What each suite connects to, some of it made by the suite itself: one connection of the gateway for each."""
_RUN_AT_MOST = 3600
_SETTINGS = {"max_prepared_transactions": "10", "log_statement": "none", "jit": "off", "wal_level": "logical"}


@dataclass(frozen=True, slots=True)
class Side:
    """One way to a database: its name, port and the password that opens it."""

    name: str
    port: int
    password: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one test, and the first line of why."""

    outcome: str
    why: str

    @property
    def bad(self) -> bool:
        """Whether a developer would call it broken."""
        return self.outcome in ("failed", "error", "missing")


MISSING = Outcome("missing", "the run ended before this test")


def main() -> None:
    """Run both sides, then again what differs, and print every difference with its first line."""
    parser = argparse.ArgumentParser(prog="python -m bench.drivers", description=__doc__)
    parser.add_argument("--suite", required=True, choices=sorted(SUITES))
    parser.add_argument("--source", required=True, type=Path, help="an unpacked source of the driver")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with the driver and its test extras")
    parser.add_argument("--major", type=int, default=17, choices=get_args(Major))
    parser.add_argument("--timeout", type=int, default=60, help="seconds that one test may take (pytest-timeout)")
    parser.add_argument("--results", type=Path, default=None, help="where outcomes and logs go")
    parser.add_argument("arguments", nargs="*", help="arguments for pytest, instead of the whole suite")
    options = parser.parse_args()
    results = options.results or Path(tempfile.mkdtemp(prefix="interpose-drivers-"))
    results.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        sides = [
            stack.enter_context(_direct(options.major)),
            stack.enter_context(_gateway(options.major, DATABASES[options.suite], results)),
        ]
        suite = Suite(options.suite, options.source, options.python, options.timeout, results)
        first = [suite.run(side, "first", options.arguments or ["tests"]) for side in sides]
        suspects = _differing(*first)
        again = first
        if suspects:
            again = [suite.run(side, "again", suspects) for side in sides]
    _report(first, again, suspects, results)


@contextmanager
def _direct(major: Major) -> Iterator[Side]:
    with PostgresServer(major, tls="off", settings=_SETTINGS) as server:
        yield Side("direct", server.port, server.superuser_password)


@contextmanager
def _gateway(major: Major, databases: Sequence[str], results: Path) -> Iterator[Side]:
    folder = Path(tempfile.mkdtemp(prefix="interpose-drivers-gateway-"))
    with PostgresServer(major, tls="off", settings=_SETTINGS) as server:
        connection = {
            "protocol": "postgres",
            "address": f"127.0.0.1:{server.port}",
            "secret": "env:DRIVERS_PASSWORD",
        }
        login = {"user": "postgres", "tls": "insecure-plaintext"}
        gateway = GatewayProcess(
            folder,
            {name: {**connection, "options": {**login, "database": name}} for name in databases},
            principals=PRINCIPALS,
            environment={"DRIVERS_PASSWORD": server.superuser_password},
        )
        try:
            gateway.start()
            yield Side("gateway", gateway.port, gateway.token("postgres"))
        finally:
            gateway.kill()
            shutil.copy(gateway.log, results / "gateway.log")
            shutil.copy(server.log_path, results / "upstream.log")
            shutil.rmtree(folder, ignore_errors=True)


class Suite:
    """A foreign suite that runs under its own interpreter against any side."""

    def __init__(self, name: str, source: Path, python: str, timeout: int, results: Path) -> None:
        """`timeout` is for one test, in seconds."""
        self._name = name
        self._source = source
        self._python = shutil.which(python) or python
        self._timeout = timeout
        self._results = results

    def run(self, side: Side, turn: str, arguments: Sequence[str]) -> Mapping[str, Outcome]:
        """The outcome of every test by its node id; the terminal's text stays in the results folder."""
        file = self._results / f"{self._name}-{side.name}-{turn}.jsonl"
        file.unlink(missing_ok=True)
        began = time.monotonic()
        folder = Path(tempfile.mkdtemp(prefix=f"interpose-{self._name}-"))
        try:
            for part in SUITES[self._name]:
                origin = self._source / part
                (shutil.copytree if origin.is_dir() else shutil.copy)(origin, folder / part)
            (folder / "plugins").mkdir()
            shutil.copy(Path(__file__).with_name("outcomes.py"), folder / "plugins" / "outcomes.py")
            command = [self._python, "-m", "pytest", "-p", "outcomes", "-p", "no:randomly"]
            command += ["-q", "--tb=native", f"--timeout={self._timeout}", "-rfE", *self._options(side), *arguments]
            with file.with_suffix(".log").open("wb") as log:
                done = subprocess.run(
                    command,
                    cwd=folder,
                    env=self._environment(side, folder, file),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=_RUN_AT_MOST,
                )
            if done.returncode > 1:  # neither all passed nor some failed: the suite itself did not work
                print(f"{self._name} {side.name}: pytest ended with {done.returncode}, see {log.name}")
        except subprocess.TimeoutExpired:
            print(f"{self._name} {side.name}: ended after {_RUN_AT_MOST} s")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        found: dict[str, Outcome] = {}
        for line in file.read_text().splitlines() if file.exists() else []:
            entry = json.loads(line)
            found[entry["test"]] = Outcome(entry["outcome"], entry["why"])
        counts = ", ".join(f"{count} {name}" for name, count in sorted(_counts(found).items()))
        print(f"{self._name} {turn} {side.name}: {counts} in {time.monotonic() - began:.0f} s", flush=True)
        return found

    def _options(self, side: Side) -> list[str]:
        if self._name == "asyncpg":
            return []
        dsn = f"host=127.0.0.1 port={side.port} user=postgres dbname=postgres password={side.password} sslmode=disable"
        return ["-p", "no:cov", f"--test-dsn={dsn}"]

    def _environment(self, side: Side, folder: Path, file: Path) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "PYTHON", "PYTEST"))}
        environment = {
            **clean,
            "PATH": f"{Path(self._python).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(folder / "plugins"),
            "OUTCOMES_FILE": str(file),
            "PGPASSWORD": side.password,
            "LC_ALL": "C.UTF-8",
        }
        if self._name == "asyncpg":
            environment |= {
                "PGHOST": "127.0.0.1",
                "PGPORT": str(side.port),
                "PGUSER": "postgres",
                "PGDATABASE": "postgres",
            }
        return environment


def _counts(found: Mapping[str, Outcome]) -> Counter[str]:
    return Counter(outcome.outcome for outcome in found.values())


def _differing(direct: Mapping[str, Outcome], gateway: Mapping[str, Outcome]) -> list[str]:
    names = dict.fromkeys([*direct, *gateway])
    return [name for name in names if direct.get(name, MISSING).outcome != gateway.get(name, MISSING).outcome]


def _report(
    first: Sequence[Mapping[str, Outcome]],
    again: Sequence[Mapping[str, Outcome]],
    suspects: Sequence[str],
    results: Path,
) -> None:
    worse = better = unstable = 0
    for name in suspects:
        direct, gateway = (side.get(name, MISSING) for side in again)
        if direct.outcome == gateway.outcome:
            unstable += 1
            was = " against ".join(side.get(name, MISSING).outcome for side in first)
            print(f"~ {name}: {was} at first, {direct.outcome} on both sides when run again")
            continue
        worse += gateway.bad and not direct.bad
        better += not gateway.bad
        print(f"! {name}: directly {direct.outcome}, through the gateway {gateway.outcome}")
        print(f"      {(gateway if gateway.why else direct).why}")
    total = len(dict.fromkeys([*first[0], *first[1]]))
    print(
        f"{total} tests: {total - len(suspects)} with the same outcome, {unstable} unstable, "
        f"{worse} fail only through the gateway, {better} differ otherwise"
    )
    print(f"outcomes and logs in {results}")


if __name__ == "__main__":
    main()
