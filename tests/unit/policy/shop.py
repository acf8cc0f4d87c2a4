"""A small shop for the tests of policy: a connection, people, and the shortest way to a bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interpose.model.actions import Action
from interpose.model.analysis import Effect, FactValue
from interpose.model.connection import Address, Connection
from interpose.model.decisions import Decision
from interpose.model.errors import ConfigurationError
from interpose.model.ids import ConnectionName, DataClassName, PolicyId
from interpose.model.principal import Principal, PrincipalKind
from interpose.model.resources import ColumnResource, TableResource
from interpose.policy.annotations import MaskVocabulary
from interpose.policy.bundle import PolicyBundle
from interpose.policy.load import Surroundings, load_policy

RANKS = {"null": 100, "redact": 90, "hash": 70, "partial-email": 40, "last": 30}
NOW = 1_767_268_800.0
"""2026-01-01 12:00 UTC."""


def check_transform(text: str) -> None:
    """What masking does with the text of a `@mask`."""
    if text.partition(":")[0] not in RANKS:
        raise ConfigurationError(f"there is no transform `{text}`", hint="did you mean `redact`?")


def strictest_transform(texts: Sequence[str]) -> str:
    """What masking does with several."""
    return max(texts, key=lambda text: (RANKS.get(text.partition(":")[0], 0), -int(text.partition(":")[2] or 0)))


MASKS = MaskVocabulary(strictest_transform, check_transform)


def connection(name: str = "orders-prod", **labels: str) -> Connection:
    """A connection with labels, `env=prod` when none are given."""
    return Connection(ConnectionName(name), "postgres", Address("db", 5432), "env:X", None, labels or {"env": "prod"})


PROD = connection()
ALICE = Principal(PrincipalKind.USER, "alice", frozenset({"support"}))
BOT = Principal(PrincipalKind.AGENT, "bot", frozenset({"agents"}), acting_for="alice")
CUSTOMERS = TableResource("public", "customers")
EMAIL = ColumnResource("public", "customers", "email")
WHERE: Mapping[str, FactValue] = {"has_where": True, "where_constant": False}

CONNECT = '@id("connect") permit (principal, action == Action::"connect", resource);\n'
PERMIT = '@id("all") permit (principal, action in Action::"any_command", resource);\n'


def surroundings(**changes: object) -> Surroundings:
    """Surroundings with a small mask vocabulary; connections are not known unless given."""
    return Surroundings(
        MASKS,
        frozenset(DataClassName(name) for name in changes.get("detectors", ())),  # type: ignore[attr-defined]
        changes.get("connections"),  # type: ignore[arg-type]
    )


def bundle(policies: str, classifications: str = "", attributes: str = "", **changes: object) -> PolicyBundle:
    """The bundle of one Cedar text."""
    files = {"policy.cedar": policies}
    if classifications:
        files["classifications.yaml"] = classifications
    if attributes:
        files["attributes.yaml"] = attributes
    return load_policy(files, surroundings(**changes))


def problems(policies: str, classifications: str = "", **changes: object) -> list[str]:
    """What loading complains about, as text; empty when it loads."""
    try:
        bundle(policies, classifications, **changes)
    except ConfigurationError as error:
        return [str(problem) for problem in error.problems]
    return []


def effect(action: Action, resource: object = CUSTOMERS, **facts: FactValue) -> Effect:
    """An effect; UPDATE and DELETE get a WHERE unless facts say otherwise."""
    needed = WHERE if action in (Action.UPDATE, Action.DELETE) else {}
    return Effect(action, resource, {**needed, **facts})  # type: ignore[arg-type]


def judge(
    policies: PolicyBundle | str,
    *effects: Effect,
    principal: Principal = ALICE,
    on: Connection = PROD,
    facts: Mapping[str, FactValue] | None = None,
    now: float = NOW,
    lifted: tuple[str, ...] = (),
) -> Decision:
    """The decision of a bundle, or of one Cedar text."""
    made = bundle(policies) if isinstance(policies, str) else policies
    return made.judge(principal, on, effects, facts or {}, now, lifted=frozenset(PolicyId(each) for each in lifted))
