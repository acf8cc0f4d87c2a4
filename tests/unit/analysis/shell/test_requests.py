"""Requests that are no command line."""

from __future__ import annotations

import pytest

from interpose.analysis.shell.requests import request_effects
from interpose.model.actions import Action
from interpose.model.analysis import Analysis, Unanalysable
from interpose.model.command import Command, CommandKind, FileRequest, ForwardRequest, HostContext
from interpose.policy.names import describe


def _told(kind: CommandKind, text: str = "", request: FileRequest | ForwardRequest | None = None) -> list[str] | str:
    context = HostContext("me", request=request)
    made = request_effects(Command(kind, text, context), context)
    if isinstance(made, Unanalysable):
        return made.reason
    assert isinstance(made, Analysis)
    return [f"{each.action.value} {describe(each.resource)}" for each in made.effects]


@pytest.mark.parametrize(
    ("kind", "text", "request_", "told"),
    [
        (CommandKind.SHELL, "", None, ["shell the host"]),
        (CommandKind.MANAGED_SHELL, "", None, ["managed_shell the host"]),
        (CommandKind.PTY, "", None, ["pty the host"]),
        (CommandKind.SUBSYSTEM, "netconf", None, ["subsystem the host"]),
        (CommandKind.ENVIRONMENT, "LANG=C", None, ["set_env the host"]),
        (CommandKind.ENVIRONMENT, "GIT_PROTOCOL=version=2", None, ["set_env the host"]),
        (CommandKind.ENVIRONMENT, "LD_PRELOAD=x", None, ["set_env the host", "exec_dynamic the host"]),
        (CommandKind.ENVIRONMENT, "RANDOM=x", None, ["set_env the host", "exec_dynamic the host"]),
        (CommandKind.ENVIRONMENT, "LC_A=x[$(ls)]", None, ["set_env the host", "exec_dynamic the host"]),
        (CommandKind.ENVIRONMENT, "COLUMNS=80", None, ["set_env the host"]),
        (CommandKind.ENVIRONMENT, "HOME=/etc", None, ["set_env the host", "exec_dynamic the host"]),
        (CommandKind.FILE, "", FileRequest(Action.READ_FILE, "/a"), ["read_file path /a"]),
        (CommandKind.FILE, "", FileRequest(Action.WRITE_FILE, "a", resolved=False), ["write_file path a"]),
        (
            CommandKind.FILE,
            "",
            FileRequest(Action.RENAME_FILE, "/a", path_to="/b"),
            ["rename_file path /a", "write_file path /b"],
        ),
        (
            CommandKind.FILE,
            "",
            FileRequest(Action.WRITE_FILE, "/a", also=("/b",), more=(Action.READ_FILE,), passed=("/c",)),
            [
                "write_file path /a",
                "write_file path /b",
                "read_file path /a",
                "read_file path /b",
                "list_files path /c",
            ],
        ),
        (
            CommandKind.FILE,
            "",
            FileRequest(Action.RENAME_FILE, "/a", path_to="/b", also_to=("/c",)),
            ["rename_file path /a", "write_file path /b", "write_file path /c"],
        ),
        (
            CommandKind.FILE,
            "",
            FileRequest(Action.LINK_FILE, "/a", path_to="/b", also_to=("/c",)),
            ["link_file path /a", "link_file path /b", "link_file path /c"],
        ),
        (CommandKind.FORWARD, "", ForwardRequest(Action.FORWARD, "db", 5432), ["forward destination db:5432"]),
        (
            CommandKind.FORWARD,
            "",
            ForwardRequest(Action.FORWARD, socket="/run/x"),
            ["forward destination /run/x", "write_file path /run/x"],
        ),
        (CommandKind.FORWARD, "", ForwardRequest(Action.FORWARD_LISTEN, "*", 0), ["forward_listen destination *:0"]),
        (CommandKind.FORWARD, "", ForwardRequest(Action.FORWARD_AGENT), ["forward_agent the host"]),
    ],
)
def test_what_is_asked(kind: CommandKind, text: str, request_: object, told: list[str]) -> None:
    assert _told(kind, text, request_) == told  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "request_", "reason"),
    [
        (CommandKind.FILE, None, "unknown_command"),
        (CommandKind.FILE, ForwardRequest(Action.FORWARD), "unknown_command"),
        (CommandKind.FILE, FileRequest(Action.EXEC, "/a"), "unknown_command"),
        (CommandKind.FILE, FileRequest(Action.READ_FILE, "/a/../b"), "bad_path"),
        (CommandKind.FILE, FileRequest(Action.READ_FILE, "a"), "bad_path"),
        (CommandKind.FILE, FileRequest(Action.READ_FILE, "/a", also=("b",)), "bad_path"),
        (CommandKind.FILE, FileRequest(Action.READ_FILE, "/a", passed=("/b/..",)), "bad_path"),
        (CommandKind.FILE, FileRequest(Action.RENAME_FILE, "/a", path_to="b"), "bad_path"),
        (CommandKind.FORWARD, FileRequest(Action.READ_FILE, "/a"), "unknown_command"),
        (CommandKind.FORWARD, ForwardRequest(Action.FORWARD, "db", 70000), "bad_port"),
        (CommandKind.FORWARD, ForwardRequest(Action.FORWARD, "db", 0), "bad_port"),
        (CommandKind.FORWARD, ForwardRequest(Action.FORWARD, "DB", 5432), "bad_destination"),
        (CommandKind.FORWARD, ForwardRequest(Action.FORWARD, "0x7f.1", 5432), "bad_destination"),
        (CommandKind.FORWARD, ForwardRequest(Action.FORWARD, "*", 5432), "bad_destination"),
        (CommandKind.FORWARD, ForwardRequest(Action.FORWARD, "db", 5432, address="127.1"), "bad_destination"),
        (CommandKind.FORWARD, ForwardRequest(Action.FORWARD, socket="x"), "unknown_command"),
        (CommandKind.QUERY, None, "unknown_command"),
    ],
)
def test_what_does_not_say_what_it_asks_for_is_refused(kind: CommandKind, request_: object, reason: str) -> None:
    if isinstance(request_, ForwardRequest) and request_.socket == "x":
        reason = "bad_path"
    assert _told(kind, "", request_) == reason  # type: ignore[arg-type]


