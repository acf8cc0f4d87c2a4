"""Captures tools that are programs of their own: SQLAlchemy, Django, asyncpg, psycopg, Alembic, Rails, JDBC, and those of node.

`TOOLS_PYTHON` names an interpreter that has the Python ones, `TOOLS_NODE` a folder with `node_modules`; ruby-activerecord,
ruby-pg, libpostgresql-jdbc-java and a JDK are Debian's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.corpus.tools.capture.stage import Stage, distinct, stage, write

_HERE: Final = Path(__file__).parent / "programs"
_PYTHON: Final = os.environ.get("TOOLS_PYTHON", sys.executable)
_JDBC: Final = ["java", "-cp", "/usr/share/java/postgresql.jar", "Jdbc.java"]

PROGRAMS: Final[dict[str, tuple[str, str, Sequence[str], str]]] = {
    "sqlalchemy/psycopg": ("developers", "sqlalchemy", [_PYTHON, "sqlalchemy_tool.py", "psycopg"], "pip"),
    "sqlalchemy/psycopg2": ("developers", "sqlalchemy", [_PYTHON, "sqlalchemy_tool.py", "psycopg2"], "pip"),
    "django/work": ("developers", "django", [_PYTHON, "django_tool.py", "work"], "pip"),
    "django/migrate": ("dba", "django", [_PYTHON, "django_tool.py", "migrate"], "pip"),
    "alembic/upgrade": ("dba", "alembic", [_PYTHON, "alembic_tool.py"], "pip"),
    "psycopg/work": ("developers", "psycopg", [_PYTHON, "psycopg_tool.py"], "pip"),
    "asyncpg/work": ("developers", "asyncpg", [_PYTHON, "asyncpg_tool.py"], "pip"),
    "rails/work": ("developers", "ruby-activerecord", ["ruby", "rails_tool.rb", "work"], "dpkg"),
    "rails/simple": ("developers", "ruby-activerecord", ["ruby", "rails_tool.rb", "simple"], "dpkg"),
    "rails/migrate": ("dba", "ruby-activerecord", ["ruby", "rails_tool.rb", "migrate"], "dpkg"),
    "jdbc/work": ("developers", "libpostgresql-jdbc-java", _JDBC, "dpkg"),
    "node/pg": ("developers", "pg", ["node", "node_tool.cjs", "pg"], "npm"),
    "node/knex": ("developers", "knex", ["node", "node_tool.cjs", "knex"], "npm"),
    "node/sequelize": ("developers", "sequelize", ["node", "node_tool.cjs", "sequelize"], "npm"),
    "node/typeorm": ("developers", "typeorm", ["node", "node_tool.cjs", "typeorm"], "npm"),
    "node/drizzle": ("developers", "drizzle-kit", ["node", "node_tool.cjs", "drizzle"], "npm"),
}
"""File of the corpus: as whom it is replayed, the package, the command, and what knows the package's version."""


def _version(package: str, source: str) -> str:
    if source == "pip":
        code = f"import importlib.metadata; print(importlib.metadata.version({package!r}))"
        command = [_PYTHON, "-c", code]
    elif source == "npm":
        command = [
            "node",
            "-p",
            f"require('{os.environ.get('TOOLS_NODE', '.')}/node_modules/{package}/package.json').version",
        ]
    else:
        command = ["dpkg-query", "-W", "-f", "${Version}", package]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _capture(at: Stage, name: str) -> None:
    group, package, command, source = PROGRAMS[name]
    environment = at.environment
    environment.pop("PGSSLMODE")
    done = subprocess.run(command, cwd=_HERE, env=environment, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        print(f"{name} ended with {done.returncode}:\n{done.stdout[-1500:]}{done.stderr[-3000:]}", file=sys.stderr)
    header = {
        "tool": f"{package} {_version(package, source)}",
        "server": "17",
        "as": group,
        "captured": f"capture/programs/{Path(command[1] if source != 'dpkg' or command[0] == 'ruby' else command[-1]).name} against PostgreSQL 17, from the server's log",
    }
    write(f"{name}.sql", header, distinct(at.taken(), set()))


def main() -> None:
    """Each on a fresh server: what one wrote another should not meet."""
    for name in [name for name in PROGRAMS if not sys.argv[1:] or any(word in name for word in sys.argv[1:])]:
        with stage(17) as at:
            _capture(at, name)


if __name__ == "__main__":
    main()
