"""The table of actions is complete and closed."""

from interpose.model.actions import ACTION_GROUPS, COMMAND_GROUPS, NAMED_GROUPS, UNGROUPED_COMMANDS, Action


def test_every_action_has_a_row() -> None:
    assert set(ACTION_GROUPS) == set(Action)


def test_every_group_is_declared() -> None:
    assert {group for groups in ACTION_GROUPS.values() for group in groups} == {*COMMAND_GROUPS, *NAMED_GROUPS}


def test_unknown_and_reveal_are_in_no_group() -> None:
    for action in (Action.UNKNOWN, Action.REVEAL, Action.CONNECT, Action.EXEC_DYNAMIC, Action.SUBSYSTEM):
        assert ACTION_GROUPS[action] == ()
        assert action not in UNGROUPED_COMMANDS


def test_tunnels_must_be_named() -> None:
    for action in (Action.FORWARD, Action.FORWARD_LISTEN, Action.FORWARD_AGENT, Action.FORWARD_X11):
        assert ACTION_GROUPS[action] == ("tunnel",)
    assert "tunnel" not in COMMAND_GROUPS
