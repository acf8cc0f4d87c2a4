"""PostgreSQL's own regression scripts, directly and through an allow-all gateway: psql's output must be the same bytes.

    python -m bench.regress [--source FOLDER] [--only NAME ...] [--major N]

`FOLDER` is an unpacked PostgreSQL source (for example from `apt-get source postgresql-15`); without it the Debian
source package is fetched (needs `deb-src` lines). Scripts run one after another in the order of `parallel_schedule`,
twice directly (what differs between those is not stable and is not compared) and once through the gateway.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.gateway import GatewayProcess
from tests.support.postgres import PostgresServer

PRINCIPALS = "principals:\n  - {name: postgres, kind: user, groups: [developers]}\n"


def main() -> None:
    """Run, print a line a script that differs, and leave the three outputs in a folder for looking at."""
    parser = argparse.ArgumentParser(prog="python -m bench.regress", description=__doc__)
    parser.add_argument("--source", type=Path, help="an unpacked PostgreSQL source")
    parser.add_argument("--only", nargs="*", default=[], help="these scripts only (test_setup always runs)")
    parser.add_argument("--major", type=int, default=15, choices=[14, 15, 16, 17, 18])
    parser.add_argument("--results", type=Path, default=None, help="where the outputs go")
    options = parser.parse_args()
    source = options.source or debian_source(options.major)
    regress = source / "src" / "test" / "regress"
    names = schedule(regress, options.only)
    results = options.results or Path(tempfile.mkdtemp(prefix="interpose-regress-"))
    for side in ("direct", "again", "gateway"):
        shutil.rmtree(results / side, ignore_errors=True)
        (results / side).mkdir(parents=True)
        _run(side, names, regress, results / side, options.major)
    _compare(names, results)


def debian_source(major: int) -> Path:
    """The unpacked Debian source package of a major."""
    folder = Path(tempfile.mkdtemp(prefix="interpose-pgsource-"))
    done = subprocess.run(
        ["apt-get", "source", "-q", f"postgresql-{major}"], cwd=folder, capture_output=True, text=True
    )
    sources = [path for path in folder.iterdir() if (path / "src" / "test" / "regress").is_dir()]
    if not sources:
        raise SystemExit(f"no source: give --source FOLDER, or add deb-src to apt's sources\n{done.stderr[-500:]}")
    return sources[0]


def schedule(regress: Path, only: list[str]) -> list[str]:
    """The names of the scripts in their order; with `only`, these and `test_setup`."""
    names: list[str] = []
    for line in (regress / "parallel_schedule").read_text().splitlines():
        if line.startswith("test:"):
            names += line.removeprefix("test:").split()
    wanted = [name for name in names if not only or name == "test_setup" or name in only]
    return [name for name in wanted if (regress / "sql" / f"{name}.sql").is_file()]


def _run(side: str, names: list[str], regress: Path, results: Path, major: int) -> None:
    with PostgresServer(major, tls="off", settings=_settings()) as server:
        server.psql("create database regression template template0 lc_collate 'C' lc_ctype 'C'")
        for setting in ("lc_messages to 'C'", "lc_monetary to 'C'", "timezone_abbreviations to 'Default'"):
            server.psql(f"alter database regression set {setting}")
        environment = _environment(regress, results, server)
        if side != "gateway":
            environment |= {"PGPORT": str(server.port), "PGPASSWORD": server.superuser_password}
            _scripts(names, regress, results, environment)
            return
        folder = Path(tempfile.mkdtemp(prefix="interpose-regress-gateway-"))
        upstream = {
            "protocol": "postgres",
            "address": f"127.0.0.1:{server.port}",
            "secret": "env:REGRESS_PASSWORD",
            "options": {"database": "regression", "user": "postgres", "tls": "insecure-plaintext"},
        }
        gateway = GatewayProcess(
            folder,
            {
                "regression": upstream,
                "postgres": {**upstream, "options": {**upstream["options"], "database": "postgres"}},
            },  # type: ignore[dict-item]
            principals=PRINCIPALS,
            environment={"REGRESS_PASSWORD": server.superuser_password},
        )
        try:
            gateway.start()
            environment |= {"PGPORT": str(gateway.port), "PGPASSWORD": gateway.token("postgres")}
            _scripts(names, regress, results, environment)
        finally:
            gateway.kill()
            shutil.copy(gateway.log, results / "gateway.log")
            shutil.rmtree(folder, ignore_errors=True)


def _settings() -> dict[str, str]:
    return {"max_connections": "100", "max_prepared_transactions": "2", "log_statement": "none"}


def _environment(regress: Path, results: Path, server: PostgresServer) -> dict[str, str]:
    return {
        **os.environ,
        "PGHOST": "127.0.0.1",
        "PGUSER": "postgres",
        "PGDATABASE": "regression",
        "PGSSLMODE": "disable",
        "PGTZ": "PST8PDT",
        "PGDATESTYLE": "Postgres, MDY",
        "PGOPTIONS": "-c intervalstyle=postgres_verbose",
        "PG_ABS_SRCDIR": str(regress),
        "PG_ABS_BUILDDIR": str(results),
        "PG_LIBDIR": str(server.bin.parent / "lib"),
        "PG_DLSUFFIX": ".so",
        "LC_ALL": "C",
    }


def _scripts(names: list[str], regress: Path, results: Path, environment: Mapping[str, str]) -> None:
    (results / "results").mkdir(exist_ok=True)
    for name in names:
        with (regress / "sql" / f"{name}.sql").open("rb") as script, (results / f"{name}.out").open("wb") as output:
            try:
                subprocess.run(
                    ["psql", "-X", "-a", "-q", "-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on"],
                    stdin=script,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=dict(environment),
                    timeout=300,
                    cwd=results,
                )
            except subprocess.TimeoutExpired:
                output.write(b"\n*** timed out after 300 s ***\n")
        print(".", end="", flush=True)
    print()


def _stable(text: str, results: Path) -> list[str]:
    """The output with this run's own folders and ports taken out."""
    text = re.sub(re.escape(str(results)) + r"/(direct|again|gateway)", "RESULTS", text)
    return re.sub(r"port \d+", "port N", text).splitlines()


def _compare(names: list[str], results: Path) -> None:
    same, unstable, different = 0, 0, []
    for name in names:
        direct, again, gateway = (
            _stable((results / side / f"{name}.out").read_text(errors="replace"), results)
            for side in ("direct", "again", "gateway")
        )
        if gateway in (direct, again):
            same += 1
            continue
        noise = {line[2:] for line in difflib.ndiff(direct, again) if line[:1] in "+-"} if direct != again else set()
        changes = [
            line
            for line in difflib.unified_diff(direct, gateway, "direct", "gateway", lineterm="", n=0)
            if line[:1] in "+-" and line[:3] not in ("+++", "---") and line[1:] not in noise
        ]
        if direct != again and len(changes) <= len(noise):
            unstable += 1
            print(f"~ {name}: differs between two direct runs as well")
            continue
        different.append(name)
        print(f"! {name}: {len(changes)} lines differ")
        for line in changes[:6]:
            print(f"      {line[:160]}")
    print(
        f"{same} of {len(names)} scripts byte-identical, {unstable} not stable by themselves, {len(different)} different"
    )
    print(f"outputs in {results}")


if __name__ == "__main__":
    main()
