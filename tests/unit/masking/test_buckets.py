"""Numbers in buckets."""

import pytest

from interpose.masking.buckets import bucket, bucket_money, bucket_units


@pytest.mark.parametrize(
    ("text", "width", "low"),
    [
        ("1234", 1000, "1000"),
        ("1000", 1000, "1000"),
        ("999.99", 1000, "0"),
        ("0", 10, "0"),
        ("-1", 1000, "-1000"),
        ("-1000", 1000, "-1000"),
        ("-1000.01", 1000, "-2000"),
        ("-0.5", 10, "-10"),
        ("1.5e+3", 1000, "1000"),
        ("-1e-07", 10, "-10"),
        ("123456789012345678901234567890.5", 10, "123456789012345678901234567890"),
        ("NaN", 10, None),
        ("Infinity", 10, None),
        ("-Infinity", 10, None),
        ("12 34", 10, None),
        ("", 10, None),
        ("1e9999", 10, None),
        ("9" * 2000, 10, None),
    ],
)
def test_buckets(text: str, width: int, low: str | None) -> None:
    assert bucket(text, width) == low


@pytest.mark.parametrize(
    ("text", "low"),
    [
        ("$1,234.56", "$1,000.00"),
        ("-$1,234.56", "-$2,000.00"),
        ("-$999.99", "-$1,000.00"),
        ("$0.01", "$0.00"),
        ("$12,345,678.90", "$12,345,000.00"),
        ("1234.56", "1000.00"),
        ("1.234,56 €", None),
        ("£1,234.56", None),
        ("$1234", None),
    ],
)
def test_money_in_text(text: str, low: str | None) -> None:
    assert bucket_money(text, 1000) == low


def test_money_in_binary_is_in_hundredths() -> None:
    assert bucket_units(123456, 1000) == 100000
    assert bucket_units(-1, 10) == -1000
