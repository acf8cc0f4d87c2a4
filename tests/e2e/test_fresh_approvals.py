"""Approving with the right login only: policy sees how an approver signed in, and when, on the gateway's own actions as well.

A real OpenID provider, a real browser, the real command line.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_holds import held_by
from tests.support.postgres import PostgresServer
from tests.support.scene import CLASSIFICATIONS, POLICY, ends
from tests.support.sign_in_scene import USERS, SignInScene

FRESH = """\
@id("approvals-need-a-fresh-second-factor")
@reason("approving here needs a login with a second factor in the last 15 minutes")
@hint("run `interpose login --again`, then approve again")
forbid (principal is User, action in [Action::"approve", Action::"administer"], resource)
unless { context.mfa && context has auth_age && context.auth_age < 900 };

@id("replays-at-the-desk-with-a-token")
@reason("recordings are read with a second factor")
forbid (principal is User, action == Action::"replay", resource)
unless { context.amr.contains("otp") && context has session_method && context.session_method == "token" };
"""


@pytest.fixture(scope="module")
def place(postgres: PostgresServer) -> Iterator[SignInScene]:
    policy = {"shop.cedar": POLICY, "classifications.yaml": CLASSIFICATIONS, "fresh.cedar": FRESH}
    with SignInScene(postgres, policy=policy) as made:
        keeper = {**USERS["zoe-1"], "groups": ["dba"]}
        made.provider.change(users={**USERS, "zoe-1": keeper})
        yield made


def test_an_approval_needs_the_approvers_own_fresh_second_factor(place: SignInScene, tmp_path: Path) -> None:
    home = tmp_path / "one"
    home.mkdir()
    place.command_line(home)
    psql = place.scene.start_psql("alice", "shop", "update orders set status = 'sent' where id = 1")
    approval = held_by(psql)
    session = place.scene.events("session.opened")[-1]["session"]
    status, told = place.interpose(home, "approvals", "approve", approval)
    assert status != 0
    assert "approving here needs a login with a second factor" in told
    assert "interpose login --again" in told
    assert approval not in place.interpose(home, "approvals", "list")[1], "nothing is offered that is then refused"
    status, told = place.interpose(home, "reload")
    assert (status != 0, "with a second factor" in told) == (True, True), told
    assert "recordings are read with a second factor" in place.interpose(home, "sessions", "replay", session)[1]
    # A token that comes of no login knows of no second factor.
    assert place.scene.vote("carol", approval)[0] == 403

    place.provider.change(login={"amr": ["pwd", "otp"]})
    again = tmp_path / "two"
    again.mkdir()
    place.command_line(again)
    assert place.interpose(home, "approvals", "approve", approval)[0] != 0, "the other token is of the other login"
    status, told = place.interpose(again, "approvals", "approve", approval)
    assert status == 0, told
    assert ends(psql)[0] == "UPDATE 1\n"
    voted = place.scene.events("approval.voted", approval=approval)
    assert [event["fields"]["outcome"] for event in voted] == ["not_an_approver"] * 3 + ["counted"]
    last = voted[-1]["fields"]
    assert (last["mfa"], last["method"], last["source"]) == (True, "token", "127.0.0.1")
    assert last["auth_time"] > 0
    assert place.interpose(again, "reload")[0] == 0
    assert "UPDATE" in place.interpose(again, "sessions", "replay", session)[1].upper()
