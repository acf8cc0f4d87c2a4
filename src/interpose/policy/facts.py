"""Facts: everything that policy may ask of `context`, with its Cedar type and meaning, and its encoding for the evaluator.

This table is the contract between analysis (which states facts), the engine (which states the session's) and policy (whose
schema is built from it). INVARIANT: a fact that is not declared here refuses the command; it is never dropped, since a
forbid that asks for it would then silently not match.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from interpose.model.actions import Action
from interpose.model.analysis import FactValue
from interpose.model.principal import Principal, PrincipalKind

Json = str | int | bool | list["Json"] | dict[str, "Json"]
"""A JSON value as Cedar reads it (no null, no fraction)."""

_MIN_LONG, _MAX_LONG = -(2**63), 2**63 - 1


class CedarType(Enum):
    """The Cedar type of a fact or attribute; the value is its name in the schema."""

    STRING = "String"
    LONG = "Long"
    BOOL = "Bool"
    STRINGS = "Set<String>"
    ADDRESS = "ipaddr"
    DATETIME = "datetime"


class FactError(ValueError):
    """A fact or attribute that policy cannot be asked with; the command is refused. The text is safe to show."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One declared fact.

    `required_on` are the actions whose every effect must state it: for these the schema makes it mandatory, so that
    `!context.has_where` is well typed, and an effect without it is refused.
    """

    name: str
    type: CedarType
    meaning: str
    required_on: frozenset[Action] = frozenset()


_WHERE = frozenset({Action.UPDATE, Action.DELETE})
_EXEC = frozenset({Action.EXEC})
_TUNNEL = frozenset({Action.FORWARD, Action.FORWARD_LISTEN})

EFFECT_FACTS: tuple[Fact, ...] = (
    Fact("statement", CedarType.STRING, "tag of the statement that has this effect, e.g. `SELECT` or `ALTER TABLE`"),
    Fact("statement_count", CedarType.LONG, "how many statements the command holds"),
    Fact("has_where", CedarType.BOOL, "whether the UPDATE or DELETE has a WHERE clause", _WHERE),
    Fact(
        "where_constant",
        CedarType.BOOL,
        "whether its WHERE asks no column, as in `WHERE true` or `WHERE 1 = 1`",
        _WHERE,
    ),
    Fact("tables", CedarType.STRINGS, "every table of the statement as `schema.table`"),
    Fact("functions", CedarType.STRINGS, "every function that the statement calls as `schema.function`"),
    Fact("resolved", CedarType.BOOL, "whether the catalog knew every name of this effect"),
    Fact("limit", CedarType.LONG, "the statement's LIMIT, when it is a literal whole number"),
    Fact("set_value", CedarType.STRING, "the value that SET gives to the setting, when it is a literal"),
    Fact("columns", CedarType.STRINGS, "the columns of the written table that get values"),
    Fact("returning", CedarType.BOOL, "whether an INSERT, UPDATE, DELETE or MERGE answers rows"),
    Fact("temporary", CedarType.BOOL, "whether DDL makes something that ends with the session"),
    Fact("if_exists", CedarType.BOOL, "whether DDL says IF EXISTS or IF NOT EXISTS"),
    Fact("cascade", CedarType.BOOL, "whether DROP or TRUNCATE reaches things that it does not name"),
    Fact("explain", CedarType.BOOL, "whether the statement is only explained and not run"),
    Fact(
        "program",
        CedarType.STRING,
        "name of the program that has this effect, as `resource.name` of a `Program`",
        _EXEC,
    ),
    Fact("argv0", CedarType.STRING, "the word that runs the program, as it is written", _EXEC),
    Fact("argv", CedarType.STRINGS, "every literal word of the program's command, the program included", _EXEC),
    Fact(
        "flags",
        CedarType.STRINGS,
        "its flags, each by itself: `-rf` is `-r` and `-f`; what is known to mean the same is there in both spellings",
        _EXEC,
    ),
    Fact("arguments", CedarType.STRINGS, "its literal words that are no flags", _EXEC),
    Fact("subcommand", CedarType.STRING, "the word right after the program, when that is literal and no flag"),
    Fact(
        "command_line", CedarType.STRING, "its literal words in order, joined by blanks and quoted where needed", _EXEC
    ),
    Fact("literal", CedarType.BOOL, "whether every word of the program's command is known exactly", _EXEC),
    Fact("sudo", CedarType.BOOL, "whether it runs through sudo, doas, su or the like", _EXEC),
    Fact("run_as", CedarType.STRING, "the account that sudo or the like runs it as, when it is literal"),
    Fact("wrapper", CedarType.BOOL, "whether the program only runs another one, which is an effect of its own", _EXEC),
    Fact("pipeline", CedarType.BOOL, "whether it reads from or writes to another program by a pipe", _EXEC),
    Fact("redirects", CedarType.BOOL, "whether its input or output is a file by redirection", _EXEC),
    Fact("dynamic_kind", CedarType.STRING, "why it cannot be said what an `exec_dynamic` runs"),
    Fact("recursive", CedarType.BOOL, "whether an effect on a path reaches everything below it"),
    Fact("force", CedarType.BOOL, "whether a program was told not to ask or complain"),
    Fact("path_to", CedarType.STRING, "where a rename or link leads"),
    Fact("size", CedarType.LONG, "size of the transfer in bytes, when it is known before"),
    Fact("direction", CedarType.STRING, "`upload` or `download`, of a file transfer"),
    Fact("env_name", CedarType.STRING, "name of the environment variable that `set_env` sets"),
    Fact("subsystem", CedarType.STRING, "name of the SSH subsystem"),
    Fact(
        "destination_host",
        CedarType.STRING,
        "host that a forward leads to or listens on: an address in its shortest form, a name in lower case, or `*` to listen everywhere",
        _TUNNEL,
    ),
    Fact("destination_port", CedarType.LONG, "its TCP port", _TUNNEL),
    Fact(
        "destination_kind",
        CedarType.STRING,
        "what it is: `loopback`, `metadata` (of a cloud's instances), `link_local`, `private`, `public`, `multicast`, `any`, `socket`, "
        "or `name` where the host resolves it",
        _TUNNEL,
    ),
    Fact("destination_address", CedarType.STRING, "its address, when that is known"),
    Fact("object_kind", CedarType.STRING, "kind of the object that DDL is about, or why an effect is `unknown`"),
)
"""What analysis may say of an effect. All are optional except where `required_on` says otherwise."""

SESSION_FACTS: tuple[Fact, ...] = (
    Fact("now", CedarType.DATETIME, "the time of judgement, UTC"),
    Fact("source_ip", CedarType.ADDRESS, "the client's address; absent for a local socket"),
    Fact(
        "session_method",
        CedarType.STRING,
        "how the principal proved itself: `token`, `certificate`, `ssh_certificate`, `ssh_key`, `browser` (confirmed there, from a client without a token), or `jwt` for a workload's own token",
    ),
    Fact(
        "auth_age",
        CedarType.LONG,
        "whole seconds since the person authenticated at the identity provider; absent when that is not known",
    ),
    Fact(
        "amr",
        CedarType.STRINGS,
        "how the person authenticated there (RFC 8176), e.g. `pwd`, `otp`; empty when not known",
    ),
    Fact("mfa", CedarType.BOOL, "whether that was with more than one factor; false when not known"),
    Fact("application_name", CedarType.STRING, "what the client calls itself; anybody can claim anything"),
    Fact("justification", CedarType.STRING, "why the principal says that it needs this; absent when it said nothing"),
    Fact("agent", CedarType.BOOL, "whether the principal is an agent"),
    Fact("acting_for", CedarType.STRING, "the person that an agent works for; absent for others"),
    Fact("task", CedarType.STRING, "what an agent says that it is doing; absent when it said nothing"),
)
"""What the engine says of the session, the same for every effect."""

SESSION_ALWAYS: frozenset[str] = frozenset({"now", "application_name", "agent", "amr", "mfa"})
"""The session facts that are always there, and so mandatory in the schema."""

AUTH_TIME = "auth_time"
"""Given with a session's facts, and told to policy as `auth_age`: whole seconds since the epoch when the person authenticated."""

