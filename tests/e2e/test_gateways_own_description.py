"""Rows go down on a description that the gateway has seen for exactly this result: every way to get some without asking for one."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from tests.support.raw_postgres import SYNC, Message, RawClient, errors, frame
from tests.support.scene import Scene

SECRETS = (b"078-05-", b"secret-domain", struct.pack("!I", 90001), struct.pack("!I", 90002))
"""What is hidden from the client: two columns as text, one as a binary integer."""

TEXT = b"select id, ssn, upper(ssn), salary from customers order by id"


@pytest.fixture(params=["shop", "exact"])
def client(scene: Scene, request: pytest.FixtureRequest) -> Iterator[RawClient]:
    """Somebody from whom the columns are hidden; at the end nothing of them has come."""
    with RawClient(scene.plain_port) as made:
        made.log_in("alice", request.param, scene.token("alice"))
        # A change of the catalog by the gateway's own sessions is known at once: what other tests did behind its back is forgotten.
        made.ask(b"create temp table forgets ()")
        yield made
        for secret in SECRETS:
            assert secret not in made.received


def parse(text: bytes, name: bytes = b"") -> bytes:
    """A Parse without types."""
    return frame(b"P", name + b"\0" + text + b"\0\0\0")


def bind(statement: bytes = b"", portal: bytes = b"", formats: tuple[int, ...] = ()) -> bytes:
    """A Bind without parameters; `formats` are of the results."""
    codes = struct.pack(f"!H{len(formats)}H", len(formats), *formats)
    return frame(b"B", portal + b"\0" + statement + b"\0" + b"\0\0" + b"\0\0" + codes)


def execute(portal: bytes = b"", rows: int = 0) -> bytes:
    """An Execute."""
    return frame(b"E", portal + b"\0" + struct.pack("!I", rows))


def cells(body: bytes) -> list[bytes | None]:
    """The values of a DataRow."""
    found: list[bytes | None] = []
    position = 2
    for _ in range(*struct.unpack("!H", body[:2])):
        (size,) = struct.unpack("!i", body[position : position + 4])
        found.append(None if size < 0 else body[position + 4 : position + 4 + size])
        position += 4 + max(size, 0)
    return found


def rows(answer: list[Message]) -> list[list[bytes | None]]:
    """The rows of an answer."""
    return [cells(body) for kind, body in answer if kind == b"D"]


def test_execute_without_describe(client: RawClient) -> None:
    client.send(parse(TEXT) + bind() + execute() + SYNC)
    answer = client.until(b"Z")
    assert rows(answer)[0] == [b"1", b"[redacted]", b"[redacted]", b"0"]
    assert b"T" not in [kind for kind, _ in answer], "the gateway's own question is not the client's"


def test_a_description_of_the_statement_only(client: RawClient) -> None:
    client.send(parse(TEXT, b"s") + frame(b"D", b"Ss\0") + bind(b"s") + execute() + SYNC)
    answer = client.until(b"Z")
    assert [kind for kind, _ in answer].count(b"T") == 1
    assert rows(answer)[1][1:3] == [b"[redacted]"] * 2


def test_a_portal_is_executed_again_after_a_part_of_its_rows(client: RawClient) -> None:
    client.ask(b"begin")
    client.send(parse(TEXT) + bind(portal=b"p") + execute(b"p", 1) + execute(b"p", 2) + SYNC)
    first = client.until(b"Z")
    assert [row[0] for row in rows(first)] == [b"1", b"2", b"3"]
    client.send(execute(b"p", 1) + SYNC)
    client.send(frame(b"D", b"Pp\0") + execute(b"p") + SYNC)
    later = client.until(b"Z") + client.until(b"Z")
    assert len(rows(later)) == 17
    assert {row[1] for row in rows(first + later)} == {b"[redacted]"}
    answer = client.ask(b"move 0 in p; fetch backward 2 from p")
    assert not rows(answer) or {row[1] for row in rows(answer)} == {b"[redacted]"}


@pytest.mark.parametrize(
    "text",
    [
        b"explain select upper(ssn) from customers where ssn like '078-05-11%'",
        b"explain (analyze, verbose, costs off) select max(ssn) from customers",
        b"explain (format json) select ssn from customers",
        b"show search_path",
        b"show all",
    ],
)
def test_explain_and_show_without_describe(client: RawClient, text: bytes) -> None:
    client.send(parse(text) + bind() + execute() + SYNC)
    answer = client.until(b"Z")
    # What the statement itself says comes back in a plan; a value of the table does not.
    client.received[:] = client.received.replace(b"078-05-11%", b"")
    assert rows(answer) or errors(answer)


FETCHES = [
    b"fetch c", b"fetch 3 from c", b"fetch all in c", b"fetch next c", b"fetch first from c", b"fetch last from c",
    b"fetch prior from c", b"fetch absolute 2 from c", b"fetch relative 1 from c", b"fetch backward all in c", b"fetch forward 2 c",
]  # fmt: skip


@pytest.mark.parametrize("how", ["simple", "extended", "described", "binary"])
def test_fetch_in_every_form(client: RawClient, how: str) -> None:
    client.ask(b"begin")
    client.ask(b"declare c scroll cursor for " + TEXT)
    shown = []
    for text in FETCHES:
        if how == "simple":
            shown += rows(client.ask(text))
            continue
        described = frame(b"D", b"P\0") if how == "described" else b""
        client.send(parse(text) + bind(formats=(1,) if how == "binary" else ()) + described + execute() + SYNC)
        shown += rows(client.until(b"Z"))
    assert len(shown) > 20
    assert {row[1] for row in shown} | {row[2] for row in shown} == {b"[redacted]"}


def test_a_cursor_of_sql_executed_as_a_portal(client: RawClient) -> None:
    client.ask(b"begin")
    client.ask(b"declare c binary cursor for " + TEXT)
    client.send(execute(b"c", 2) + SYNC)
    answer = client.until(b"Z")
    assert errors(answer) or [row[1] for row in rows(answer)] == [b"[redacted]"] * 2


def test_what_sql_prepared(client: RawClient) -> None:
    client.ask(b"prepare s as " + TEXT)
    assert rows(client.ask(b"execute s"))[0][1:3] == [b"[redacted]"] * 2
    client.send(parse(b"execute s") + bind() + execute() + SYNC)
    assert rows(client.until(b"Z"))[0][1:3] == [b"[redacted]"] * 2
    client.send(bind(b"s", formats=(1,)) + execute() + SYNC)
    answer = client.until(b"Z")
    assert rows(answer)[0] == [struct.pack("!I", 1), b"[redacted]", b"[redacted]", struct.pack("!I", 0)]
    assert rows(client.ask(b"explain analyze execute s"))


def test_returning_through_a_portal(client: RawClient) -> None:
    text = b"update customers set name = name where id < 3 returning ssn, upper(ssn), id"
    client.ask(b"begin")
    client.send(parse(text) + bind(portal=b"p") + execute(b"p", 1) + execute(b"p") + SYNC)
    answer = client.until(b"Z")
    assert errors(answer) or {row[0] for row in rows(answer)} == {b"[redacted]"}
    assert rows(answer) or errors(answer)
    client.ask(b"rollback")


@pytest.mark.parametrize("how", ["", " with (format csv)", " with (format binary)"])
def test_copy_of_a_view(client: RawClient, how: str) -> None:
    for text in (
        "copy people to stdout",
        "copy (select ssn, * from people) to stdout",
        "copy (table people) to stdout",
    ):
        answer = client.ask((text + how).encode())
        data = b"".join(body for kind, body in answer if kind == b"d")
        assert errors(answer) or b"[redacted]" in data or b"\xff\xff\xff\xff" in data, answer
        client.send(parse((text + how).encode()) + bind() + execute() + SYNC)
        client.until(b"Z")


@pytest.mark.parametrize("first", [b"select ssn from customers limit 1", b"select id from customers limit 1"])
def test_each_result_of_one_text_is_judged_by_itself(client: RawClient, first: bytes) -> None:
    answer = client.ask(
        first + b"; select upper(name), id from customers where id = 2; update notes set body = body where false;"
        b"select salary, upper(ssn) from customers where id = 2; show search_path; select 'mine', ssn from customers where id = 2"
    )
    shown = rows(answer)
    if not errors(answer):
        assert shown[1] == [b"NAME 2", b"2"]
        assert shown[2] == [b"0", b"[redacted]"]
        assert shown[4] == [b"mine", b"[redacted]"]
    assert shown or errors(answer)


@pytest.mark.parametrize("formats", [(0,), (1,), (0, 1, 0, 1), (1, 0, 1, 0)])
def test_formats_column_by_column(client: RawClient, formats: tuple[int, ...]) -> None:
    client.send(parse(TEXT) + bind(formats=formats) + execute() + SYNC)
    row = rows(client.until(b"Z"))[0]
    each = formats * 4 if len(formats) == 1 else formats
    assert row[0] == (struct.pack("!I", 1) if each[0] else b"1")
    assert row[1:3] == [b"[redacted]"] * 2
    assert row[3] == (struct.pack("!I", 0) if each[3] else b"0")


def test_several_rules_give_several_results(client: RawClient, scene: Scene) -> None:
    """Each rule's query answers in a simple query; only one of them could be what analysis knows."""
    scene.server.psql(
        f"set role {scene.role}; create table ruled (id int); insert into ruled values (1);"
        "create rule one as on update to ruled do also select id, ssn from customers;"
        "create rule two as on update to ruled do also select upper(email), ssn as id from customers",
        database=scene.database,
    )
    try:
        for text in (
            b"update ruled set id = 1",
            b"update ruled set id = 1 returning id",
            b"with u as (update ruled set id = 1) select 1",
        ):
            client.ask(text)
            client.send(parse(text) + bind() + execute() + SYNC)
            client.until(b"Z")
    finally:
        scene.server.psql("drop table ruled", database=scene.database)
