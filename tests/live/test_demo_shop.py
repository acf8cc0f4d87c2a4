"""The demo's shop loads, is believable, and is the same every time."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from demo import shop_rows
from demo.shop import GATEWAY_PASSWORD, GATEWAY_ROLE, load_shop, shop_script
from tests.support.database import Database
from tests.support.postgres import PostgresServer


@pytest.fixture(scope="module")
def shop(postgres: PostgresServer) -> Iterator[Database]:
    """A loaded shop."""
    load_shop(postgres, "shop_of_the_test")
    yield Database(postgres, "shop_of_the_test")
    postgres.drop_database("shop_of_the_test")


def test_every_table_is_filled(shop: Database) -> None:
    for table in shop_rows.shop():
        assert shop.psql(f"select count(*) from {table.name}") == str(len(table.rows)) != "0"
    assert shop.psql("select count(*) from customer_overview") == str(shop_rows.CUSTOMERS)
    assert "@" in shop.psql("select customer_contact(1)")


def test_every_sensitive_column_is_commented(shop: Database) -> None:
    uncommented = shop.psql(
        "select attname from pg_attribute where attrelid = 'customers'::regclass and attnum > 0"
        " and attname <> 'id' and col_description(attrelid, attnum) is null"
    )
    assert uncommented == ""


def test_gateway_role_can_do_anything_to_the_shop_and_nothing_to_the_server(shop: Database) -> None:
    with psycopg.connect(shop.dsn(GATEWAY_ROLE, GATEWAY_PASSWORD)) as connection:
        connection.execute("insert into products (sku, name, price_cents, stock) values ('NEW-1', 'New', 1, 1)")
        connection.execute("drop table payments")
        connection.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("copy products to program 'cat'")
    assert shop.psql(f"select rolsuper from pg_roles where rolname = '{GATEWAY_ROLE}'") == "f"


def test_it_can_be_loaded_twice_and_the_password_follows(shop: Database) -> None:
    load_shop(shop.server, "shop_again", password="it's another")
    try:
        with psycopg.connect(shop.server.dsn("shop_again", GATEWAY_ROLE, "it's another")) as connection:
            assert connection.execute("select count(*) from orders").fetchone() == (shop_rows.ORDERS,)
    finally:
        shop.server.drop_database("shop_again")
        load_shop(shop.server, "shop_third")
        shop.server.drop_database("shop_third")


def test_rows_are_the_same_every_time() -> None:
    assert shop_script() == shop_script()
    assert list(shop_rows.shop(1)) != list(shop_rows.shop(2))


def test_values_pass_the_checks_that_real_ones_pass() -> None:
    tables = {table.name: table for table in shop_rows.shop()}
    cards = [str(row[5]) for row in tables["customers"].rows if row[5] is not None]
    assert len(cards) > 1000
    for card in cards:
        digits = [int(digit) for digit in reversed(card)]
        doubled = [sum(divmod(digit * 2, 10)) for digit in digits[1::2]]
        assert (sum(digits[::2]) + sum(doubled)) % 10 == 0
    ibans = [str(row[5]) for row in tables["payments"].rows if row[5] is not None]
    assert len(ibans) > 500
    for account in ibans:
        assert int("".join(str(int(letter, 36)) for letter in account[4:] + account[:4])) % 97 == 1
    for row in tables["customers"].rows:
        assert re.fullmatch(r"[a-z.]+\d+@[a-z.]*example\.(com|org|net)", str(row[2]))
        assert row[4] is None or re.fullmatch(r"7[34]\d-(?!00)\d\d-(?!0000)\d{4}", str(row[4]))


def test_notes_hold_what_people_paste() -> None:
    (notes,) = (table for table in shop_rows.shop() if table.name == "support_notes")
    text = "\n".join(str(row[3]) for row in notes.rows)
    assert re.search(r"\b4000 00\d\d \d{4} \d{4}\b", text)
    assert re.search(r"\b400000\d{10}\b", text)
    assert re.search(r"\S+@example\.com", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, r"\N"), ("a\tb\\c\nd", r"a\tb\\c\nd"), (7, "7"), (["x", "y"], "{x,y}"), ({"k": "v\\"}, r'{"k": "v\\\\"}')],
)
def test_cells_survive_copy(value: shop_rows.Cell, text: str) -> None:
    assert shop_rows.copy_text(value) == text
