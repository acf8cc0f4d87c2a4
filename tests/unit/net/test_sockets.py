"""An address that cannot be listened at is told as what the operator can change."""

from __future__ import annotations

import socket

import pytest

from interpose.app.http_server import HttpServer
from interpose.model.connection import Address
from interpose.model.errors import ConfigurationError
from interpose.net.sockets import listen


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_that_is_taken_is_told(host: str) -> None:
    (taken,) = listen(host, 0, 1)
    with taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f":{port}`") as caught:
            listen(host, port, 1)
        assert "listens there already" in caught.value.hint
        with pytest.raises(ConfigurationError, match="cannot listen"):
            HttpServer("admin", None, Address(host, port), None, None)  # type: ignore[arg-type]  # it is never served


@pytest.mark.parametrize(("host", "hint"), [("192.0.2.1", "no interface"), ("nowhere.invalid", "check the address")])
def test_an_address_that_is_not_this_machines_is_told(host: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot listen") as caught:
        listen(host, 0, 1)
    assert hint in caught.value.hint


def test_nothing_stays_open_when_one_of_several_addresses_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError):
            listen("", port, 1)
        with socket.socket(socket.AF_INET6) as free:
            free.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            free.bind(("::1", port))
