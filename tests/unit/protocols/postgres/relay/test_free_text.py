"""Errors and notices without free text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.protocols.postgres.backend import read_fields
from interpose.protocols.postgres.relay.free_text import scrubbed

CANARY = "canary-078-05-1120"


@given(st.dictionaries(st.sampled_from("SVCMDHPpqWsctdnFLR"), st.just(CANARY)))
def test_no_field_carries_text(fields: dict[str, str]) -> None:
    for kind in "EN":
        assert CANARY.encode() not in scrubbed(kind, fields)


@pytest.mark.parametrize("kind", ["E", "N"])
def test_severity_code_and_position_stay(kind: str) -> None:
    told = read_fields(scrubbed(kind, {"S": "ERROR", "V": "ERROR", "C": "22P02", "M": CANARY, "P": "17"})[5:])
    assert (told["S"], told["V"], told["C"], told["P"]) == ("ERROR", "ERROR", "22P02", "17")


def test_a_made_up_code_could_be_a_value() -> None:
    assert read_fields(scrubbed("E", {"S": "ERROR", "C": "07805"})[5:])["C"] != "07805"
