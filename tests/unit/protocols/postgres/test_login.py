"""The client's handshake."""

from __future__ import annotations

import pytest

from interpose.model.refusal import ConfirmationNotice, Refusal
from interpose.protocols.contract import BrowserLogin, LoginOptions
from interpose.protocols.intents import CancelAsked, Close, Confirm, LoginIntent, Prove, Reply, StartTls
from interpose.protocols.postgres.backend import AUTHENTICATION_OK, CLEARTEXT_PASSWORD, read_fields
from interpose.protocols.postgres.login import PostgresLogin
from interpose.protocols.postgres.startup import (
    MAX_PASSWORD,
    SSL_REQUEST_PACKET,
    Startup,
    encode_cancel,
    encode_startup,
)
from interpose.protocols.postgres.wire import frame

TLS = LoginOptions()
PLAIN = LoginOptions(tls=False, allow_plaintext_tokens=True)
GSSENC = b"\0\0\0\x08\x04\xd2\x16\x30"
PASSWORD = frame(b"p", b"token\0")
ASKING = ("options", "-c interpose.login=browser")
NOTICE = ConfirmationNotice("https://gw.example/confirm", "BCDF-GHJK", "alice", "orders-prod", "192.0.2.9", 120.0)


def offering(browser: BrowserLogin) -> LoginOptions:
    return LoginOptions(tls=False, allow_plaintext_tokens=True, browser=browser)


def startup(*parameters: tuple[str, str], minor: int = 0) -> bytes:
    return encode_startup(Startup(minor, (("user", "alice"), ("database", "orders-prod"), *parameters)))


def sqlstate(intents: list[LoginIntent]) -> str:
    """Of a refusal: a readable last word, and then the end."""
    reply, close = intents[-2:]
    assert isinstance(reply, Reply)
    assert isinstance(close, Close)
    fields = read_fields(reply.data[5:])
    assert fields["S"] == "FATAL"
    return fields["C"]


def test_the_whole_way_in_clear() -> None:
    login = PostgresLogin(PLAIN)
    assert login.client_bytes(startup(("DateStyle", "ISO"), ("application_name", "psql"))) == [
        Reply(CLEARTEXT_PASSWORD)
    ]
    (prove,) = login.client_bytes(PASSWORD + b"Q\0")
    assert isinstance(prove, Prove)
    evidence = prove.evidence
    assert (evidence.claimed_name, evidence.connection, evidence.token) == ("alice", "orders-prod", "token")
    assert evidence.details == {"protocol": "3.0", "tls": "no", "application_name": "psql"}
    assert "token" not in repr(evidence)
    assert login.requested == {"datestyle": "ISO", "application_name": "psql"}
    assert login.accepted() == [Reply(AUTHENTICATION_OK)]
    assert login.leftover() == b"Q\0"


def test_bytes_cut_anywhere_give_the_same() -> None:
    login = PostgresLogin(PLAIN)
    data = startup() + PASSWORD
    intents = [intent for i in range(len(data)) for intent in login.client_bytes(data[i : i + 1])]
    assert [type(intent) for intent in intents] == [Reply, Prove]


def test_tls_by_request() -> None:
    login = PostgresLogin(TLS)
    assert login.client_bytes(SSL_REQUEST_PACKET) == [Reply(b"S"), StartTls()]
    assert login.tls_started(None) == []
    assert login.client_bytes(startup()) == [Reply(CLEARTEXT_PASSWORD)]


def test_gssapi_is_answered_no_and_tls_may_follow() -> None:
    login = PostgresLogin(TLS)
    assert login.client_bytes(GSSENC) == [Reply(b"N")]
    assert login.client_bytes(SSL_REQUEST_PACKET) == [Reply(b"S"), StartTls()]


def test_clear_bytes_behind_a_tls_request_are_never_read() -> None:
    for pieces in ([SSL_REQUEST_PACKET + startup()], [SSL_REQUEST_PACKET, startup()]):
        login = PostgresLogin(TLS)
        intents = [intent for piece in pieces for intent in login.client_bytes(piece)]
        assert isinstance(intents[-1], Close)
        assert not any(isinstance(intent, Prove) for intent in intents)


@pytest.mark.parametrize(("alpn", "closes"), [("postgresql", False), (None, True), ("http/1.1", True)])
def test_direct_tls_needs_its_alpn(alpn: str | None, closes: bool) -> None:
    login = PostgresLogin(TLS)
    assert login.client_bytes(b"\x16\x03\x01") == [StartTls(b"\x16\x03\x01")]
    intents = login.tls_started(alpn)
    assert bool(intents) is closes


