"""The session driver over real sockets: order, holds, cancels, leaving, ends, faults."""

from __future__ import annotations

import asyncio

import pytest

from interpose.model.errors import RecordingError
from interpose.model.refusal import Refusal
from interpose.net.options import SessionOptions
from tests.unit.net.toy import eventually, gateway


async def test_a_command_is_judged_forwarded_and_its_result_delivered_and_recorded() -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        client.send("echo one", "echo two")
        assert [await client.line() for _ in range(4)] == ["row one", "done", "row two", "done"]
        assert upstream.lines == ["echo one", "echo two"]
        session = made.engine.sessions[0]
        assert session.recorder.delivered_bytes == {1: b"row one\ndone\n", 2: b"row two\ndone\n"}
        assert [ended.outcome for ended in session.ended] == ["ok", "ok"]
        client.send("bye")
        assert await client.rest() == b""
        await eventually(lambda: session.closed_with)
        assert session.closed_with == ["client_closed"]
        assert ("closed", "s_0", "client_closed") in made.journal.lines
        assert made.traffic.from_client > 0
        assert made.traffic.to_client > 0


async def test_a_refused_command_goes_nowhere_and_the_session_goes_on() -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        client.send("refuse this", "echo x")
        assert [await client.line() for _ in range(3)] == ["refused forbidden", "row x", "done"]
        assert upstream.lines == ["echo x"]


@pytest.mark.parametrize("size", [1, 2, 7])
async def test_how_bytes_are_cut_changes_nothing(size: int) -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        data = b"echo a\nrefuse b\nlater c\nbye\n"
        for start in range(0, len(data), size):
            client.writer.write(data[start : start + size])
            await asyncio.sleep(0)
        assert await client.rest() == b"row a\ndone\nrefused forbidden\ndone\n"
        assert upstream.lines == ["echo a", "later c", "bye"]


async def test_commands_behind_the_login_in_one_segment_are_not_lost() -> None:
    async with gateway() as (made, _):
        client = await made.connect()
        client.send("login alice toy good", "echo early")
        assert [await client.line() for _ in range(4)] == ["welcome", "key key0", "row early", "done"]


async def test_parts_follow_their_open_command() -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        client.send("sleep")
        await eventually(lambda: upstream.lines)
        client.send("copy a", "copy b")
        await asyncio.sleep(0.05)
        made.engine.cancel(b"key0")
        assert await client.line() == "cancelled"
        await eventually(lambda: upstream.lines == ["sleep", "copy a", "copy b"])


async def test_a_held_command_waits_is_announced_and_goes_on_when_approved() -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        client.send("hold it", "echo behind")
        assert await client.line() == "held ap-1"
        await asyncio.sleep(0.05)
        assert upstream.lines == []
        made.engine.approve.set()
        assert [await client.line() for _ in range(3)] == ["done", "row behind", "done"]
        assert upstream.lines == ["hold it", "echo behind"]


@pytest.mark.parametrize("politely", [True, False])
async def test_a_client_that_leaves_a_hold_voids_it(politely: bool) -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        client.send("hold it")
        assert await client.line() == "held ap-1"
        if politely:
            await client.close()
        else:
            client.reset()
        session = made.engine.sessions[0]
        await eventually(lambda: session.closed_with)
        assert made.engine.voided == 1
        made.engine.approve.set()
        await asyncio.sleep(0.05)
        assert "hold it" not in upstream.lines
        assert session.closed_with == ["client_closed"]
        assert upstream.cancelled == []


async def test_a_client_that_pipelined_behind_a_hold_is_still_seen_to_leave() -> None:
    async with gateway(session=SessionOptions(buffer_high=10_000)) as (made, upstream):
        client = await made.login()
        client.send("hold it")
        assert await client.line() == "held ap-1"
        client.writer.write(b"echo " + b"x" * 900_000 + b"\n")
        await client.writer.drain()
        await client.close()
        session = made.engine.sessions[0]
        await eventually(lambda: session.closed_with)
        assert session.closed_with == ["client_closed"]
        assert made.engine.voided == 1
        assert upstream.lines in ([], ["bye"])