OF_THE_MOMENT: frozenset[str] = frozenset({"now", "auth_age"})
"""The facts that change by themselves: what was decided by one of them is true for its second only."""

GATEWAY_FACTS: tuple[Fact, ...] = (
    Fact("requester", CedarType.STRING, "who asked for the held command, or whose session is to be replayed"),
    Fact("requester_groups", CedarType.STRINGS, "the groups of the requester"),
    Fact("policies", CedarType.STRINGS, "ids of the policies that the approval would lift"),
    Fact(
        "named_approvers",
        CedarType.STRINGS,
        'whom `@approval("attribute:NAME")` means here: the names in the requester\'s attribute; absent where rules name groups only',
    ),
)
"""What `approve` and `replay` may be asked with."""

DELEGATION_FACTS: tuple[Fact, ...] = (
    Fact(
        "connections",
        CedarType.STRINGS,
        "the connections that the agent asks for; absent when it asks for all that are permitted",
    ),
)
"""What `act_for` may be asked with."""

_OF_EFFECTS: Mapping[str, Fact] = {fact.name: fact for fact in EFFECT_FACTS}
_SESSION_GIVEN: Mapping[str, Fact] = {
    fact.name: fact
    for fact in (*SESSION_FACTS, *GATEWAY_FACTS, *DELEGATION_FACTS)
    if fact.name
    not in (*OF_THE_MOMENT, "agent", "acting_for", "task")  # these come from the clock and the principal, nowhere else
}
_REQUIRED: Mapping[Action, tuple[str, ...]] = {
    action: tuple(fact.name for fact in EFFECT_FACTS if action in fact.required_on) for action in Action
}


