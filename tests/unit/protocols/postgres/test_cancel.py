"""Cancelling what runs."""

import dataclasses

import pytest

from interpose.protocols.dialogue import Done, Failed, Send, UpgradeTls
from interpose.protocols.postgres.cancel import PostgresCancel
from interpose.protocols.postgres.options import TlsMode
from interpose.protocols.postgres.startup import SSL_REQUEST_PACKET, encode_cancel
from tests.support.playbook import dialled

REQUEST = encode_cancel(b"upstream")


def over_tls(mode: TlsMode) -> PostgresCancel:
    made = dialled()
    return PostgresCancel(dataclasses.replace(made, options=dataclasses.replace(made.options, tls=mode)))


def test_in_clear_where_the_session_was() -> None:
    assert PostgresCancel(dialled()).start() == [Send(REQUEST)]


def test_it_is_over_when_the_upstream_closes_and_not_before() -> None:
    """Else the client goes on while its cancel is still under way, and its next statement is hit."""
    cancel = PostgresCancel(dialled())
    cancel.start()
    assert cancel.received(b"S") == []
    assert cancel.closed() == [Done(None)]
    assert cancel.closed() == []


def test_the_key_goes_over_tls_where_the_session_did() -> None:
    cancel = over_tls(TlsMode.VERIFY_FULL)
    assert cancel.start() == [Send(SSL_REQUEST_PACKET)]
    assert isinstance(cancel.received(b"S")[0], UpgradeTls)
    assert cancel.tls_started(None) == [Send(REQUEST)]
    assert cancel.closed() == [Done(None)]


def test_no_key_in_clear_when_tls_was_demanded() -> None:
    cancel = over_tls(TlsMode.REQUIRE)
    cancel.start()
    assert isinstance(cancel.received(b"N")[0], Failed)
    assert cancel.received(b"S") == []


def test_without_a_key_nothing_can_be_cancelled() -> None:
    cancel = PostgresCancel(dataclasses.replace(dialled(), key=b""))
    assert isinstance(cancel.start()[0], Failed)


def test_an_upstream_that_hangs_up_fails() -> None:
    cancel = over_tls(TlsMode.VERIFY_CA)
    cancel.start()
    assert isinstance(cancel.closed()[0], Failed)


def test_only_what_the_dial_ended_with_can_be_cancelled() -> None:
    with pytest.raises(TypeError):
        PostgresCancel(object())
