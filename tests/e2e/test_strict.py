"""Strict mode through a real gateway: an agent may select what is hidden from it, masked, and do nothing else with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.scene import Scene


@pytest.fixture
def shopbot(scene: Scene) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A session of an agent: strict without any rule."""
    with scene.connect("shopbot", "shop") as session:
        yield session


@pytest.mark.parametrize(
    "text",
    [
        "select id, ssn from customers where id < 4 order by id",
        "select * from customers order by id limit 3",
        "select c.ssn, o.amount from customers c join orders o on o.customer_id = c.id where o.amount > 1990",
        "select s from (select ssn as s from customers) q",
        "select ssn from people",
    ],
)
def test_a_bare_projection_comes_masked(shopbot: psycopg.Connection[tuple[Any, ...]], text: str) -> None:
    shown = str(shopbot.execute(text).fetchall())
    assert "[redacted]" in shown
    assert "078-05" not in shown and "secret-domain" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "select id from customers where ssn like '07%'",
        "select name from customers order by ssn limit 1",
        "select count(distinct ssn) from customers",
        "select id from people where ssn > '078-05-1130'",
        "select a.id from customers a join customers b using (ssn)",
        "select length(ssn) from customers",
        "insert into customers (id, name, ssn) values (900, 'x', '078-05-1121')",
        "prepare p as select 1 from customers where ssn = $1",
        "declare c cursor with hold for select name from customers order by ssn",
        "explain select 1 from customers where ssn = '078-05-1121'",
        "copy (select name from customers where ssn is not null) to stdout",
    ],
)
def test_every_other_use_is_refused_and_the_session_goes_on(
    shopbot: psycopg.Connection[tuple[Any, ...]], text: str
) -> None:
    shopbot.autocommit = True
    with pytest.raises(
        psycopg.errors.InsufficientPrivilege, match="hidden from you, and may only be selected as"
    ) as told:
        shopbot.execute(text)
    assert "public.customers.ssn" in str(told.value)
    assert "select the column by itself" in str(told.value.diag.message_hint)
    assert shopbot.execute("select 7").fetchone() == (7,)


def test_people_are_in_output_mode(scene: Scene) -> None:
    with scene.connect("alice", "shop") as session:
        assert session.execute("select ssn from customers where ssn = '078-05-1121'").fetchall() == [("[redacted]",)]


def test_who_sees_a_column_may_compare_it(scene: Scene) -> None:
    with scene.connect("dave", "shop") as session:
        assert session.execute("select id from customers where ssn = '078-05-1121'").fetchall() == [(1,)]
