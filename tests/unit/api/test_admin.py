"""The admin API: nobody sees or does anything that policy does not permit, and what cannot be seen does not exist."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from starlette.applications import Starlette

from interpose.api.admin import AdminApi
from interpose.api.ports import Found, SessionQuery
from interpose.api.routes import application
from interpose.engine.authenticate import Authentication
from interpose.engine.callers import CallerProof
from interpose.engine.limits import Limits
from interpose.engine.ports import Approval, SessionRow
from interpose.model.actions import Action
from interpose.model.audit import AuditEvent, AuditKind
from interpose.model.decisions import ApprovalRule
from interpose.model.errors import AuthenticationError, ConfigurationError, Problem
from interpose.model.ids import ApprovalId, ConnectionName, PolicyId, SessionId, SnapshotDigest
from interpose.model.principal import Identity, Principal, PrincipalKind
from interpose.model.refusal import Refusal
from tests.support.asgi import Answer, call
from tests.support.memory import ManualClock

ALICE = Principal(PrincipalKind.USER, "alice", frozenset({"support"}))
CAROL = Principal(PrincipalKind.USER, "carol", frozenset({"dba"}))
ERIN = Principal(PrincipalKind.USER, "erin", frozenset({"auditors"}))
TOKENS = {"token-a": ALICE, "token-c": CAROL, "token-e": ERIN}
SESSION = SessionRow(SessionId("s_1"), "User:alice", ConnectionName("orders"), "postgres", "192.0.2.9", 100.0)
OTHER = SessionRow(SessionId("s_2"), "User:bob", ConnectionName("payments"), "postgres", "192.0.2.9", 200.0)
HELD = Approval(
    ApprovalId("ap-1"),
    SessionId("s_1"),
    ALICE,
    ConnectionName("orders"),
    "update orders set x = 1 where id = 2",
    "digest",
    (ApprovalRule(PolicyId("p"), "dba"),),
    "risky",
    SnapshotDigest("d"),
    1.0,
    2.0,
)


class House:
    """Every port of the API in memory. `rights` are (principal, action, connection) that policy permits."""

    def __init__(self) -> None:
        self.rights: set[tuple[str, Action, str | None]] = set()
        self.events: list[AuditEvent] = []
        self.ended: list[tuple[str, str, str]] = []
        self.said: list[tuple[str, str, str]] = []
        self.following: list[bytes] = [b"frame", b""]
        self.lost = False
        self.votes: list[tuple[str, str, bool, str]] = []
        self.broken: ConfigurationError | None = None
        self.vote_answer: Approval | Refusal = HELD
        self.complaint = ""
        self.door = Authentication(self, self, ManualClock(), Limits(login_failures=1, login_window=60.0))  # type: ignore[arg-type]

    def application(self) -> Starlette:
        """The API over this house."""
        api = AdminApi(
            self.door,
            self,
            self,  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            self,
            self,
            lambda: ["orders", "payments"],
        )
        return application(api)

    async def bearer(self, token: str) -> Identity:
        if token not in TOKENS or self.lost:
            raise AuthenticationError("authentication failed")
        return Identity(TOKENS[token], "token")

    def barred(
        self, caller: Identity, action: Action, connection: ConnectionName | None, source: str
    ) -> Refusal | None:
        assert source == "192.0.2.1"
        permitted = (caller.principal.name, action, connection) in self.rights
        return None if permitted else Refusal("not_permitted", "policy does not permit it")

    async def pending_for(self, principal: Principal, proof: CallerProof) -> list[Approval]:
        assert proof == CallerProof("token", "192.0.2.1")
        return [HELD] if "dba" in principal.groups else []

    def concerns(self, approval: Approval, principal: Principal) -> bool:
        return any(rule.approvers in principal.groups for rule in approval.rules)

    async def pending(self) -> Sequence[Approval]:
        return [HELD]

    async def vote(
        self, approval: ApprovalId, voter: Principal, approve: bool, comment: str, proof: CallerProof
    ) -> Approval | Refusal:
        assert proof == CallerProof("token", "192.0.2.1")
        self.votes.append((approval, voter.name, approve, comment))
        return self.vote_answer

    async def list(self, query: SessionQuery) -> Sequence[SessionRow]:
        return [OTHER, SESSION]

    async def get(self, name: str) -> SessionRow | Approval | None:
        return {"s_1": SESSION, "s_2": OTHER, "ap-1": HELD}.get(name)

    def recording(self, session: SessionId) -> AsyncIterator[bytes] | None:
        async def frames() -> AsyncIterator[bytes]:
            yield b"frame"

        return frames()

    async def search(self, text: str, query: SessionQuery, connections: frozenset[str]) -> AsyncIterator[Found]:
        for row in (SESSION, OTHER):
            if row.connection in connections:
                yield Found(row.id, row.principal, row.connection, 1.0, "permit", text)

    def follow(self, session: SessionId) -> AsyncIterator[bytes] | None:
        async def frames() -> AsyncIterator[bytes]:
            for piece in self.following:
                yield piece
                if piece == b"lost token":
                    self.lost = True
                if piece == b"revoked":
                    self.rights.discard(("carol", Action.REPLAY, "orders"))

        return frames()

    def end(self, session: SessionId, by: str, reason: str) -> None:
        self.ended.append((session, by, reason))

    def say(self, session: SessionId, by: str, text: str) -> None:
        self.said.append((session, by, text))

    async def reload(self) -> str:
        if self.broken is not None:
            raise self.broken
        return "abc"

    def health(self) -> tuple[bool, dict[str, str]]:
        return not self.complaint, {"audit": self.complaint or "ok"}

    async def metrics(self) -> bytes:
        return b"interpose_sessions 1\n"

    def append(self, event: AuditEvent) -> int:
        self.events.append(event)
        return len(self.events)


@pytest.fixture
def house() -> House:
    """An empty house: nobody may do anything."""
    return House()


async def ask(house: House, method: str, path: str, token: str | None = "token-c", body: bytes = b"") -> Answer:
    """One request to this house."""
    return await call(house.application(), method, path, token=token, body=body)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/whoami"),
        ("GET", "/v1/approvals"),
        ("GET", "/v1/approvals/ap-1"),
        ("POST", "/v1/approvals/ap-1/approve"),
        ("POST", "/v1/approvals/ap-1/deny"),
        ("GET", "/v1/sessions"),
        ("GET", "/v1/sessions/s_1"),
        ("GET", "/v1/sessions/s_1/recording"),
        ("POST", "/v1/sessions/s_1/end"),
        ("GET", "/v1/search?q=x"),
        ("POST", "/v1/reload"),
    ],
)
async def test_nothing_is_answered_without_a_good_token(house: House, method: str, path: str) -> None:
    for token in (None, "wrong"):
        answer = await ask(house, method, path, token)
        assert answer.status == 401
        assert json.loads(answer.body)["code"] == "authentication_failed"
    assert [event.kind for event in house.events] == [AuditKind.LOGIN_FAILED]
    assert not house.votes and not house.ended


async def test_guessing_tokens_is_bounded(house: House) -> None:
    application = house.application()
    for _ in range(3):
        assert (await call(application, "GET", "/v1/whoami", token="wrong")).status == 401
    assert (await call(application, "GET", "/v1/whoami", token="token-c")).status == 429
    assert [event.fields["reason"] for event in house.events] == ["wrong_evidence"] * 3 + ["too_many_attempts"]


async def test_whoami(house: House) -> None:
    answer = json.loads((await ask(house, "GET", "/v1/whoami")).body)
    assert (answer["name"], answer["kind"], answer["groups"]) == ("carol", "User", ["dba"])


async def test_a_list_of_approvals_tells_what_one_may_decide_and_what_is_ones_own(house: House) -> None:
    carol = json.loads((await ask(house, "GET", "/v1/approvals")).body)
    assert [each["id"] for each in carol["to_decide"]] == ["ap-1"] and carol["own"] == []
    alice = json.loads((await ask(house, "GET", "/v1/approvals", "token-a")).body)
    assert alice["to_decide"] == [] and [each["id"] for each in alice["own"]] == ["ap-1"]
    erin = json.loads((await ask(house, "GET", "/v1/approvals", "token-e")).body)
    assert erin == {"to_decide": [], "own": []}


async def test_an_approval_that_one_has_no_part_in_does_not_exist(house: House) -> None:
    assert (await ask(house, "GET", "/v1/approvals/ap-1", "token-a")).status == 200
    assert (await ask(house, "GET", "/v1/approvals/ap-1", "token-c")).status == 200
    hidden = await ask(house, "GET", "/v1/approvals/ap-1", "token-e")
    absent = await ask(house, "GET", "/v1/approvals/ap-9", "token-e")
    assert (hidden.status, hidden.body) == (absent.status, absent.body) == (404, absent.body)
    house.rights.add(("erin", Action.AUDIT, "orders"))
    assert (await ask(house, "GET", "/v1/approvals/ap-1", "token-e")).status == 200


async def test_what_is_narrowed_shows_no_approval_on_another_connection(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for connections, status in (({"orders"}, 200), ({"payments"}, 404)):
        narrowed = Identity(CAROL, "token", connections=frozenset(map(ConnectionName, connections)))
        monkeypatch.setattr(house, "bearer", _always(narrowed))
        assert (await ask(house, "GET", "/v1/approvals/ap-1")).status == status


def _always(identity: Identity) -> Callable[[str], Awaitable[Identity]]:
    async def bearer(_: str) -> Identity:
        return identity

    return bearer


async def test_a_vote_is_cast_as_its_caller(house: House) -> None:
    answer = await ask(house, "POST", "/v1/approvals/ap-1/deny", body=b'{"comment": "not now"}')
    assert answer.status == 200
    assert house.votes == [("ap-1", "carol", False, "not now")]


@pytest.mark.parametrize("path", ["approvals/ap-1/approve", "sessions/s_1/end", "sessions/s_1/say", "credentials"])
async def test_a_request_that_is_held_back_does_not_outlive_its_token(house: House, path: str) -> None:
    house.rights = {("carol", Action.AUDIT, "orders"), ("carol", Action.ADMINISTER, None)}

    def lose() -> None:
        house.lost = True

    answer = await call(
        house.application(), "POST", f"/v1/{path}", token="token-c", body=b'{"text": "x"}', meanwhile=lose
    )
    assert answer.status == 401
    assert not house.votes and not house.ended and not house.said


async def test_a_vote_that_does_not_count_says_why(house: House) -> None:
    house.vote_answer = Refusal("own_command", "nobody approves their own command", "ask somebody else")
    answer = await ask(house, "POST", "/v1/approvals/ap-1/approve")
    assert answer.status == 403
    assert json.loads(answer.body)["message"] == "nobody approves their own command"


@pytest.mark.parametrize("body", [b"{", b'{"coment": "x"}', b'{"comment": 1}', b"x" * 70_000])
async def test_a_body_that_is_not_understood_is_refused(house: House, body: bytes) -> None:
    assert (await ask(house, "POST", "/v1/approvals/ap-1/approve", body=body)).status == 400
    assert not house.votes


async def test_sessions_are_seen_by_whom_they_belong_to_and_by_auditors(house: House) -> None:
    async def seen(token: str) -> list[str]:
        return [row["id"] for row in json.loads((await ask(house, "GET", "/v1/sessions", token)).body)]

    assert await seen("token-a") == ["s_1"]
    assert await seen("token-e") == []
    house.rights.add(("erin", Action.AUDIT, "payments"))
    assert await seen("token-e") == ["s_2"]


async def test_a_session_that_may_not_be_seen_does_not_exist(house: House) -> None:
    hidden = await ask(house, "GET", "/v1/sessions/s_2", "token-a")
    absent = await ask(house, "GET", "/v1/sessions/s_9", "token-a")
    assert (hidden.status, hidden.body) == (404, absent.body)


async def test_a_recording_needs_the_right_to_replay_and_its_reading_is_recorded_first(house: House) -> None:
    house.rights.add(("carol", Action.AUDIT, "orders"))
    assert (await ask(house, "GET", "/v1/sessions/s_1/recording")).status == 403
    assert not house.events
    house.rights.add(("carol", Action.REPLAY, "orders"))
    answer = await ask(house, "GET", "/v1/sessions/s_1/recording")
    assert (answer.status, answer.body) == (200, b"frame")
    assert [(event.kind, event.session, event.actor) for event in house.events] == [
        (AuditKind.RECORDING_READ, "s_1", "User:carol")
    ]


async def test_ones_own_session_is_not_ones_own_recording(house: House) -> None:
    assert (await ask(house, "GET", "/v1/sessions/s_1/recording", "token-a")).status == 403


async def test_a_search_looks_only_where_one_may_replay(house: House) -> None:
    house.rights.add(("carol", Action.REPLAY, "orders"))
    answer = await ask(house, "GET", "/v1/search?q=drop")
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert [(line["session"], line["text"]) for line in lines] == [("s_1", "drop")]
    assert house.events[0].kind is AuditKind.RECORDING_READ
    assert (await ask(house, "GET", "/v1/search")).status == 400


async def test_ending_a_session_needs_the_right_to_administer(house: House) -> None:
    house.rights.add(("carol", Action.AUDIT, "orders"))
    assert (await ask(house, "POST", "/v1/sessions/s_1/end")).status == 403
    assert not house.ended
    house.rights.add(("carol", Action.ADMINISTER, None))
    assert (await ask(house, "POST", "/v1/sessions/s_1/end")).status == 202
    assert house.ended == [("s_1", "User:carol", "")]
    body = json.dumps({"reason": "lunch\x1b]0;"}).encode()
    assert (await ask(house, "POST", "/v1/sessions/s_1/end", body=body)).status == 202
    assert house.ended[1] == ("s_1", "User:carol", "lunch\\x1b]0;")
    assert house.events[-1].fields["reason"] == "lunch\\x1b]0;"
    assert house.events[-1].kind is AuditKind.ADMINISTERED


async def test_a_message_to_a_user_needs_the_right_to_administer_and_is_harmless(house: House) -> None:
    body = json.dumps({"text": "hello\x1b[2J\u202e"}).encode()
    house.rights.add(("carol", Action.AUDIT, "orders"))
    assert (await ask(house, "POST", "/v1/sessions/s_1/say", body=body)).status == 403
    house.rights.add(("carol", Action.ADMINISTER, None))
    assert (await ask(house, "POST", "/v1/sessions/s_1/say", body=b'{"text": " "}')).status == 400
    assert not house.said
    assert (await ask(house, "POST", "/v1/sessions/s_1/say", body=body)).status == 202
    assert house.said == [("s_1", "User:carol", "hello\\x1b[2J\\u202e")]
    assert house.events[-1].kind is AuditKind.ADMINISTERED
    assert house.events[-1].fields["what"] == "say"


async def test_nobody_hears_a_message_after_the_session(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.rights |= {("carol", Action.AUDIT, "orders"), ("carol", Action.ADMINISTER, None)}
    over = dataclasses.replace(SESSION, closed_at=300.0)

    async def get(name: str) -> SessionRow:
        return over

    monkeypatch.setattr(house, "get", get)
    assert (await ask(house, "POST", "/v1/sessions/s_1/say", body=b'{"text": "x"}')).status == 400
    assert not house.said


async def test_watching_is_recorded_as_such_and_ends_with_the_right_to_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interpose.api.admin.ASK_AGAIN", -1.0)
    house.rights |= {("carol", Action.AUDIT, "orders")}
    assert (await ask(house, "GET", "/v1/sessions/s_1/recording?follow=true")).status == 403
    house.rights |= {("carol", Action.REPLAY, "orders")}
    house.following = [b"one", b"", b"revoked", b"two"]
    answer = await ask(house, "GET", "/v1/sessions/s_1/recording?follow=true")
    assert answer.body == b"onerevoked"
    assert house.events[-1].fields["how"] == "watch"


async def test_watching_ends_with_the_token(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpose.api.admin.ASK_AGAIN", -1.0)
    house.rights |= {("carol", Action.AUDIT, "orders"), ("carol", Action.REPLAY, "orders")}
    house.following = [b"one", b"lost token", b"two"]
    answer = await ask(house, "GET", "/v1/sessions/s_1/recording?follow=true")
    assert answer.body == b"onelost token"


async def test_a_reload_that_fails_tells_every_problem(house: House) -> None:
    assert (await ask(house, "POST", "/v1/reload")).status == 403
    house.rights.add(("carol", Action.ADMINISTER, None))
    assert json.loads((await ask(house, "POST", "/v1/reload")).body) == {"snapshot": "abc"}
    house.broken = ConfigurationError("1 problem", problems=(Problem("typo", file="a.cedar", line=3),))
    answer = await ask(house, "POST", "/v1/reload")
    assert answer.status == 422
    assert json.loads(answer.body)["problems"] == ["a.cedar:3: typo"]


async def test_machines_ask_without_a_token(house: House) -> None:
    assert (await ask(house, "GET", "/healthz", None)).status == 200
    assert (await ask(house, "GET", "/readyz", None)).status == 200
    assert (await ask(house, "GET", "/metrics", None)).body == b"interpose_sessions 1\n"
    house.complaint = "disk full"
    answer = await ask(house, "GET", "/readyz", None)
    assert (answer.status, answer.body) == (503, b"audit: disk full\n")


async def test_answers_are_not_cached_or_sniffed(house: House) -> None:
    answer = await ask(house, "GET", "/v1/whoami")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_bounds_of_a_list_are_numbers(house: House) -> None:
    assert (await ask(house, "GET", "/v1/sessions?limit=many")).status == 400


@pytest.mark.parametrize(
    "query", ["live=yes", "limit=0", "limit=10001", "limit=x", "since=nan", "since=inf", "since=x"]
)
async def test_a_query_that_makes_no_sense_is_refused(house: House, query: str) -> None:
    assert (await ask(house, "GET", f"/v1/sessions?{query}")).status == 400


async def test_following_is_asked_for_in_words_that_are_known(house: House) -> None:
    house.rights = {("carol", action, "orders") for action in (Action.AUDIT, Action.REPLAY)}
    assert (await ask(house, "GET", "/v1/sessions/s_1/recording?follow=1")).status == 400
    assert not house.events


async def test_an_address_that_is_none_is_told_as_every_error_is(house: House) -> None:
    nowhere = await ask(house, "GET", "/v1/nowhere")
    wrong = await ask(house, "DELETE", "/v1/sessions")
    assert (nowhere.status, wrong.status) == (404, 405)
    assert json.loads(nowhere.body)["code"] == json.loads(wrong.body)["code"] == "no_such_address"
    assert set(wrong.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_every_refusal_is_a_status_of_a_request_never_a_fault(house: House) -> None:
    for code, status in (("already_delegated", 403), ("own_command", 403), ("of_a_kind_that_is_new", 400)):
        house.vote_answer = Refusal(code, "no")
        assert (await ask(house, "POST", "/v1/approvals/ap-1/approve")).status == status