def encode(type_: CedarType, name: str, value: FactValue) -> Json:
    """The value as Cedar JSON of exactly this type; raises `FactError` for any other value."""
    if type_ is CedarType.STRING and isinstance(value, str):
        return value
    if type_ is CedarType.BOOL and isinstance(value, bool):
        return value
    if type_ is CedarType.LONG and isinstance(value, int) and not isinstance(value, bool):
        if not _MIN_LONG <= value <= _MAX_LONG:
            raise FactError(f"`{name}` is beyond the range of a 64-bit number")
        return value
    if type_ is CedarType.STRINGS and isinstance(value, tuple):
        return list(value)
    raise FactError(f"`{name}` must be {type_.value}")


def effect_context(action: Action, facts: Mapping[str, FactValue], wanted: frozenset[str] | None) -> dict[str, Json]:
    """An effect's facts as Cedar JSON; raises `FactError` for an undeclared, mistyped or missing one.

    `wanted` are the names that any policy mentions: the others are checked but not sent (None sends all).
    """
    context: dict[str, Json] = {}
    for name, value in facts.items():
        fact = _OF_EFFECTS.get(name)
        if fact is None:
            raise FactError(f"`{name}` is no declared fact")
        encoded = encode(fact.type, name, value)
        if wanted is None or name in wanted:
            context[name] = encoded
    for name in _REQUIRED[action]:
        if name not in facts:
            raise FactError(f"an effect `{action.value}` must state `{name}`")
    return context


def session_context(
    principal: Principal, facts: Mapping[str, FactValue], now: float, wanted: frozenset[str] | None
) -> dict[str, Json]:
    """The session's facts as Cedar JSON; `now` is wall-clock seconds since the epoch.

    `facts` are what the engine says of the session: those of `SESSION_FACTS` that are not the principal's own, and for gateway
    actions `GATEWAY_FACTS`; `AUTH_TIME` may be among them. Raises `FactError` for an undeclared or mistyped one.
    """
    context: dict[str, Json] = {
        "application_name": "",
        "agent": principal.kind is PrincipalKind.AGENT,
        "amr": [],
        "mfa": False,
    }
    if principal.acting_for is not None:
        context["acting_for"] = principal.acting_for
    if principal.task is not None:
        context["task"] = principal.task
    if wanted is None or "now" in wanted:
        context["now"] = _datetime(now)
    for name, value in facts.items():
        if name == AUTH_TIME:
            context["auth_age"] = _age(value, now)
            continue
        fact = _SESSION_GIVEN.get(name)
        if fact is None:
            raise FactError(f"`{name}` is no declared fact of a session")
        if fact.type is not CedarType.ADDRESS:
            context[name] = encode(fact.type, name, value)
        elif value != "" and (wanted is None or name in wanted):
            context[name] = _address(value)
    return context if wanted is None else {name: value for name, value in context.items() if name in wanted}


def _age(value: FactValue, now: float) -> Json:
    if not isinstance(value, int) or isinstance(value, bool):
        raise FactError(f"`{AUTH_TIME}` must be whole seconds")
    # A provider whose clock is ahead: not younger than just now.
    return max(0, int(now) - value)


def _datetime(seconds: float) -> Json:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise FactError("`now` is no time") from error
    return {
        "__extn": {
            "fn": "datetime",
            "arg": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z",
        }
    }


def _address(value: FactValue) -> Json:
    try:
        address = ipaddress.ip_address(str(value).partition("%")[0])
    except ValueError as error:
        raise FactError("`source_ip` is no address") from error
    # An IPv4 client on a dual-stack listener is ::ffff:a.b.c.d; policy speaks of a.b.c.d.
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return {"__extn": {"fn": "ip", "arg": str(address)}}


def fact_names() -> Iterable[str]:
    """Every name that may stand after `context.`, for suggestions."""
    return [fact.name for fact in (*EFFECT_FACTS, *SESSION_FACTS, *GATEWAY_FACTS, *DELEGATION_FACTS)]
