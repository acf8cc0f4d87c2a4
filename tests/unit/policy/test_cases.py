"""Reading policy tests."""

from __future__ import annotations

import pytest

from interpose.model.errors import ConfigurationError
from interpose.model.principal import Principal, PrincipalKind
from interpose.model.resources import ColumnResource
from interpose.policy.cases import read_cases

_FULL = """
connections:
  orders:
    labels: {env: prod}
    path: [app, public]
    tables: {public.customers: [id, email]}
    functions: [public.refund]
cases:
  - name: everything
    principal: {name: bot, kind: agent, groups: [agents], attributes: {level: 3, on: true, of: [a]}, acting_for: alice, task: tidy}
    connection: orders
    command: select 1
    expect: hold
    policies: [a]
    code: x
    approvers: [dba]
    approved: [b]
    observed: []
    effects: [select column public.customers.email]
    masks: {public.customers.email: hash}
    content: {pci.card: redact}
    clear: [public.customers.id]
    max_rows: 5
    facts: {source_ip: 10.0.0.1, mfa: true, amr: [pwd, otp], auth_age: 600}
    now: "2026-02-03T04:05:06+01:00"
"""
_CASE = "cases: [{name: a, principal: p, connection: c, command: x, expect: permit%s}]"


def test_everything() -> None:
    (file,) = read_cases({"tests/a.yaml": _FULL, "a.cedar": "no", "other/b.yaml": "["})
    on = file.connections["orders"]
    assert (on.connection.name, on.connection.labels, on.path) == ("orders", {"env": "prod"}, ("app", "public"))
    assert on.tables == {("public", "customers"): ("id", "email")}
    assert on.functions == {("public", "refund")}
    (case,) = file.cases
    assert (case.name, case.file, case.line) == ("everything", "tests/a.yaml", 9)
    assert case.principal == Principal(
        PrincipalKind.AGENT, "bot", frozenset({"agents"}), {"level": 3, "on": True, "of": ("a",)}, "alice", "tidy"
    )
    assert case.now == 1770087906.0
    assert case.facts == {"source_ip": "10.0.0.1", "mfa": True, "amr": ("pwd", "otp"), "auth_time": 1770087306}
    assert case.approved == {"b"}
    expect = case.expect
    assert (expect.decision, expect.policies, expect.code, expect.approvers) == ("hold", {"a"}, "x", {"dba"})
    assert expect.observed == frozenset()
    assert expect.masks == {ColumnResource("public", "customers", "email"): "hash"}
    assert expect.clear == (ColumnResource("public", "customers", "id"),)
    assert (expect.content, expect.max_rows, expect.effects) == (
        {"pci.card": "redact"},
        5,
        ("select column public.customers.email",),
    )


def test_what_is_not_said_is_not_expected() -> None:
    (file,) = read_cases({"tests/a.yaml": _CASE % ""})
    expect = file.cases[0].expect
    assert (expect.policies, expect.observed, expect.approvers, expect.max_rows) == (None, None, None, None)
    assert file.cases[0].principal == "p"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("cases: [{}]", "`cases[0].principal` is missing"),
        (_CASE % ", polices: []", "unknown key `cases[0].polices` (did you mean `policies`?)"),
        ("cases: [{name: a, principal: p, connection: c, command: x, expect: allow}]", "`expect` cannot be `allow`"),
        (_CASE % ", masks: {email: hash}", "`email` is no column"),
        (_CASE % ", clear: [email]", "`email` is no column"),
        (_CASE % ", facts: {sorce_ip: x}", "unknown fact `sorce_ip` of a session (did you mean `source_ip`?)"),
        (_CASE % ", facts: {agent: x}", "unknown fact `agent`"),
        (_CASE % ", facts: {mfa: 1}", "`cases[0].facts.mfa` must be true or false"),
        (_CASE % ", facts: {amr: {}}", "`cases[0].facts.amr` must be a list of texts"),
        (_CASE % ", facts: {auth_age: long}", "`cases[0].facts.auth_age` must be a whole number"),
        (_CASE % ", now: yesterday", "`yesterday` is no moment"),
        (_CASE % ", max_rows: many", "must be a whole number"),
        (
            "cases: [{name: a, principal: {name: x, kind: robot}, connection: c, command: x, expect: permit}]",
            "unknown kind of principal `robot`",
        ),
        ("connections: {a: {tables: {customers: [id]}}}", "`customers` needs its schema"),
        ("case: []", "unknown key `case` (did you mean `cases`?)"),
    ],
)
def test_faults(text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_cases({"tests/a.yaml": text})
    said = [str(problem) for problem in caught.value.problems]
    assert any(complaint in each for each in said), said
