"""Running a policy's own tests, and explaining a command, without an upstream: the catalog is what the test files declare.

A function that is not declared counts as one of PostgreSQL's own: the tests have no upstream to ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from interpose.app.protocols import SPOKEN
from interpose.identity.principals import Principals
from interpose.model.analysis import Analysis, NeedsCatalog, Unanalysable
from interpose.model.catalog import Behind, CatalogColumn, Lookup, Relation, Routine
from interpose.model.command import Command, CommandKind, HostContext, SqlContext
from interpose.model.connection import Connection
from interpose.model.errors import ConfigurationError, Problem
from interpose.model.refusal import Refusal
from interpose.policy.bundle import PolicyBundle
from interpose.policy.cases import CaseConnection, CaseFile, read_cases
from interpose.policy.testing import CaseResult, run_cases
from interpose.protocols.contract import BridgeSpec

_TEXT_OID = 25
_SERVER_VERSION = 17


class DeclaredCatalog:
    """A catalog view over what a test file declares. Every column is of type text; there are no views."""

    version = 0

    def __init__(self, declared: CaseConnection) -> None:
        """Tables get made-up oids in the order of their names."""
        self._relations = {
            name: Relation(
                oid,
                name[0],
                name[1],
                "table",
                tuple(CatalogColumn(column, number, _TEXT_OID) for number, column in enumerate(columns, 1)),
            )
            for oid, (name, columns) in enumerate(sorted(declared.tables.items()), 16384)
        }
        self._functions = declared.functions

    def relation(self, schema: str | None, name: str, path: tuple[str, ...]) -> Relation | Lookup:
        """The declared table of this name."""
        for candidate in (schema,) if schema is not None else path:
            found = self._relations.get((candidate, name))
            if found is not None:
                return found
        return Lookup.NOT_FOUND

    def relation_by_oid(self, oid: int) -> Relation | Lookup:
        """The declared table with this made-up oid."""
        for relation in self._relations.values():
            if relation.oid == oid:
                return relation
        return Lookup.NOT_FOUND

    def routine(self, schema: str | None, name: str, path: tuple[str, ...]) -> Routine | Lookup:
        """A declared function, else one of PostgreSQL's own."""
        for candidate in (schema,) if schema is not None else path:
            if (candidate, name) in self._functions:
                return Routine(candidate, name, frozenset("f"), "v", False, frozenset({"plpgsql"}), False)
        if schema in (None, "pg_catalog"):
            # The grammar comes with it: a policy folder without tests is checked without.
            from interpose.analysis.sql.reviewed import builtin

            return builtin(name)
        return Lookup.NOT_FOUND

    def behind(
        self, kind: Behind, schema: str | None, name: str, path: tuple[str, ...]
    ) -> tuple[Routine, ...] | Lookup:
        """No operator or cast is anybody's but PostgreSQL's own."""
        return ()

    def schema(self, name: str, role: str = "") -> bool | Lookup:
        """Every schema exists: the test files name the path."""
        return True


def analyse(on: CaseConnection, asked: str | Command) -> Analysis | Refusal:
    """What a command would do on a declared connection, or why it is refused before policy is asked.

    A text for a host is a command line.
    """
    spec = SPOKEN.get(on.connection.protocol)
    if spec is None:
        return Refusal("unknown_protocol", f"there is no protocol `{on.connection.protocol}`")
    if isinstance(spec, BridgeSpec):
        command = Command(CommandKind.EXEC, asked, on.host) if isinstance(asked, str) else _on_host(asked, on.host)
    elif isinstance(asked, str):
        command = Command(CommandKind.QUERY, asked, SqlContext(("pg_catalog", *on.path), _SERVER_VERSION))
    else:
        return Refusal("wrong_protocol", f"`{on.connection.name}` is no host", "write `command:` for SQL")
    found = spec.analyst().analyse(command, DeclaredCatalog(on))
    if isinstance(found, Unanalysable):
        return Refusal(found.reason, found.message, found.hint, position=found.position)
    if isinstance(found, NeedsCatalog):
        return Refusal("needs_catalog", "the command names things that only the upstream knows")
    return found


def _on_host(command: Command, host: HostContext) -> Command:
    """The command with the account and folders of the connection, and its own request."""
    request = command.context.request if isinstance(command.context, HostContext) else None
    return replace(command, context=replace(host, request=request))


@dataclass(frozen=True, slots=True)
class PolicyTestReport:
    """What came of a policy's tests; a failed case is a problem with its file and line."""

    results: tuple[CaseResult, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """How many cases came out as expected."""
        return sum(result.passed for result in self.results)


def run_policy_tests(
    policy: PolicyBundle, files: Mapping[str, str], principals: Principals, connections: Sequence[Connection]
) -> PolicyTestReport:
    """Run `tests/*.yaml`; faults of the test files themselves are problems as well."""
    try:
        cases = read_cases(files)
    except ConfigurationError as error:
        return PolicyTestReport(problems=list(error.problems))
    results = run_cases(policy, cases, principals.find, {each.name: each for each in connections}, analyse)
    problems = [
        Problem(
            f"policy test `{result.case.name}` failed: {'; '.join(result.differences)}",
            file=result.case.file,
            line=result.case.line,
            hint="see `interpose policy test`",
        )
        for result in results
        if not result.passed
    ]
    return PolicyTestReport(results, problems)


def declared_connection(files: Sequence[CaseFile], connection: Connection) -> CaseConnection:
    """The configured connection with every table and function that any test file declares for its name."""
    tables: dict[tuple[str, str], tuple[str, ...]] = {}
    functions: set[tuple[str, str]] = set()
    path: tuple[str, ...] = ("public",)
    host = HostContext("")
    for file in files:
        declared = file.connections.get(connection.name)
        if declared is not None:
            tables.update(declared.tables)
            functions |= declared.functions
            path = declared.path
            host = declared.host
    return CaseConnection(connection, path, tables, frozenset(functions), host)