def test_without_a_certificate_tls_is_answered_no_and_direct_tls_closes() -> None:
    assert PostgresLogin(PLAIN).client_bytes(SSL_REQUEST_PACKET) == [Reply(b"N")]
    assert PostgresLogin(PLAIN).client_bytes(b"\x16\x03\x01") == [Close("tls_not_offered")]


def test_a_token_is_never_asked_for_in_clear_unless_the_risk_is_taken() -> None:
    assert sqlstate(PostgresLogin(TLS).client_bytes(startup())) == "28000"


@pytest.mark.parametrize(
    ("minor", "options", "agreed", "negotiates"),
    [(0, (), 0, False), (1, (), 0, True), (2, (), 2, False), (9999, (), 2, True), (2, (("_pq_.x", "1"),), 2, True)],
)
def test_the_version_is_negotiated(
    minor: int, options: tuple[tuple[str, str], ...], agreed: int, negotiates: bool
) -> None:
    login = PostgresLogin(PLAIN)
    intents = login.client_bytes(startup(*options, minor=minor))
    assert login.minor == agreed
    assert isinstance(intents[0], Reply)
    assert (intents[0].data[:1] == b"v") is negotiates


@pytest.mark.parametrize("secret", [b"1234", b"x" * 32])
def test_a_cancel_request_carries_its_key(secret: bytes) -> None:
    assert PostgresLogin(TLS).client_bytes(encode_cancel(b"pid!" + secret)) == [CancelAsked(b"pid!" + secret)]


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\3",
        b"\x7f\xff\xff\xff",
        b"\xff\xff\xff\xff",
        encode_startup(Startup(0, (("database", "x"),))),
        encode_startup(Startup(0, (("user", "x"), ("user", "y")))),
        startup(("role", "postgres")),
        startup(("replication", "true")),
        startup() + startup(),
        startup() + frame(b"Q", b"select 1\0"),
        startup() + frame(b"p", b"to\0ken\0"),
        startup() + frame(b"p", b"\0"),
        startup() + b"p\xff\xff\xff\xff",
        SSL_REQUEST_PACKET + SSL_REQUEST_PACKET,
    ],
)
def test_what_is_wrong_gets_a_readable_last_word(data: bytes) -> None:
    login = PostgresLogin(LoginOptions(tls=False, allow_plaintext_tokens=True))
    intents = login.client_bytes(data)
    if data.startswith(SSL_REQUEST_PACKET):
        assert intents == [Reply(b"N"), Reply(b"N")]
        return
    assert sqlstate(intents)
    assert login.client_bytes(startup()) == []
    assert not any(isinstance(intent, Prove) for intent in intents)


def test_a_refused_login_is_readable() -> None:
    login = PostgresLogin(PLAIN)
    login.client_bytes(startup() + PASSWORD)
    assert sqlstate(login.refused(Refusal("authentication_failed", "wrong name or token"))) == "28P01"
    assert login.accepted() == []


def test_bytes_before_the_answer_are_bounded() -> None:
    login = PostgresLogin(PLAIN)
    login.client_bytes(startup() + PASSWORD)
    assert login.client_bytes(b"x" * 60_000) == []
    assert sqlstate(login.client_bytes(b"x" * 60_000)) == "08P01"


def test_the_database_defaults_to_the_name() -> None:
    login = PostgresLogin(PLAIN)
    (_, prove) = login.client_bytes(encode_startup(Startup(0, (("user", "alice"),))) + PASSWORD)
    assert isinstance(prove, Prove)
    assert prove.evidence.connection == "alice"


def test_a_password_has_room_for_a_workload_token_and_an_end() -> None:
    login = PostgresLogin(PLAIN)
    login.client_bytes(startup())
    longest = "e" * (MAX_PASSWORD - 5)
    (prove,) = login.client_bytes(frame(b"p", longest.encode() + b"\0"))
    assert isinstance(prove, Prove)
    assert prove.evidence.token == longest
    login = PostgresLogin(PLAIN)
    login.client_bytes(startup())
    # Refused by its length, before the rest is there.
    assert sqlstate(login.client_bytes(frame(b"p", longest.encode() + b"e\0")[:5])) == "08P01"


def test_a_certificate_is_the_evidence_and_no_password_is_asked_for() -> None:
    login = PostgresLogin(TLS)
    login.client_bytes(SSL_REQUEST_PACKET)
    assert login.tls_started(None, b"der") == []
    (prove,) = login.client_bytes(startup() + b"Q\0")
    assert isinstance(prove, Prove)
    evidence = prove.evidence
    assert (evidence.claimed_name, evidence.token, evidence.certificate) == ("alice", "", b"der")
    assert "certificate" not in repr(evidence)
    assert login.accepted() == [Reply(AUTHENTICATION_OK)]
    assert login.leftover() == b"Q\0"


