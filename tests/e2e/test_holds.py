"""Commands that wait for a person: seen at once, decided or voided, bound to one command, and the transaction stays."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import psycopg
import pytest

from tests.support.raw_postgres import SYNC, RawClient, errors, frame, kinds
from tests.support.scene import Scene, ends, lines_until, until

HELD = re.compile(r"held for approval (ap-[0-9a-z]+)")


@pytest.fixture(autouse=True)
def _orders_as_they_were(scene: Scene) -> Iterator[None]:
    yield
    scene.upstream("update orders set status = 'placed' where status <> 'placed'")


def status(scene: Scene, order: int) -> str:
    """An order's status as the database has it."""
    return scene.upstream(f"select status from orders where id = {order}")


def state(scene: Scene, approval: str) -> str:
    """An approval's state, as its approvers see it."""
    return str(scene.api("carol", "GET", f"/v1/approvals/{approval}")[1]["state"])


def held_by(process: subprocess.Popen[str]) -> str:
    """The approval that psql's notice names."""
    *_, line = lines_until(process, "held for approval")
    found = HELD.search(line)
    assert found is not None
    return found[1]


def in_background(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run in a thread; its answer or its exception comes into the list."""
    answers: list[Any] = []

    def run() -> None:
        try:
            answers.append(work())
        except Exception as error:  # noqa: BLE001 -- handed to the test
            answers.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, answers


def test_psql_prints_the_notice_at_once_and_the_command_runs_when_approved(scene: Scene) -> None:
    psql = scene.start_psql("bob", "shop", "update orders set status = 'one' where id = 1")
    approval = held_by(psql)
    assert psql.stderr is not None
    detail, hint = psql.stderr.readline(), psql.stderr.readline()
    told = json.loads(detail.removeprefix("DETAIL:").strip())
    assert (told["code"], told["approval"], told["approvers"], told["count"]) == ("held", approval, ["dba"], 1)
    assert f"interpose approvals approve {approval}" in hint
    assert status(scene, 1) == "placed"
    assert scene.vote("carol", approval, comment="ticket 4711")[0] == 200
    out, _ = ends(psql)
    assert out == "UPDATE 1\n"
    assert status(scene, 1) == "one"
    assert until(lambda: state(scene, approval) == "used")
    voted = scene.events("approval.voted", approval=approval)
    assert [event["actor"] for event in voted] == ["User:carol"]


def test_control_c_voids(scene: Scene) -> None:
    psql = scene.start_psql("bob", "shop", "update orders set status = 'two' where id = 2", "select 'and on'")
    approval = held_by(psql)
    psql.send_signal(2)
    _, err = ends(psql)
    assert "cancel" in err
    assert until(lambda: state(scene, approval) == "cancelled")
    code, answer = scene.vote("carol", approval)
    assert (code, answer["code"]) == (409, "not_pending")
    assert status(scene, 2) == "placed"


def test_a_client_that_is_killed_voids(scene: Scene) -> None:
    psql = scene.start_psql("bob", "shop", "update orders set status = 'three' where id = 3")
    approval = held_by(psql)
    psql.kill()
    assert until(lambda: state(scene, approval) == "cancelled")
    assert scene.vote("carol", approval)[0] == 409
    assert status(scene, 3) == "placed"


def test_nobody_in_time_expires(scene: Scene) -> None:
    with scene.connect("bob", "shop") as session:
        with pytest.raises(psycopg.errors.QueryCanceled) as caught:
            session.execute("truncate orders")
        assert caught.value.diag.message_detail is not None
        assert json.loads(caught.value.diag.message_detail)["code"] == "approval_expired"
        assert session.execute("select count(*) from orders").fetchone() == (200,)


def test_nobody_approves_their_own(scene: Scene) -> None:
    psql = scene.start_psql("carol", "shop", "update orders set status = 'own' where id = 4")
    approval = held_by(psql)
    code, answer = scene.vote("carol", approval)
    assert (code, answer["code"]) == (403, "own_command")
    assert state(scene, approval) == "pending"
    assert scene.vote("erin", approval)[0] == 200
    assert ends(psql)[0] == "UPDATE 1\n"


def test_nor_what_an_agent_asks_for_them(scene: Scene) -> None:
    psql = scene.start_psql("shopbot", "shop", "update orders set status = 'agent' where id = 4")
    approval = held_by(psql)
    assert scene.vote("carol", approval)[0] == 403
    assert scene.vote("shopbot", approval)[0] in (403, 404)
    assert scene.vote("erin", approval)[0] == 200
    assert ends(psql)[0] == "UPDATE 1\n"


def test_others_may_not_vote_and_strangers_do_not_see_it(scene: Scene) -> None:
    psql = scene.start_psql("bob", "shop", "update orders set status = 'x' where id = 5")
    approval = held_by(psql)
    assert scene.vote("dave", approval)[0] in (403, 404)
    assert scene.api("dave", "GET", f"/v1/approvals/{approval}")[0] == 404
    assert scene.vote("", approval)[0] == 401
    assert scene.api("bob", "GET", f"/v1/approvals/{approval}")[1]["text"].startswith("update orders")
    psql.kill()


def test_two_are_needed_and_one_person_counts_once(scene: Scene) -> None:
    psql = scene.start_psql("bob", "shop", "delete from orders where id = 0")
    approval = held_by(psql)
    assert scene.vote("carol", approval)[0] == 200
    code, answer = scene.vote("carol", approval)
    assert (code, answer["code"]) == (409, "already_voted")
    assert state(scene, approval) == "pending"
    assert scene.vote("erin", approval)[0] == 200
    assert ends(psql)[0] == "DELETE 0\n"


def test_two_votes_at_once_run_it_once(scene: Scene) -> None:
    scene.token("carol"), scene.token("erin")
    for number in range(3):
        psql = scene.start_psql("bob", "shop", f"update orders set amount = amount + 1 where id = {50 + number}")
        approval = held_by(psql)
        with ThreadPoolExecutor(2) as pool:
            votes = list(pool.map(lambda who, name=approval: scene.vote(who, name)[0], ("carol", "erin")))
        assert 200 in votes and set(votes) <= {200, 409}, votes
        assert ends(psql)[0] == "UPDATE 1\n"
        assert scene.upstream(f"select amount - id * 10 from orders where id = {50 + number}") == "1"
        scene.upstream(f"update orders set amount = amount - 1 where id = {50 + number}")


def test_a_denial_tells_the_requester_why(scene: Scene) -> None:
    with scene.connect("bob", "shop") as session:
        thread, answers = in_background(lambda: session.execute("update orders set status = 'no' where id = 6"))
        approval = scene.held("bob", "id = 6")
        assert scene.vote("carol", approval, "deny", "order 6 is on its way")[0] == 200
        thread.join(20)
        (error,) = answers
        assert isinstance(error, psycopg.errors.InsufficientPrivilege)
        assert "order 6 is on its way" in str(error)
        assert json.loads(error.diag.message_detail or "")["code"] == "approval_denied"
        assert session.execute("select status from orders where id = 6").fetchone() == ("placed",)


def test_the_transaction_stays_open_across_a_hold(scene: Scene) -> None:
    with scene.connect("bob", "shop", autocommit=False) as session:
        session.execute("insert into notes (body) values ('within')")
        thread, answers = in_background(
            lambda: session.execute("update orders set status = 'tx' where id = 7").rowcount
        )
        approval = scene.held("bob", "id = 7")
        assert scene.backends("state = 'idle in transaction'") >= 1
        scene.vote("carol", approval)
        thread.join(20)
        assert answers == [1]
        assert session.execute("select count(*) from notes where body = 'within'").fetchone() == (1,)
        session.rollback()
    assert status(scene, 7) == "placed"
    assert scene.upstream("select count(*) from notes where body = 'within'") == "0"


def test_a_denied_command_leaves_its_transaction_alive(scene: Scene) -> None:
    with scene.connect("bob", "shop", autocommit=False) as session:
        session.execute("insert into notes (body) values ('kept')")
        thread, answers = in_background(lambda: session.execute("update orders set status = 'tx' where id = 8"))
        scene.vote("carol", scene.held("bob", "id = 8"), "deny")
        thread.join(20)
        assert isinstance(answers[0], psycopg.errors.InsufficientPrivilege)
        session.execute("delete from notes where body = 'kept'")
        session.commit()


def test_parameters_are_shown_to_the_approver_and_bound(scene: Scene) -> None:
    with scene.connect("bob", "shop") as session:
        thread, answers = in_background(
            lambda: session.execute("update orders set status = %s where id = %s", ("bound-value", 9)).rowcount
        )
        approval = scene.held("bob", "set status = $1")
        scene.vote("carol", approval)
        thread.join(20)
        assert answers == [1]
    assert status(scene, 9) == "bound-value"


def test_a_prepared_statement_is_held_at_each_execution(scene: Scene) -> None:
    with scene.connect("bob", "shop", prepare_threshold=0) as session:
        for value in ("first", "second"):
            thread, answers = in_background(
                lambda value=value: session.execute("update orders set status = %s where id = 10", (value,)).rowcount
            )
            scene.vote("carol", scene.held("bob", "id = 10"))
            thread.join(20)
            assert answers == [1]
            assert status(scene, 10) == value


def test_a_pipeline_waits_behind_a_held_statement_in_order(scene: Scene) -> None:
    with scene.connect("bob", "shop") as session:

        def work() -> list[Any]:
            with session.pipeline() as pipeline:
                before = session.execute("select 'before'")
                held = session.execute("update orders set status = 'pipe' where id = 11")
                after = session.execute("select status from orders where id = 11")
                pipeline.sync()
                return [before.fetchone(), held.rowcount, after.fetchone()]

        thread, answers = in_background(work)
        scene.vote("carol", scene.held("bob", "id = 11"))
        thread.join(20)
        assert answers == [[("before",), 1, ("pipe",)]]


def test_a_denied_statement_fails_its_pipeline_only(scene: Scene) -> None:
    with scene.connect("bob", "shop") as session:

        def work() -> Any:
            with session.pipeline():
                session.execute("update orders set status = 'pipe' where id = 12")
                session.execute("insert into notes (body) values ('behind a denial')")

        thread, answers = in_background(work)
        scene.vote("carol", scene.held("bob", "id = 12"), "deny")
        thread.join(20)
        assert isinstance(answers[0], psycopg.errors.InsufficientPrivilege)
        assert session.execute("select count(*) from notes where body = 'behind a denial'").fetchone() == (0,)


async def test_asyncpg_waits_too_and_its_timeout_voids(scene: Scene) -> None:
    context = ssl.create_default_context(cafile=str(scene.authority_file))
    session = await asyncpg.connect(
        host="127.0.0.1",
        port=scene.gateway.port,
        user="bob",
        password=scene.token("bob"),
        database="shop",
        ssl=context,
        timeout=30,
    )
    try:
        waiting = asyncio.create_task(session.execute("update orders set status = $1 where id = $2", "async", 13))
        approval = await asyncio.to_thread(scene.held, "bob", "where id = $2")
        await asyncio.to_thread(scene.vote, "erin", approval)
        assert await asyncio.wait_for(waiting, 20) == "UPDATE 1"
        with pytest.raises(asyncio.TimeoutError):
            await session.execute("update orders set status = 'late' where id = 14", timeout=1.0)
        assert await session.fetchval("select status from orders where id = 13") == "async"
        assert await session.fetchval("select status from orders where id = 14") == "placed"
        voided = scene.events("approval.closed", state="cancelled")
        assert voided
    finally:
        await session.close()


def test_what_is_sent_behind_a_hold_is_bounded(scene: Scene) -> None:
    with RawClient(scene.plain_port) as client:
        client.log_in("bob", "shop", scene.token("bob"))
        client.send(frame(b"Q", b"update orders set status = 'flood' where id = 15\0"))
        assert kinds(client.until(b"N"))[-1:] == b"N"
        try:
            for _ in range(64):
                client.send(frame(b"Q", b"select '" + b"x" * 65536 + b"'\0"))
        except (ConnectionResetError, BrokenPipeError):
            pass
        told = errors(list(client.messages()))
        assert not told or told[0]["C"] == "53200"
    assert status(scene, 15) == "placed"


def test_the_digest_covers_what_was_asked_not_what_is_asked_next(scene: Scene) -> None:
    with scene.connect("bob", "shop") as session:
        thread, answers = in_background(lambda: session.execute("update orders set status = 'a' where id = 16"))
        approval = scene.held("bob", "id = 16")
        session.cancel()
        thread.join(20)
        assert isinstance(answers[0], psycopg.errors.QueryCanceled)
        thread, answers = in_background(lambda: session.execute("update orders set status = 'b' where id = 17"))
        second = scene.held("bob", "id = 17")
        assert second != approval
        assert scene.vote("carol", approval)[0] == 409
        assert status(scene, 17) == "placed"
        scene.vote("carol", second, "deny")
        thread.join(20)


def test_sync_behind_a_held_execute_is_answered_once(scene: Scene) -> None:
    with RawClient(scene.plain_port) as client:
        client.log_in("bob", "shop", scene.token("bob"))
        parse = frame(b"P", b"\0update orders set status = 'raw' where id = 18\0\0\0")
        client.send(parse + frame(b"B", b"\0\0" + b"\0" * 6) + frame(b"E", b"\0" + b"\0" * 4) + SYNC)
        approval = scene.held("bob", "id = 18")
        scene.vote("carol", approval, "deny", "no")
        answer = client.until(b"Z")
        assert kinds(answer).replace(b"N", b"") in (b"EZ", b"12EZ", b"1EZ")
        assert kinds(client.ask(b"select 1")) == b"TDCZ"
