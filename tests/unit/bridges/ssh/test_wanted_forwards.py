"""What a client wants forwarded, in the one spelling in which it is judged and sent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import asyncssh
import pytest

from interpose.bridges.ssh.wanted_forwards import (
    AGENT,
    DISPLAY,
    MOST_ADDRESSES,
    command_for,
    destinations,
    listener,
)
from interpose.model.actions import Action
from interpose.model.command import CommandKind, ForwardRequest, HostContext


def _finds(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    async def find(host: str, port: object, **_: object) -> Sequence[object]:
        if not addresses:
            raise socket.gaierror("not found")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", find)


async def test_a_name_stays_a_name_where_the_host_looks_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    _finds(monkeypatch)
    found = await destinations("DB.Internal.", 5432, "", resolve="upstream")
    assert found == [ForwardRequest(Action.FORWARD, "db.internal", 5432)]


async def test_each_address_of_a_name_is_a_place_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    _finds(monkeypatch, "10.0.0.1", "::ffff:10.0.0.1", "fd00::1", "10.0.0.2", "10.0.0.3", "10.0.0.4")
    found = await destinations("db.internal", 5432, "", resolve="gateway")
    assert len(found) == MOST_ADDRESSES
    assert {(each.host, each.port) for each in found} == {("db.internal", 5432)}
    assert [each.address for each in found] == ["10.0.0.1", "fd00::1", "10.0.0.2", "10.0.0.3"]


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "[::ffff:127.0.0.1]"])
async def test_an_address_is_not_looked_up(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    _finds(monkeypatch)
    assert await destinations(host, 22, "", resolve="gateway") == [ForwardRequest(Action.FORWARD, "127.0.0.1", 22)]


async def test_what_is_no_host_or_is_not_found_is_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    _finds(monkeypatch)
    for host, code in (
        ("a b", asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED),
        ("nowhere.internal", asyncssh.OPEN_CONNECT_FAILED),
    ):
        with pytest.raises(asyncssh.ChannelOpenError) as caught:
            await destinations(host, 22, "", resolve="gateway")
        assert caught.value.code == code
        assert caught.value.reason.startswith("interpose: ")


@pytest.mark.parametrize(
    ("host", "port", "path", "wanted"),
    [
        ("", 80, "", ForwardRequest(Action.FORWARD_LISTEN, "*", 80)),
        ("localhost", 0, "", ForwardRequest(Action.FORWARD_LISTEN, "localhost", 0)),
        ("", 0, "/run/x", ForwardRequest(Action.FORWARD_LISTEN, socket="/run/x")),
    ],
)
def test_where_the_host_is_to_listen(host: str, port: int, path: str, wanted: ForwardRequest) -> None:
    assert listener(host, port, path) == wanted


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (AGENT, "forward the client's agent"),
        (DISPLAY, "forward the client's display"),
        (ForwardRequest(Action.FORWARD, "::1", 80), "forward to [::1]:80"),
        (ForwardRequest(Action.FORWARD, "db", 80, address="10.0.0.1"), "forward to db:80 (10.0.0.1)"),
        (ForwardRequest(Action.FORWARD, socket="/run/x"), "forward to /run/x"),
        (ForwardRequest(Action.FORWARD_LISTEN, "*", 80), "listen on *:80"),
    ],
)
def test_an_approver_reads_where_it_leads(request_: ForwardRequest, text: str) -> None:
    command = command_for(request_, HostContext("me", "/home/me", "/home/me"))
    assert (command.kind, command.text) == (CommandKind.FORWARD, text)