def test_a_certificate_that_is_refused_ends_the_login_with_a_word() -> None:
    login = PostgresLogin(TLS)
    login.client_bytes(SSL_REQUEST_PACKET)
    login.tls_started("postgresql", b"der")
    login.client_bytes(startup())
    reply, close = login.refused(Refusal("certificate_refused", "your certificate was revoked"))
    assert isinstance(reply, Reply) and b"C28000" in reply.data and b"was revoked" in reply.data
    assert close == Close("certificate_refused")
    assert login.client_bytes(PASSWORD) == []


@pytest.mark.parametrize(
    "parameter", [ASKING, ("interpose.login", "Browser"), ("options", "--interpose.login=browser")]
)
def test_a_client_may_ask_for_the_browser(parameter: tuple[str, str]) -> None:
    login = PostgresLogin(offering(BrowserLogin.OFFERED))
    (confirm,) = login.client_bytes(startup(parameter, ("application_name", "psql")))
    assert isinstance(confirm, Confirm)
    assert (confirm.evidence.claimed_name, confirm.evidence.connection) == ("alice", "orders-prod")
    assert confirm.evidence.token == ""
    assert login.requested == {"application_name": "psql"}, "the setting is the gateway's own"
    (reply,) = login.confirming(NOTICE)
    assert isinstance(reply, Reply)
    assert reply.data.startswith(AUTHENTICATION_OK + b"N"), "libpq takes no notice before that"
    assert b"BCDF-GHJK" in reply.data
    assert login.confirming(NOTICE) == []
    assert login.accepted() == [], "AuthenticationOk was said"


@pytest.mark.parametrize("word", [b"", b"browser", b" Browser "])
def test_a_word_in_the_place_of_the_password_asks_for_the_browser(word: bytes) -> None:
    login = PostgresLogin(offering(BrowserLogin.OFFERED))
    assert login.client_bytes(startup()) == [Reply(CLEARTEXT_PASSWORD)]
    (confirm,) = login.client_bytes(frame(b"p", word + b"\0"))
    assert isinstance(confirm, Confirm)


def test_a_token_is_a_token_where_the_browser_is_offered() -> None:
    login = PostgresLogin(offering(BrowserLogin.OFFERED))
    (_, prove) = login.client_bytes(startup() + PASSWORD)
    assert isinstance(prove, Prove)


def test_always_asks_nobody_for_a_password_but_believes_a_certificate() -> None:
    login = PostgresLogin(offering(BrowserLogin.ALWAYS))
    (confirm,) = login.client_bytes(startup())
    assert isinstance(confirm, Confirm)
    login = PostgresLogin(LoginOptions(browser=BrowserLogin.ALWAYS))
    login.client_bytes(SSL_REQUEST_PACKET)
    login.tls_started(None, b"certificate")
    (prove,) = login.client_bytes(startup(ASKING))
    assert isinstance(prove, Prove)
    assert prove.evidence.certificate == b"certificate"


def test_where_it_is_not_offered_the_browser_is_refused_and_the_word_is_no_token() -> None:
    login = PostgresLogin(PLAIN)
    assert sqlstate(login.client_bytes(startup(ASKING))) == "28000"
    login = PostgresLogin(PLAIN)
    (_, prove) = login.client_bytes(startup() + frame(b"p", b"browser\0"))
    assert isinstance(prove, Prove)
    login = PostgresLogin(PLAIN)
    assert sqlstate(login.client_bytes(startup() + frame(b"p", b"\0"))) == "28P01"


def test_a_refusal_after_the_notice_is_readable() -> None:
    login = PostgresLogin(offering(BrowserLogin.ALWAYS))
    login.client_bytes(startup())
    login.confirming(NOTICE)
    assert sqlstate(login.refused(Refusal("confirmation_expired", "nobody confirmed"))) == "28000"
    assert login.confirming(NOTICE) == []


def test_what_a_client_sends_while_it_waits_is_bounded() -> None:
    login = PostgresLogin(offering(BrowserLogin.ALWAYS))
    login.client_bytes(startup())
    login.confirming(NOTICE)
    assert login.client_bytes(b"Q" * 1000) == []
    assert sqlstate(login.client_bytes(b"Q" * 70_000)) == "08P01"