async def test_too_much_behind_a_hold_is_refused_by_the_relays_limit() -> None:
    async with gateway(session=SessionOptions(buffer_high=10_000)) as (made, upstream):
        client = await made.login()
        client.send("hold it")
        assert await client.line() == "held ap-1"
        client.writer.write(b"echo " + b"x" * 5_000_000 + b"\n")
        assert await client.line() == "too much"
        await eventually(lambda: made.engine.sessions[0].closed_with)
        assert made.engine.sessions[0].closed_with == ["buffer_limit"]
        assert made.engine.voided == 1
        assert upstream.lines in ([], ["bye"])


async def test_much_behind_a_running_command_is_not_read_until_it_is_over() -> None:
    async with gateway(session=SessionOptions(buffer_high=10_000)) as (made, upstream):
        client = await made.login()
        client.send("sleep")
        await eventually(lambda: upstream.lines)
        client.writer.write(b"echo " + b"x" * 20_000_000 + b"\n")
        await asyncio.sleep(0.2)
        (driver,) = made.live._drivers
        assert driver._relay.buffered < 1_000_000
        canceller = await made.connect()
        canceller.send("cancel key0")
        assert await client.line() == "cancelled"
        assert len(await client.line()) == 20_000_004
        assert await client.line() == "done"


async def test_a_cancel_request_voids_a_hold_and_the_session_goes_on() -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        client.send("hold it")
        assert await client.line() == "held ap-1"
        canceller = await made.connect()
        canceller.send("cancel key0")
        assert await canceller.rest() == b""
        assert await client.line() == "refused cancelled"
        client.send("echo on")
        assert [await client.line(), await client.line()] == ["row on", "done"]
        assert upstream.lines == ["echo on"]
        assert upstream.cancelled == []


