"""The table of actions is complete and closed."""

from interpose.model.actions import ACTION_GROUPS, COMMAND_GROUPS, UNGROUPED_COMMANDS, Action


def test_every_action_has_a_row() -> None:
    assert set(ACTION_GROUPS) == set(Action)


def test_every_group_is_declared() -> None:
    assert {group for groups in ACTION_GROUPS.values() for group in groups} == {*COMMAND_GROUPS, "gateway"}


def test_unknown_and_reveal_are_in_no_group() -> None:
    for action in (Action.UNKNOWN, Action.REVEAL, Action.CONNECT):
        assert ACTION_GROUPS[action] == ()
        assert action not in UNGROUPED_COMMANDS
