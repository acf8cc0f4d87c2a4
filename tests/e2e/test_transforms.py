"""Transforms through the whole gateway: in text, in binary and in every format of COPY the client gets values of the column's type."""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.types.range import Range

from tests.support.postgres import PostgresServer
from tests.support.scene import POLICY, Scene

CLASSIFICATIONS = """\
data_classes:
  pii: {description: personal data, mask: redact}
  pii.pay: {description: money, mask: "bucket:1000"}
  pii.document: {description: parts of documents, mask: "json:$.customer.email=partial-email;$.items[*].card=last4"}
  pii.code: {description: codes, mask: hash-form}
  pii.person: {description: persons, mask: hash}
  pii.seen: {description: moments, mask: date-month}
  pci.card: {description: cards, mask: hash-card}
classifications:
  - labels: {team: shop}
    columns:
      public.facts.pay: [pii.pay]
      public.facts.doc: [pii.document]
      public.facts.code: [pii.code]
      public.facts.person: [pii.person]
      public.facts.seen: [pii.seen]
      public.facts.stay: [pii.seen]
      public.facts.card: [pci.card]
"""

# One rule hides one path, the data class another: both must be hidden.
ALSO = """
@id("vip-is-nobodys-business")
@mask("json:$.customer.vip")
forbid (principal, action == Action::"reveal", resource in DataClass::"pii.document");

@id("nor-are-the-class-s-own-paths")
@mask("json:$.customer.email=partial-email;$.items[*].card=last4")
forbid (principal, action == Action::"reveal", resource in DataClass::"pii.document");
"""

TABLE = """\
create domain code as varchar(8);
create table facts (id int, pay numeric(10, 2), doc jsonb, code code, person text, seen timestamptz, stay daterange, card bigint);
insert into facts values (1, 1985.50,
 '{"customer": {"email": "ada@secret-domain.example", "vip": true}, "items": [{"card": "4111111111111111", "price": 12.50}]}',
 'AB-1234x', 'Ada Lovelace', '1985-07-21 10:20:30+00', '[1985-07-21,1985-10-03)', 4111111111111111);
"""

SECRETS = ("1985.5", "secret-domain", "4111111111111111", "AB-1234x", "Lovelace", "07-21", "10-03")


class FactScene(Scene):
    """Two connections that share their pseudonyms and one that does not."""

    def connections(self) -> dict[str, dict[str, object]]:
        """What the configuration says of the upstreams."""
        made = super().connections()
        shop = made["shop"]
        return {
            "shop": {**shop, "pseudonym_scope": "crm"},
            "again": {**shop, "pseudonym_scope": "crm"},
            "alone": shop,
        }


@pytest.fixture(scope="module")
def facts(postgres: PostgresServer) -> Iterator[Scene]:
    with FactScene(postgres, policy={"shop.cedar": POLICY + ALSO, "classifications.yaml": CLASSIFICATIONS}) as made:
        made.upstream(f"set role {made.role};\n{TABLE}")
        yield made


def row_of(scene: Scene, connection: str, *, binary: bool = False) -> tuple[Any, ...]:
    with scene.connect("alice", connection) as session:
        row = session.cursor(binary=binary).execute("select * from facts").fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize("binary", [False, True])
def test_rows_in_both_formats(facts: Scene, binary: bool) -> None:
    _, pay, doc, code, person, seen, stay, card = row_of(facts, "shop", binary=binary)
    assert pay == Decimal(1000)
    assert doc == {
        "customer": {"email": "a***@s***.***", "vip": False},
        "items": [{"card": "***1111", "price": 12.50}],
    }
    assert len(code) == 8 and code[2] == "-" and code != "AB-1234x"
    assert person.startswith("h_")
    assert seen == datetime.datetime(1985, 7, 1, tzinfo=datetime.UTC)
    assert stay == Range(datetime.date(1985, 7, 1), datetime.date(1985, 10, 1))
    assert len(str(card)) == 16 and str(card)[0] == "9"


def test_both_formats_agree_and_connections_of_one_scope_can_be_joined(facts: Scene) -> None:
    shop = row_of(facts, "shop")
    assert shop == row_of(facts, "shop", binary=True) == row_of(facts, "again")
    alone = row_of(facts, "alone")
    assert alone[:3] == shop[:3]
    assert all(alone[place] != shop[place] for place in (3, 4, 7))  # code, person, card


@pytest.mark.parametrize("clause", ["", "(format csv)", "(format binary)"])
def test_copy_gives_what_a_select_gives_and_can_be_read_again(facts: Scene, clause: str) -> None:
    with facts.connect("alice", "shop") as session, session.cursor().copy(f"copy facts to stdout {clause}") as out:
        data = b"".join(bytes(part) for part in out)
    for secret in SECRETS:
        assert secret.encode() not in data
    if "csv" in clause:
        (record,) = csv.reader(io.StringIO(data.decode()))
        assert json.loads(record[2])["customer"]["vip"] is False
    with psycopg.connect(facts.server.dsn(facts.database), autocommit=True) as direct:
        direct.execute("create temp table again (like facts)")
        with direct.cursor().copy(f"copy again from stdin {clause}") as into:
            into.write(data)
        assert direct.execute("select * from again").fetchone() == row_of(facts, "shop")
