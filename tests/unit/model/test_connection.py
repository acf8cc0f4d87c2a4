"""Addresses are written as people write them."""

from interpose.model.connection import Address


def test_an_address_reads_as_host_and_port() -> None:
    assert str(Address("db.internal", 5432)) == "db.internal:5432"
    assert str(Address("::1", 5432)) == "[::1]:5432"