@pytest.mark.parametrize("how", ["answer", "once"])
async def test_a_cancel_counts_even_if_the_wait_swallows_it(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpose.engine.waits._INSIST", 0.02)
    async with gateway() as (made, upstream):
        made.engine.swallow = how
        client = await made.login()
        client.send("hold it")
        assert await client.line() == "held ap-1"
        made.engine.cancel(b"key0")
        assert await client.line() == "refused cancelled"
        client.send("echo on")
        assert [await client.line(), await client.line()] == ["row on", "done"]
        assert upstream.lines == ["echo on"]
        assert [ended.outcome for ended in made.engine.sessions[0].ended] == (
            ["cut", "ok"] if how == "answer" else ["ok"]
        )


async def test_a_cancel_request_is_closed_only_when_the_upstream_has_taken_it() -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        client.send("sleep")
        await eventually(lambda: upstream.lines)
        canceller = await made.connect()
        canceller.send("cancel key0")
        assert await canceller.rest() == b""
        assert upstream.cancelled == ["1"]
        assert await client.line() == "cancelled"
        assert made.journal.of("login_failed") == []


async def test_a_cancel_with_a_foreign_key_or_for_an_idle_session_does_nothing() -> None:
    async with gateway() as (made, upstream):
        await made.login()
        for key in ("nonsense", "key0"):
            canceller = await made.connect()
            canceller.send(f"cancel {key}")
            assert await canceller.rest() == b""
        assert upstream.cancelled == []


async def test_many_cancel_requests_make_few_dialogues() -> None:
    async with gateway() as (made, upstream):
        await made.login()
        (driver,) = made.live._drivers
        for _ in range(100):
            made.cancels.start(driver._dialled, driver._spec.cancel)
        await made.cancels.settle()
        assert upstream.cancelled == ["1"]


async def test_a_client_that_leaves_a_running_command_has_it_cancelled() -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        client.send("sleep")
        await eventually(lambda: upstream.lines)
        client.reset()
        await eventually(lambda: upstream.cancelled)
        assert upstream.cancelled == ["1"]
        session = made.engine.sessions[0]
        assert session.closed_with == ["client_closed"]
        assert [ended.outcome for ended in session.ended] == ["cut"]


async def test_an_upstream_that_goes_is_told_readably() -> None:
    async with gateway() as (made, _):
        client = await made.login()
        client.send("drop")
        assert await client.rest() == b"row last\nupstream gone\n"
        await eventually(lambda: made.engine.sessions[0].closed_with)
        assert made.engine.sessions[0].closed_with == ["upstream_closed"]


async def test_rows_that_wait_to_be_shown_are_shown_before_the_upstreams_end() -> None:
    async with gateway() as (made, _):
        made.engine.show_later = True
        client = await made.login()
        client.send("drop")
        assert await client.rest() == b"row last\nupstream gone\n"


async def test_results_wait_for_a_release_that_must_ask() -> None:
    async with gateway() as (made, _):
        made.engine.show_later = True
        client = await made.login()
        client.send("echo a", "echo b")
        assert [await client.line() for _ in range(4)] == ["row a", "done", "row b", "done"]


@pytest.mark.parametrize("command", ["crash", "fault", "say crash"])
async def test_any_fault_closes_both_sides_and_says_nothing_of_the_data(command: str) -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        client.send(command)
        told = await client.rest()
        assert b"internal_error" in told or b"internal error" in told
        assert b"078-05" not in told
        session = made.engine.sessions[0]
        await eventually(lambda: session.closed_with)
        assert session.closed_with == ["internal_error"]
        await eventually(lambda: upstream.gone)
        ((_, who, failure),) = made.journal.of("failed")
        assert who == session.id
        assert "ValueError at" in failure
        assert "078-05" not in failure
        await eventually(lambda: len(made.live) == 0)


async def test_what_cannot_be_recorded_is_not_shown() -> None:
    async with gateway() as (made, _):
        client = await made.login()
        made.engine.sessions[0].recorder.failing = RecordingError("disk full")
        client.send("echo secret")
        assert await client.rest() == b"ended internal_error\n"
        await eventually(lambda: made.engine.sessions[0].closed_with)
        assert made.engine.sessions[0].closed_with == ["record_failed"]


async def test_an_ended_session_gets_a_last_word_and_what_ran_is_cancelled() -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        client.send("sleep")
        await eventually(lambda: upstream.lines)
        made.engine.sessions[0].end(Refusal("revoked", "your token was revoked"))
        assert await client.rest() == b"ended revoked\n"
        await eventually(lambda: upstream.cancelled)
        assert made.engine.sessions[0].closed_with == ["revoked"]


async def test_ending_a_held_session_voids_the_hold_before_the_books_are_closed() -> None:
    async with gateway() as (made, _):
        client = await made.login()
        client.send("hold it")
        assert await client.line() == "held ap-1"
        made.engine.sessions[0].end(Refusal("killed", "an operator ended it"))
        assert await client.rest() == b"ended killed\n"
        await eventually(lambda: made.engine.sessions[0].closed_with)
        assert made.engine.voided == 1


async def test_a_session_that_was_ended_while_it_was_dialling_never_begins() -> None:
    async with gateway() as (made, upstream):
        upstream.silent = True
        client = await made.connect()
        client.send("login alice toy good")
        await eventually(lambda: upstream.received)
        made.engine.sessions[0].end(Refusal("revoked", "your token was revoked"))
        upstream.silent = False
        (number,) = [upstream.count]
        assert number == 1
        client.reset()


async def test_draining_ends_idle_sessions_at_once_and_busy_ones_when_they_are_done() -> None:
    async with gateway() as (made, _):
        idle, busy = await made.login(), await made.login()
        busy.send("slow")
        assert await busy.line() == "row half"
        made.listener.close()
        cut = await made.live.drain(Refusal("draining", "shutting down"), 5.0)
        assert cut == 0
        assert await idle.rest() == b"ended draining\n"
        assert await busy.rest() == b"done\nended draining\n"
        assert {session.closed_with[0] for session in made.engine.sessions} == {"drained"}


async def test_draining_cuts_what_is_left_after_the_deadline() -> None:
    async with gateway() as (made, upstream):
        client = await made.login()
        client.send("sleep")
        await eventually(lambda: upstream.lines)
        assert await made.live.drain(Refusal("draining", "shutting down"), 0.05) == 1
        assert await client.rest() == b"ended draining\n"
        assert len(made.live) == 0
        await eventually(lambda: upstream.cancelled)
