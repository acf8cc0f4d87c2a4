"""The laws that every protocol passes, whatever it is sent (DESIGN, section 4)."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

import interpose.protocols
from interpose.masking.plan import build_plan
from interpose.model.command import Command
from interpose.model.ids import ApprovalId
from interpose.model.masks import MaskRule
from interpose.model.proofs import Clearance
from interpose.model.refusal import HoldNotice
from interpose.protocols.contract import LoginOptions
from interpose.protocols.intents import Answer, Ask, Close, Control, Forward, Part, Show, ShowAnswer, Showing, Treatment
from tests.conformance.drive import Drive, deny
from tests.conformance.subjects import CANARY, SEAL, SESSION, SUBJECTS, Subject
from tests.support.fake_postgres import FakePostgres

every_protocol = pytest.mark.parametrize("subject", SUBJECTS, ids=[subject.spec.name for subject in SUBJECTS])
NOTICE = HoldNotice(ApprovalId("ap-1"), "risky", ("dba",), 1, 900.0)
garbage = st.binary(max_size=200)
sizes = st.lists(st.integers(1, 40), max_size=20)


def test_every_protocol_is_under_law() -> None:
    folders = [module.name for module in pkgutil.iter_modules(interpose.protocols.__path__) if module.ispkg]
    specs = {importlib.import_module(f"interpose.protocols.{name}.spec").SPEC.name for name in folders}
    assert specs == {subject.spec.name for subject in SUBJECTS}


@every_protocol
def test_the_message_table_gives_a_reason_for_all_that_is_not_judged(subject: Subject) -> None:
    for rule in subject.spec.message_table.values():
        assert rule.treatment is Treatment.COMMAND or rule.reason


@every_protocol
@given(data=st.data())
def test_deny_all_sends_no_command(subject: Subject, data: st.DataObject) -> None:
    drive = Drive(subject, deny)
    drive.feed(data.draw(subject.client))
    assert drive.forwarded == b""
    rules = {rule.name: rule.treatment for rule in subject.spec.message_table.values()}
    for kind in drive.controls:
        assert kind.startswith("own:") or {rules[name] for name in kind.split("+")} == {Treatment.CONTROL}
    # Only the gateway's own questions were run by the server.
    assert {text for text, _ in drive.server.ran} <= {"SHOW search_path", "SHOW role"}


@every_protocol
@given(data=st.data())
def test_cutting_changes_no_decision_and_no_answer(subject: Subject, data: st.DataObject) -> None:
    sent = data.draw(subject.client)
    whole, cut = Drive(subject), Drive(subject)
    whole.feed(sent)
    cut.feed(sent, data.draw(sizes))
    # A command that its batch's failure will skip may or may not have been judged by then; it never runs.
    assert cut.server.ran == whole.server.ran
    assert cut.down == whole.down
    assert cut.closed == whole.closed


@every_protocol
@given(data=st.data())
def test_cutting_changes_no_decision_while_the_upstream_is_slow(subject: Subject, data: st.DataObject) -> None:
    sent = data.draw(subject.client)
    whole, cut = Drive(subject, slow=True), Drive(subject, slow=True)
    whole.feed(sent)
    cut.feed(sent, data.draw(sizes))
    assert cut.decisions == whole.decisions
    whole.settle()
    cut.settle()
    assert cut.decisions == whole.decisions
    assert (cut.server.ran, cut.down, cut.closed) == (whole.server.ran, whole.down, whole.closed)


@every_protocol
@given(data=st.data())
def test_what_runs_is_what_was_judged_under_the_path_it_runs_under(subject: Subject, data: st.DataObject) -> None:
    drive = Drive(subject)
    drive.feed(data.draw(subject.client))
    judged = [(text, path) for _, text, _, path in drive.decisions]
    for text, path in drive.server.ran:
        if not text.startswith("SHOW"):
            assert (text, ("pg_temp", "pg_catalog", path)) in judged
    # INVARIANT: every permit that was given is accounted for, once.
    if drive.closed is None and drive.relay.idle:
        assert sorted(id(ended.answer) for ended in drive.ended) == sorted(id(answer) for answer in drive.allowed)


@every_protocol
@given(upstream=st.lists(garbage, max_size=6), client=st.lists(garbage, max_size=6), good=st.data())
def test_any_bytes_give_intents_and_never_an_exception(
    subject: Subject, upstream: list[bytes], client: list[bytes], good: st.DataObject
) -> None:
    drive = Drive(subject)
    drive.feed(good.draw(subject.client))
    for up, down in zip(upstream, client, strict=False):
        if drive.closed is None:
            drive.carry_out(drive.relay.upstream_bytes(up))
        if drive.closed is None:
            drive.carry_out(drive.relay.client_bytes(down))
    assert drive.closed != "internal_error"
    if drive.closed is not None:
        assert drive.relay.client_bytes(b"x") == []
        assert drive.relay.upstream_bytes(b"x") == []
        assert drive.relay.buffered == 0


@every_protocol
@given(data=st.binary(max_size=300))
def test_a_login_takes_any_bytes(subject: Subject, data: bytes) -> None:

    login = subject.spec.login(LoginOptions(tls=False, allow_plaintext_tokens=True))
    for start in range(0, len(data), 7):
        login.client_bytes(data[start : start + 7])


@every_protocol
@given(pieces=st.lists(st.binary(min_size=1, max_size=300), max_size=20))
def test_bytes_that_come_during_a_hold_stay_under_the_limit(subject: Subject, pieces: list[bytes]) -> None:
    relay = subject.relay(max_buffer=1000)
    relay.start()
    assert isinstance(relay.client_bytes(subject.command)[-1], Ask)
    relay.holding(NOTICE)
    for piece in pieces:
        intents = relay.client_bytes(piece)
        assert relay.buffered <= 1000
        assert not any(isinstance(intent, Forward | Part) for intent in intents)


@every_protocol
def test_a_refusal_is_readable_and_the_session_goes_on(subject: Subject) -> None:
    drive = Drive(subject, deny)
    drive.feed(subject.command)
    assert subject.is_refusal(drive.down)
    assert drive.closed is None
    drive.judge = drive.allow
    drive.feed(subject.command)
    assert drive.forwarded == subject.command


@every_protocol
def test_a_hold_whose_client_leaves_is_closed(subject: Subject) -> None:
    relay = subject.relay()
    relay.start()
    relay.client_bytes(subject.command)
    relay.holding(NOTICE)
    assert isinstance(relay.client_closed()[-1], Close)
    assert not any(isinstance(intent, Forward | Part | Control) for intent in relay.client_bytes(subject.command))


@every_protocol
@given(data=st.data(), width=st.integers(1, 4), depth=st.integers(0, 5))
def test_a_canary_under_a_masking_rule_never_reaches_the_client(
    subject: Subject, data: st.DataObject, width: int, depth: int
) -> None:
    drive = Drive(subject)
    drive.server = FakePostgres(rows=tuple((CANARY,) * width for _ in range(depth)))

    def judge(command: Command) -> Answer:
        return drive.allow(command, describe=True)

    def show(asked: Show) -> ShowAnswer:
        rules = [MaskRule("redact")] * len(asked.shape.columns)
        return Showing(Clearance(SEAL, SESSION, True), build_plan(asked.shape, rules, {}, b"k" * 16))

    drive.judge, drive.show = judge, show
    drive.feed(data.draw(subject.client), data.draw(sizes))
    assert CANARY not in drive.down
