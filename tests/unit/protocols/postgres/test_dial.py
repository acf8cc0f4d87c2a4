"""Logging in at an upstream."""

from __future__ import annotations

import pytest

from interpose.model.connection import Address, Connection
from interpose.model.errors import UpstreamError
from interpose.model.ids import ConnectionName
from interpose.protocols.contract import Credential
from interpose.protocols.dialogue import Done, Failed, Send, Step, UpgradeTls
from interpose.protocols.postgres.dial import Dialled, PostgresDial, major_version
from interpose.protocols.postgres.options import PostgresOptions, TlsMode
from interpose.protocols.postgres.startup import SSL_REQUEST_PACKET, decode_startup
from interpose.protocols.postgres.wire import frame
from tests.support.playbook import IDLE, columns, report, row, status, tag

OK = frame(b"R", b"\0\0\0\0")
REPORTS = (
    status("server_version", "17.2 (Debian)") + status("client_encoding", "UTF8") + frame(b"K", b"12345678") + IDLE
)
SHOWN = columns("search_path") + row(b"public") + tag("SHOW") + columns("role") + row(b"none") + tag("SHOW") + IDLE


def dial(
    tls: TlsMode = TlsMode.INSECURE_PLAINTEXT, *, md5: bool = False, requested: dict[str, str] | None = None
) -> PostgresDial:
    options = PostgresOptions("shop", "app", tls, "/ca.pem", None, md5)
    connection = Connection(ConnectionName("c"), "postgres", Address("db.internal", 5432), "env:X", options)
    return PostgresDial(connection, Credential("canary-secret"), requested or {})


def fault(steps: list[Step]) -> UpstreamError:
    (failed,) = [step for step in steps if isinstance(step, Failed)]
    assert isinstance(failed.error, UpstreamError)
    assert "canary" not in str(failed.error)
    assert "db.internal" not in failed.error.public_message
    return failed.error


def test_the_whole_way() -> None:
    made = dial(requested={"datestyle": "ISO"})
    (send,) = made.start()
    assert isinstance(send, Send)
    assert dict(decode_startup(send.data).parameters) == {
        "user": "app",
        "database": "shop",
        "datestyle": "ISO",
        "client_encoding": "UTF8",
        "standard_conforming_strings": "on",
    }
    (ask,) = made.received(OK + REPORTS)
    assert isinstance(ask, Send)
    (done,) = made.received(SHOWN + b"left")
    assert isinstance(done, Done)
    assert done.leftover == b"left"
    result = done.result
    assert isinstance(result, Dialled)
    assert (result.server_version, result.search_path, result.role, result.key) == (17, "public", "none", b"12345678")
    assert made.closed() == []


def test_bytes_cut_anywhere_give_the_same() -> None:
    made = dial()
    made.start()
    data = OK + REPORTS + SHOWN
    steps = [step for i in range(len(data)) for step in made.received(data[i : i + 1])]
    assert [type(step) for step in steps] == [Send, Done]


@pytest.mark.parametrize(
    ("mode", "verify"), [(TlsMode.VERIFY_FULL, "full"), (TlsMode.VERIFY_CA, "ca"), (TlsMode.REQUIRE, "none")]
)
def test_tls_comes_first(mode: TlsMode, verify: str) -> None:
    made = dial(mode)
    assert made.start() == [Send(SSL_REQUEST_PACKET)]
    assert made.received(b"S") == [UpgradeTls("db.internal", verify, "/ca.pem", ("postgresql",))]
    assert isinstance(made.tls_started(None)[0], Send)


@pytest.mark.parametrize("mode", [TlsMode.VERIFY_FULL, TlsMode.VERIFY_CA, TlsMode.REQUIRE])
def test_no_tls_no_login(mode: TlsMode) -> None:
    made = dial(mode)
    made.start()
    assert fault(made.received(b"N")).public_message == "the upstream offers no TLS"


def test_only_the_mode_that_names_the_risk_falls_back() -> None:
    made = dial(TlsMode.INSECURE_FALLBACK)
    made.start()
    assert isinstance(made.received(b"N")[0], Send)


def test_plain_bytes_behind_the_answer_to_the_tls_request_are_refused() -> None:
    made = dial(TlsMode.VERIFY_FULL)
    made.start()
    fault(made.received(b"S" + OK))


@pytest.mark.parametrize(
    ("request_", "word"),
    [(b"\0\0\0\3", "cleartext"), (b"\0\0\0\5salt", "MD5"), (b"\0\0\0\7", "GSSAPI"), (b"\0\0\0\x63", "method 99")],
)
def test_weak_authentication_is_refused(request_: bytes, word: str) -> None:
    made = dial()
    made.start()
    error = fault(made.received(frame(b"R", request_)))
    assert word in error.detail


def test_md5_only_by_its_named_option() -> None:
    made = dial(md5=True)
    made.start()
    (send,) = made.received(frame(b"R", b"\0\0\0\5salt"))
    assert isinstance(send, Send)
    # md5(md5("canary-secret" + "app") + "salt")
    assert send.data.startswith(b"p\0\0\0\x28md5")
    assert b"canary" not in send.data


def test_a_server_that_skips_its_proof_is_refused() -> None:
    made = dial()
    made.start()
    made.received(frame(b"R", b"\0\0\0\x0aSCRAM-SHA-256\0\0"))
    assert "did not prove" in fault(made.received(OK)).public_message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("28P01", "refused the gateway's credential"),
        ("53300", "takes no more connections"),
        ("57P03", "starting up"),
        ("XX000", "refused the gateway"),
    ],
)
def test_an_error_is_told_in_our_words(code: str, words: str) -> None:
    made = dial()
    made.start()
    error = fault(made.received(report(code=code, text='password authentication failed for user "app"')))
    assert words in error.public_message
    assert "app" not in error.public_message
    assert "app" in error.detail


@pytest.mark.parametrize("data", [b"Q\0\0\0\4", b"R\0\0\0\3", b"R\xff\xff\xff\xff", b"R\0\0\0\4", b"E\0\0\0\5x", IDLE])
def test_a_broken_protocol_fails(data: bytes) -> None:
    made = dial()
    made.start()
    fault(made.received(data))
    assert made.received(OK) == []


def test_an_upstream_that_hangs_up_fails() -> None:
    made = dial()
    made.start()
    fault(made.closed())


def test_an_upstream_that_does_not_take_the_pinned_settings_fails() -> None:
    made = dial()
    made.start()
    made.received(OK + status("client_encoding", "LATIN1") + IDLE)
    assert "client_encoding" in fault(made.received(SHOWN)).public_message


def test_versions_are_read() -> None:
    assert [major_version(text) for text in ("17.11", "18beta1", "15.18 (Debian)", "")] == [17, 18, 15, 0]
