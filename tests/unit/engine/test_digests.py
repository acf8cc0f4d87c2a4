"""Digests bind exactly one command."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from interpose.engine.digests import approval_digest, command_digest
from interpose.model.actions import Action
from interpose.model.command import Command, CommandKind, FileRequest, HostContext, SqlContext
from tests.support.memory import query

_KINDS = st.sampled_from(list(CommandKind))
_VALUES = st.lists(st.none() | st.binary(max_size=6), max_size=3).map(tuple)
_FORMATS = st.lists(st.sampled_from([0, 1]), max_size=3).map(tuple)
_COMMANDS = st.builds(
    lambda kind, text, values, formats: Command(kind, text, SqlContext(None, 17), values, formats),
    _KINDS,
    st.text(max_size=6),
    _VALUES,
    _FORMATS,
)


def _meaning(command: Command) -> tuple[object, ...]:
    # The format codes of no parameters mean nothing.
    formats = command.parameter_formats if command.parameters else ()
    return (command.kind, command.text, command.parameters, formats)


@given(_COMMANDS, _COMMANDS)
def test_equal_digests_mean_equal_commands(one: Command, other: Command) -> None:
    same = command_digest(b"salt", one) == command_digest(b"salt", other)
    assert same == (_meaning(one) == _meaning(other))


def test_a_digest_is_the_sessions_own() -> None:
    assert command_digest(b"one", query("select")) != command_digest(b"two", query("select"))


def test_an_approval_binds_the_session_state_that_gives_a_text_its_meaning() -> None:
    command = query("update t")
    moved = dataclasses.replace(command, context=dataclasses.replace(command.context, path=("other",)))
    unknown = dataclasses.replace(command, context=dataclasses.replace(command.context, path=None))
    empty = dataclasses.replace(command, context=dataclasses.replace(command.context, path=()))
    digests = {approval_digest(b"s", made, ["ap-1"]) for made in (command, moved, unknown, empty)}
    assert len(digests) == 4
    assert approval_digest(b"s", command, ["a", "bc"]) != approval_digest(b"s", command, ["ab", "c"])


def test_a_text_that_is_no_unicode_has_a_digest() -> None:
    assert command_digest(b"s", query("\udc80")) != command_digest(b"s", query("\udc81"))


def test_an_approval_binds_the_account_the_folder_and_the_request_on_a_host() -> None:
    request = FileRequest(Action.RENAME_FILE, "/a", path_to="/b")
    contexts = [
        HostContext("deploy"),
        HostContext("root"),
        HostContext("deploy", home="/srv"),
        HostContext("deploy", cwd="/srv"),
        HostContext("deploy", request=request),
        HostContext("deploy", request=dataclasses.replace(request, path_to="/c")),
    ]
    commands = [Command(CommandKind.EXEC, "make", context) for context in contexts]
    assert len({approval_digest(b"s", command, []) for command in commands}) == len(commands)
