"""Cases of policy tests that ask something of a host."""

from __future__ import annotations

import pytest

from interpose.model.actions import Action
from interpose.model.command import Command, CommandKind, FileRequest, ForwardRequest, HostContext
from interpose.model.errors import ConfigurationError
from interpose.policy.cases import Case, read_cases

_HEAD = "cases:\n  - name: x\n    principal: alice\n    connection: web-1\n    expect: permit\n"


def _case(text: str) -> Case:
    (file,) = read_cases({"tests/a.yaml": _HEAD + "    " + text + "\n"})
    return file.cases[0]


def _asked(text: str) -> Command:
    command = _case(text).command
    assert isinstance(command, Command)
    return command


@pytest.mark.parametrize(
    ("text", "kind", "asked"),
    [
        ("exec: rm -rf /", CommandKind.EXEC, "rm -rf /"),
        ("env: LANG=C", CommandKind.ENVIRONMENT, "LANG=C"),
        ("subsystem: netconf", CommandKind.SUBSYSTEM, "netconf"),
        ("shell: true", CommandKind.SHELL, ""),
        ("managed_shell: true", CommandKind.MANAGED_SHELL, ""),
        ("pty: true", CommandKind.PTY, ""),
    ],
)
def test_plain_requests(text: str, kind: CommandKind, asked: str) -> None:
    command = _asked(text)
    assert (command.kind, command.text) == (kind, asked)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("file: {write: /etc/passwd, size: 3}", FileRequest(Action.WRITE_FILE, "/etc/passwd", True, "", False, 3)),
        ("file: {rename: /a, to: b}", FileRequest(Action.RENAME_FILE, "/a", True, "b", False)),
        ("file: {remove: a, recursive: true}", FileRequest(Action.REMOVE_FILE, "a", False, "", False, None, True)),
        ('forward: "db:5432"', ForwardRequest(Action.FORWARD, "db", 5432)),
        ('forward: "[::1]:22"', ForwardRequest(Action.FORWARD, "::1", 22)),
        ("forward: /run/x.sock", ForwardRequest(Action.FORWARD, socket="/run/x.sock")),
        ('forward: {listen: "0.0.0.0:80"}', ForwardRequest(Action.FORWARD_LISTEN, "0.0.0.0", 80)),
        ("forward: {agent: true}", ForwardRequest(Action.FORWARD_AGENT)),
        ("forward: {x11: true}", ForwardRequest(Action.FORWARD_X11)),
    ],
)
def test_files_and_forwards(text: str, request_: object) -> None:
    context = _asked(text).context
    assert isinstance(context, HostContext)
    assert context.request == request_


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("exec: ls\n    shell: true", "one thing"),
        ("exec: ls\n    command: select 1", "one thing"),
        ("shell: false", "can only be `true`"),
        ("file: {read: /a, write: /b}", "does one thing"),
        ("file: {}", "does one thing"),
        ("file: {read: /a, rekursive: true}", "unknown key"),
        ("forward: db", "no destination"),
        ("forward: {nowhere: x}", "one thing"),
        ("exec: [a]", "must be a text"),
    ],
)
def test_faults_are_told(text: str, fault: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _case(text)
    assert fault in " ".join(str(problem) for problem in caught.value.problems)


def test_a_connection_says_which_account_it_is() -> None:
    (file,) = read_cases(
        {"tests/a.yaml": "connections:\n  w: {protocol: ssh, user: deploy, home: /home/deploy, cwd: /srv}\ncases: []\n"}
    )
    assert file.connections["w"].host == HostContext("deploy", "/home/deploy", "/srv")
    with pytest.raises(ConfigurationError, match="problem"):
        read_cases({"tests/a.yaml": "connections:\n  w: {protocol: ssh, home: relative}\ncases: []\n"})
