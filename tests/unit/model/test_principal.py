"""Principals: labels and the key that decision caches use."""

from interpose.model.principal import Principal, PrincipalKind


def test_the_label_of_an_agent_says_for_whom_it_acts() -> None:
    assert Principal(PrincipalKind.USER, "alice").label == "User:alice"
    assert Principal(PrincipalKind.AGENT, "fixer", acting_for="alice").label == "Agent:fixer for alice"


def test_the_policy_key_changes_with_everything_that_policy_sees() -> None:
    base = Principal(PrincipalKind.USER, "alice", frozenset({"support"}), {"level": 1})
    others = [
        Principal(PrincipalKind.SERVICE, "alice", frozenset({"support"}), {"level": 1}),
        Principal(PrincipalKind.USER, "bob", frozenset({"support"}), {"level": 1}),
        Principal(PrincipalKind.USER, "alice", frozenset({"dba"}), {"level": 1}),
        Principal(PrincipalKind.USER, "alice", frozenset({"support"}), {"level": 2}),
        Principal(PrincipalKind.USER, "alice", frozenset({"support"}), {"level": 1}, acting_for="bob"),
        Principal(PrincipalKind.USER, "alice", frozenset({"support"}), {"level": 1}, task="clean up"),
    ]
    assert len({base.policy_key(), *(other.policy_key() for other in others)}) == len(others) + 1


def test_the_policy_key_does_not_depend_on_the_order_of_attributes() -> None:
    one = Principal(PrincipalKind.USER, "alice", attributes={"a": 1, "b": 2})
    two = Principal(PrincipalKind.USER, "alice", attributes={"b": 2, "a": 1})
    assert one.policy_key() == two.policy_key()


def test_the_policy_key_tells_true_from_one() -> None:
    one = Principal(PrincipalKind.USER, "alice", attributes={"senior": True})
    two = Principal(PrincipalKind.USER, "alice", attributes={"senior": 1})
    assert one.policy_key() != two.policy_key()