def test_facts_of_a_transfer() -> None:
    context = HostContext("me", request=FileRequest(Action.WRITE_FILE, "/a", size=7))
    made = request_effects(Command(CommandKind.FILE, "", context), context)
    assert isinstance(made, Analysis)
    assert made.effects[0].facts == {"recursive": False, "size": 7, "direction": "upload"}


@pytest.mark.parametrize(
    ("request_", "facts"),
    [
        (
            ForwardRequest(Action.FORWARD, "db", 5432),
            {"destination_host": "db", "destination_port": 5432, "destination_kind": "name"},
        ),
        (
            ForwardRequest(Action.FORWARD, "db", 5432, address="127.0.0.1"),
            {
                "destination_host": "db",
                "destination_port": 5432,
                "destination_kind": "loopback",
                "destination_address": "127.0.0.1",
            },
        ),
        (
            ForwardRequest(Action.FORWARD_LISTEN, "0.0.0.0", 80),
            {
                "destination_host": "0.0.0.0",
                "destination_port": 80,
                "destination_kind": "any",
                "destination_address": "0.0.0.0",
            },
        ),
        (
            ForwardRequest(Action.FORWARD, socket="/run/x"),
            {"destination_host": "", "destination_port": 0, "destination_kind": "socket"},
        ),
    ],
)
def test_facts_of_a_forward(request_: ForwardRequest, facts: dict[str, object]) -> None:
    context = HostContext("me", request=request_)
    made = request_effects(Command(CommandKind.FORWARD, "", context), context)
    assert isinstance(made, Analysis)
    assert made.effects[0].facts == facts
