"""The laws for bridges: what their library could do by itself is listed, and all of it is either judged, refused or switched off.

That deny-all reaches no host, that a channel's bytes during a hold are bounded, and that refusals are readable and the connection goes on is
tried on a real sshd in `tests/e2e/test_ssh_raw.py` and `test_ssh_exec.py`.
"""

from __future__ import annotations

import inspect
import pkgutil
import re

import asyncssh
import pytest
from asyncssh.constants import MSG_CHANNEL_REQUEST, MSG_GLOBAL_REQUEST

import interpose.bridges
from interpose.app.protocols import BRIDGES
from interpose.bridges.ssh import channels
from interpose.bridges.ssh.channels import SESSION_REQUESTS, ClientChannel, UpstreamChannel
from interpose.bridges.ssh.client import Client
from interpose.bridges.ssh.ends import ClientEnd, UpstreamEnd
from interpose.bridges.ssh.tunnels import TUNNEL_WINDOW, TunnelChannel


def handled(kind: type, pattern: str) -> set[str]:
    """What the library would look up by a name that came over the wire."""
    return {match[1] for name in dir(kind) if (match := re.fullmatch(pattern, name))}


def test_every_bridge_is_under_law() -> None:
    folders = {module.name for module in pkgutil.iter_modules(interpose.bridges.__path__) if module.ispkg}
    assert folders == set(BRIDGES) == {"ssh"}


def test_no_channel_request_is_new() -> None:
    """A library that learns another request makes this fail: then it is judged or refused here, and listed."""
    names = {name.replace("-", "_").replace("@", "_at_").replace(".", "_dot_") for name in SESSION_REQUESTS}
    # A break is answered with a failure by `break_received`, keepalives of a channel as the library does: with a failure.
    assert handled(ClientChannel, "_process_(.*)_request") == names | {"break", "keepalive_at_openssh_dot_com"}
    assert not ClientSessionDefaults.break_received(0)
    # What an upstream may ask of the gateway's own channel: exit codes, and flow control that nobody has.
    assert handled(UpstreamChannel, "_process_(.*)_request") == {
        "exit_status",
        "exit_signal",
        "xon_xoff",
        "keepalive_at_openssh_dot_com",
    }


ClientSessionDefaults = asyncssh.SSHServerSession[bytes]()


def test_no_channel_type_is_new() -> None:
    assert handled(ClientEnd, "_process_(.*)_open") - {"channel"} == {
        "session",
        "direct_tcpip",
        "direct_streamlocal_at_openssh_dot_com",
        "tun_at_openssh_dot_com",
    }
    assert handled(UpstreamEnd, "_process_(.*)_open") - {"channel"} == {
        "session",
        "direct_tcpip",
        "direct_streamlocal_at_openssh_dot_com",
        "tun_at_openssh_dot_com",
        "forwarded_tcpip",
        "forwarded_streamlocal_at_openssh_dot_com",
        "x11",
        "auth_agent_at_openssh_dot_com",
    }


def test_what_an_upstream_opens_reaches_the_session_or_nobody() -> None:
    """The library would look into its own listeners and settings; all four ways are the gateway's own."""
    for kind in (
        "forwarded_tcpip",
        "forwarded_streamlocal_at_openssh_dot_com",
        "x11",
        "auth_agent_at_openssh_dot_com",
    ):
        name = f"_process_{kind}_open"
        assert getattr(UpstreamEnd, name) is not getattr(asyncssh.SSHClientConnection, name)


def test_what_a_client_opens_or_listens_to_is_asked() -> None:
    for question in ("connection_requested", "unix_connection_requested", "server_requested", "unix_server_requested"):
        assert getattr(Client, question) is not getattr(asyncssh.SSHServer, question)


def test_a_tunnel_knows_no_request() -> None:
    assert handled(TunnelChannel, "_process_(.*)_request") == {"keepalive_at_openssh_dot_com"}


def test_the_window_of_a_tunnel_bounds_what_is_kept() -> None:
    assert TUNNEL_WINDOW <= 2 * 1024 * 1024


def test_what_waits_behind_a_held_request_is_bounded() -> None:
    """Both queues of the library are without a bound of their own."""
    assert ClientEnd._packet_handlers[MSG_GLOBAL_REQUEST] is ClientEnd._process_global_request
    assert ClientChannel._packet_handlers[MSG_CHANNEL_REQUEST] is ClientChannel._process_request


def test_no_global_request_is_new() -> None:
    assert handled(ClientEnd, "_process_(.*)_global_request") == {
        "tcpip_forward",
        "cancel_tcpip_forward",
        "streamlocal_forward_at_openssh_dot_com",
        "cancel_streamlocal_forward_at_openssh_dot_com",
        "hostkeys_prove_00_at_openssh_dot_com",
        "keepalive_at_openssh_dot_com",
    }


@pytest.mark.parametrize(
    "question",
    [
        "host_based_auth_supported",
        "tun_requested",
        "tap_requested",
        "validate_gss_principal",
        "change_password",
    ],
)
def test_what_the_library_asks_and_nobody_answers_is_refused(question: str) -> None:
    """The library's own answer stands, and it is no."""
    assert getattr(Client, question) is getattr(asyncssh.SSHServer, question)
    asked = getattr(asyncssh.SSHServer(), question)
    arguments = ["x"] * len(inspect.signature(asked).parameters)
    assert not asked(*arguments)


def test_the_window_bounds_what_is_kept() -> None:
    assert channels.WINDOW <= 2 * 1024 * 1024
