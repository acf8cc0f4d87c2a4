"""Numbering plans."""

from interpose.masking.numberplans import COUNTRY_CODES, IBAN_LENGTHS, card_lengths


def test_issuers() -> None:
    assert card_lengths("4111111111111111") == {13, 16, 19}
    assert card_lengths("2221000000000009") == {16}
    assert card_lengths("2720990000000007") == {16}
    assert card_lengths("2721000000000000") == frozenset()
    assert card_lengths("0000000000000000") == frozenset()


def test_ibans_and_country_codes() -> None:
    assert IBAN_LENGTHS["DE"] == 22
    assert all(15 <= length <= 33 for length in IBAN_LENGTHS.values())
    assert "49" in COUNTRY_CODES and "999" not in COUNTRY_CODES
    # No code begins another: a number's country is never ambiguous.
    assert not [(a, b) for a in COUNTRY_CODES for b in COUNTRY_CODES if a != b and b.startswith(a)]
