"""Policy tests as written: `tests/*.yaml` read strictly into cases.

connections:                       # optional: what the cases run on when it is not the gateway's own configuration
  orders-prod:
    labels: {env: prod}
    path: [public]                 # search path, `public` when left out
    tables: {public.customers: [id, name, email]}
    functions: [public.refund]     # user-defined functions
  web-1:
    protocol: ssh
    user: deploy                   # the account on the host, and where it works; unknown when left out
    home: /home/deploy
    cwd: /srv/app
cases:
  - name: support reads e-mail addresses masked
    principal: alice               # by name, or inline: {name: x, kind: user, groups: [support], attributes: {}}
    connection: orders-prod
    command: select email from customers       # or, on a host, `exec`, `file`, `forward` … as in `host_cases`
    expect: permit                 # permit, forbid or hold
    policies: [support-reads]      # the policies that decide, all of them; each of the following is optional
    code: forbidden                # the machine word of a refusal
    approvers: [dba]               # who can lift a hold
    approved: [writes-are-held]    # judge as if these forbids had been lifted
    observed: [new-rule]           # policies that would have changed something but only observe
    effects: [select column public.customers.email]    # these effects, and perhaps more
    masks: {public.customers.email: partial-email}     # hidden columns and how, and perhaps more
    content: {pci.card: redact}    # hidden where a detector finds it
    clear: [public.customers.id]   # columns that are shown
    max_rows: 100                  # the cap on rows
    facts: {source_ip: 10.0.0.7, mfa: true, amr: [pwd, otp], auth_age: 600}   # of the session
    now: "2026-01-31T10:00:00Z"    # the moment of judgement; 2026-01-01 noon UTC when left out
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from interpose.model.analysis import FactValue
from interpose.model.command import Command, HostContext
from interpose.model.connection import Address, Connection
from interpose.model.errors import ConfigurationError, Problem
from interpose.model.ids import ConnectionName, DataClassName, PolicyId
from interpose.model.paths import is_canonical
from interpose.model.principal import AttributeValue, Principal, PrincipalKind
from interpose.model.resources import ColumnResource
from interpose.policy.classifications import parse_column
from interpose.policy.facts import AUTH_TIME, SESSION_FACTS, CedarType
from interpose.policy.host_cases import host_command
from interpose.policy.yaml_text import Node, nearest, read_yaml

EXPECTATIONS = ("permit", "forbid", "hold")
"""What a case may expect."""

_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class CaseConnection:
    """A connection that a test file declares, with as much of a catalog as its cases need; for one of SSH, the account."""

    connection: Connection
    path: tuple[str, ...] = ("public",)
    tables: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict, hash=False)
    functions: frozenset[tuple[str, str]] = frozenset()
    host: HostContext = HostContext("")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a case expects; None where it does not say."""

    decision: str
    policies: frozenset[PolicyId] | None = None
    code: str | None = None
    approvers: frozenset[str] | None = None
    observed: frozenset[PolicyId] | None = None
    effects: tuple[str, ...] = ()
    masks: Mapping[ColumnResource, str] = field(default_factory=dict, hash=False)
    content: Mapping[DataClassName, str] = field(default_factory=dict, hash=False)
    clear: tuple[ColumnResource, ...] = ()
    max_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `principal` is a name to be looked up, or the principal itself. `now` is seconds since the epoch.

    `command` is a text in the language of its connection, or what is asked of a host (without its account).
    """

    name: str
    file: str
    line: int
    principal: str | Principal
    connection: str
    command: str | Command
    expect: Expectation
    facts: Mapping[str, FactValue] = field(default_factory=dict, hash=False)
    now: float = _NOON
    approved: frozenset[PolicyId] = frozenset()


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One test file: its cases, and the connections that it declares by name."""

    file: str
    cases: tuple[Case, ...]
    connections: Mapping[str, CaseConnection] = field(default_factory=dict, hash=False)


def read_cases(files: Mapping[str, str]) -> tuple[CaseFile, ...]:
    """Every `tests/*.yaml` of a policy folder's contents; raises `ConfigurationError` with every problem."""
    problems: list[Problem] = []
    read = []
    for file in sorted(files):
        if file.startswith("tests/") and file.endswith((".yaml", ".yml")):
            top = read_yaml(files[file], file, problems)
            declared = _connections(top.node("connections"))
            cases = tuple(_case(node) for node in top.nodes("cases"))
            top.finish()
            read.append(CaseFile(file, cases, declared))
    if problems:
        count = len(problems)
        raise ConfigurationError(
            f"the policy tests have {count} problem{'s' if count > 1 else ''}", problems=tuple(problems)
        )
    return tuple(read)


