"""The table of SQLSTATE codes."""

from interpose.masking.sqlstates import CLASSES, CONDITIONS


def test_every_code_has_five_characters_and_a_class() -> None:
    assert len(CONDITIONS) > 250
    assert all(len(code) == 5 and name and code[:2] in CLASSES for code, name in CONDITIONS.items())
    assert CONDITIONS["42P01"] == "undefined table"
    assert CONDITIONS["57014"] == "query canceled"
