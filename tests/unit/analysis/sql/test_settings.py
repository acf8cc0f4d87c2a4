"""Pinned settings stay where they are, by every spelling of their values."""

import pytest

from interpose.analysis.sql.settings import PINNED, check_pinned
from interpose.analysis.sql.state import Refused
from interpose.model.analysis import Unanalysable
from tests.support.catalog import analysed, answer, effect_words


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_encoding", "UTF8"),
        ("client_encoding", "utf-8"),
        ("client_encoding", "Unicode"),
        ("standard_conforming_strings", "on"),
        ("standard_conforming_strings", "TRUE"),
        ("standard_conforming_strings", "y"),
        ("standard_conforming_strings", "1"),
        ("backslash_quote", "safe_encoding"),
        ("work_mem", "anything"),
    ],
)
def test_harmless_values_pass(name: str, value: str) -> None:
    check_pinned(name, value)


@pytest.mark.parametrize("name", PINNED)
@pytest.mark.parametrize("value", ["off", "", "latin1", "UTF-16", "o n", None])
def test_all_others_are_refused(name: str, value: str | None) -> None:
    with pytest.raises(Refused) as refused:
        check_pinned(name, value)
    assert refused.value.reason == "pinned_setting" and name in refused.value.message


def test_a_reset_goes_back_to_what_the_gateway_set() -> None:
    for text in ("RESET client_encoding", "SET client_encoding TO DEFAULT", "RESET ALL", "DISCARD ALL"):
        assert analysed(text).effects


def test_a_value_that_is_computed_cannot_pin() -> None:
    found = answer("SELECT set_config('standard_conforming_strings', lower('ON'), false)")
    assert isinstance(found, Unanalysable) and found.reason == "pinned_setting"


def test_roles_are_no_settings() -> None:
    assert [effect_words(effect) for effect in analysed("SET ROLE dba").effects] == ["set_role role dba"]
    assert [effect_words(effect) for effect in analysed("SET work_mem = '1GB'").effects] == ["set setting work_mem"]
