"""Approval by attribute, with the example policy: a senior's statement passes, a junior's waits for the junior's own manager."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.test_holds import held_by
from tests.support.postgres import PostgresServer
from tests.support.scene import Scene, ends

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "policy"
PRINCIPALS: Final = """\
principals:
  - {name: carol, kind: user, groups: [dba]}
  - {name: fred, kind: user, groups: [fulfilment], attributes: {seniority: junior, manager: MANAGER}}
  - {name: grace, kind: user, groups: [GRACE], attributes: {seniority: senior}}
  - {name: heidi, kind: user, groups: [fulfilment], attributes: {seniority: senior, reviewers: [grace, carol]}}
  - {name: ivan, kind: user, groups: [fulfilment], attributes: {seniority: junior}}
"""
TWO: Final = """
@id("lines-need-two-managers")
@approval("attribute:reviewers")
@count("2")
forbid (principal in Group::"fulfilment", action == Action::"update", resource in Table::"shop/public.notes");

@id("fulfilment-notes")
permit (principal in Group::"fulfilment", action in [Action::"update", Action::"select"], resource in Label::"team=shop")
when { resource.schema == "public" && resource.table == "notes" };
"""
SHIP: Final = "update orders set status = 'shipped' where id = "


def people(manager: str = "grace", grace: str = "fulfilment") -> str:
    """The principals file."""
    return PRINCIPALS.replace("MANAGER", manager).replace("GRACE", grace)


@pytest.fixture(scope="module")
def managed(postgres: PostgresServer) -> Iterator[Scene]:
    names = ("access.cedar", "dba.cedar", "guardrails.cedar", "fulfilment.cedar")
    policy = {name: (EXAMPLES / name).read_text() for name in names}
    policy["two.cedar"] = TWO
    policy["attributes.yaml"] = (EXAMPLES / "attributes.yaml").read_text() + "  reviewers: {type: set}\n"
    with Scene(postgres, policy=policy, principals=people()) as made:
        made.upstream("insert into notes (body) values ('one')")
        yield made


@pytest.fixture(autouse=True)
def _as_it_was(managed: Scene) -> Iterator[None]:
    yield
    change(managed, people())


def change(scene: Scene, principals: str) -> None:
    """Another principals file, in force."""
    (scene.gateway.folder / "principals.yaml").write_text(principals)
    scene.gateway.interpose("reload", token=scene.token("carol"))


def test_a_seniors_change_passes(managed: Scene) -> None:
    done = managed.psql("grace", "shop", f"{SHIP}1")
    assert (done.stdout.strip(), done.stderr) == ("UPDATE 1", "")


def test_a_juniors_change_waits_for_the_manager_and_for_nobody_else(managed: Scene) -> None:
    psql = managed.start_psql("fred", "shop", f"{SHIP}2")
    assert psql.stderr is not None
    approval = held_by(psql)
    told = json.loads(psql.stderr.readline().removeprefix("DETAIL:").strip())
    assert (told["approvers"], told["named"]) == ([], ["grace"])
    for name, code in (("fred", "own_command"), ("heidi", "not_an_approver"), ("carol", "not_an_approver")):
        status, answer = managed.vote(name, approval)
        assert (status, answer["code"]) == (403, code), name
    assert managed.vote("grace", approval)[0] == 200
    assert ends(psql)[0] == "UPDATE 1\n"
    (closed,) = managed.events("approval.closed", approval=approval)
    assert closed["fields"]["approved_by"] == ["grace"]
    assert [event["actor"] for event in managed.events("approval.voted", approval=approval, outcome="counted")] == [
        "User:grace"
    ]


def test_who_is_not_the_manager_any_more_does_not_count(managed: Scene) -> None:
    psql = managed.start_psql("fred", "shop", f"{SHIP}3")
    approval = held_by(psql)
    change(managed, people(manager="heidi"))
    assert managed.vote("grace", approval)[1]["code"] == "not_an_approver"
    assert managed.vote("heidi", approval)[0] == 200
    assert ends(psql)[0] == "UPDATE 1\n"


def test_an_approver_who_lost_the_group_while_it_waited_does_not_count(managed: Scene) -> None:
    """Both are named; one has voted, and may not approve any more when the other votes."""
    psql = managed.start_psql("heidi", "shop", "update notes set body = 'two' where id = 1")
    approval = held_by(psql)
    assert managed.vote("grace", approval)[0] == 200
    change(managed, people(grace="leavers"))
    assert managed.vote("carol", approval)[0] == 200
    assert managed.upstream("select body from notes where id = 1") == "one"
    change(managed, people())
    assert ends(psql)[0] == "UPDATE 1\n", "with her group her vote is back, and both count"
    (closed,) = managed.events("approval.closed", approval=approval)
    assert sorted(closed["fields"]["approved_by"]) == ["carol", "grace"]


def test_who_has_no_manager_is_told_at_once(managed: Scene) -> None:
    done = managed.psql("ivan", "shop", f"{SHIP}4")
    assert "your attribute `manager` names nobody who can" in done.stderr
    assert "no_approver" in done.stderr