def _connections(node: Node) -> dict[str, CaseConnection]:
    declared: dict[str, CaseConnection] = {}
    for name in node.names():
        inner = node.node(name)
        labels = {key: str(value) for key, value in inner.pairs("labels").items()}
        protocol = inner.text("protocol", "postgres")
        connection = Connection(ConnectionName(name), protocol, Address("test", 1), "", None, labels)
        tables: dict[tuple[str, str], tuple[str, ...]] = {}
        listed = inner.node("tables")
        for table in listed.names():
            tables[_pair(listed, table, table)] = listed.texts(table)
        functions = frozenset(_pair(inner, "functions", each) for each in inner.texts("functions"))
        path = inner.texts("path") or ("public",)
        host = HostContext(inner.text("user", ""), _folder(inner, "home"), _folder(inner, "cwd"))
        inner.finish()
        declared[name] = CaseConnection(connection, path, tables, functions, host)
    return declared


def _folder(node: Node, key: str) -> str:
    path = node.text(key, "")
    if path and not is_canonical(path):
        node.problem(key, f"`{path}` is no absolute path", "write it like `/home/deploy`")
        return ""
    return path


def _pair(node: Node, key: str, text: str) -> tuple[str, str]:
    schema, _, name = text.partition(".")
    if not schema or not name:
        node.problem(key, f"`{text}` needs its schema", f"write `public.{text}`")
    return schema, name


def _case(node: Node) -> Case:
    now = _moment(node)
    asked = host_command(node)
    case = Case(
        name=node.text("name"),
        file=node.file,
        line=node.line,
        principal=_principal(node),
        connection=node.text("connection"),
        command=node.text("command") if asked is None else asked,
        expect=_expectation(node),
        facts=_facts(node, now),
        now=now,
        approved=frozenset(PolicyId(each) for each in node.texts("approved")),
    )
    node.finish()
    return case


def _principal(node: Node) -> str | Principal:
    value = node.take("principal")
    if isinstance(value, str):
        return str(value)
    if value is None:
        node.problem("principal", f"`{node.name('principal')}` is missing", "name one, or write it inline")
        return ""
    inner = node.node("principal")
    kinds = {kind.name.lower(): kind for kind in PrincipalKind}
    word = inner.text("kind", "user")
    if word not in kinds:
        inner.problem("kind", f"unknown kind of principal `{word}`", nearest(word, kinds))
    attributes: dict[str, AttributeValue] = {
        name: value for name, value in inner.pairs("attributes").items() if isinstance(value, (str, int, bool, tuple))
    }
    principal = Principal(
        kinds.get(word, PrincipalKind.USER),
        inner.text("name"),
        frozenset(inner.texts("groups")),
        attributes,
        inner.text("acting_for", "") or None,
        inner.text("task", "") or None,
    )
    inner.finish()
    return principal


def _expectation(node: Node) -> Expectation:
    word = node.text("expect")
    if word and word not in EXPECTATIONS:
        node.problem("expect", f"`expect` cannot be `{word}`", nearest(word, EXPECTATIONS))
    masks = node.node("masks")
    content = node.node("content")
    clear = [_column(node, "clear", each) for each in node.texts("clear")]
    return Expectation(
        decision=word,
        policies=_ids(node, "policies"),
        code=node.text("code", "") or None,
        approvers=frozenset(node.texts("approvers")) if "approvers" in node else None,
        observed=_ids(node, "observed"),
        effects=node.texts("effects"),
        masks={
            column: masks.text(name) for name in masks.names() if (column := _column(masks, name, name)) is not None
        },
        content={DataClassName(name): content.text(name) for name in content.names()},
        clear=tuple(column for column in clear if column is not None),
        max_rows=node.whole("max_rows"),
    )


def _ids(node: Node, key: str) -> frozenset[PolicyId] | None:
    given = node.texts(key)
    return frozenset(PolicyId(each) for each in given) if key in node else None


def _column(node: Node, key: str, text: str) -> ColumnResource | None:
    column = parse_column(text)
    if column is None:
        node.problem(key, f"`{text}` is no column", "write `schema.table.column`")
    return column


def _facts(node: Node, now: float) -> dict[str, FactValue]:
    inner = node.node("facts")
    known = {fact.name: fact.type for fact in SESSION_FACTS if fact.name not in ("now", "agent", "acting_for", "task")}
    facts: dict[str, FactValue] = {}
    for name in inner.names():
        if name not in known:
            inner.problem(name, f"unknown fact `{name}` of a session", nearest(name, known))
            inner.take(name)
        elif name == "auth_age":
            facts[AUTH_TIME] = int(now) - (inner.whole(name) or 0)
        elif known[name] is CedarType.STRINGS:
            facts[name] = inner.texts(name)
        elif known[name] is CedarType.BOOL:
            value = inner.take(name)
            if not isinstance(value, bool):
                inner.problem(name, f"`{inner.name(name)}` must be true or false")
            facts[name] = value is True
        else:
            facts[name] = inner.text(name)
    return facts


def _moment(node: Node) -> float:
    text = node.text("now", "")
    if not text:
        return _NOON
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        node.problem("now", f"`{text}` is no moment", 'write `"2026-01-31T10:00:00Z"`')
        return _NOON
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
