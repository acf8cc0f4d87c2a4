"""The table of types."""

from interpose.masking.types import TYPES, Family, character_limit, type_of


def test_arrays_know_their_element() -> None:
    assert type_of(1009).element == type_of(25)
    assert all((t.family is Family.ARRAY) == (t.element is not None) for t in TYPES.values())


def test_an_unknown_oid_is_opaque() -> None:
    assert type_of(0).family is Family.OPAQUE
    assert type_of(99_999).family is Family.OPAQUE
    assert type_of(2249).family is Family.OPAQUE  # record


def test_limits_come_from_the_modifier() -> None:
    assert character_limit(type_of(1043), 14) == 10
    assert character_limit(type_of(1042), 5) == 1
    assert character_limit(type_of(1043), -1) is None
    assert character_limit(type_of(19), -1) == 63
    assert character_limit(type_of(25), -1) is None
