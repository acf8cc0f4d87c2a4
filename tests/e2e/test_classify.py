"""`interpose classify scan` on a real PostgreSQL: what it proposes, what it leaves alone, and what it says when it cannot."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from demo.shop import GATEWAY_PASSWORD, GATEWAY_ROLE, load_shop
from interpose.policy.classifications import parse_column
from tests.support.gateway import GatewayProcess, free_port
from tests.support.postgres import PostgresServer

MARK = "canary-7Hq2"
"""Part of every planted value: it may appear in nothing that the scan prints or keeps."""

NASTY = f"""\
create schema "odd.schema";
create table "odd.schema"."Kunden ""A"", 1.5" (
    id bigint primary key, "E-Mail.Adresse" text, "x: #y" text, "Geburts Datum" date, "körper" bytea, "a
b" text
);
insert into "odd.schema"."Kunden ""A"", 1.5"
select i, 'k' || i || '@{MARK}.example', 'u' || i || '@{MARK}.example', date '1980-01-01' + i,
 convert_to('v' || i || '@{MARK}.example', 'UTF8'), 'w' || i || '@{MARK}.example' from generate_series(1, 50) i;
create table empty_one (id int, phone_number text, note text);
create table huge (id int, body text, doc jsonb);
insert into huge select i, repeat('lorem ipsum ', 900000) || 'x@{MARK}.example',
 jsonb_build_object('who', jsonb_build_object('mail', 'x' || i || '@{MARK}.example', 'padding', repeat('y', 5000))) from generate_series(1, 3) i;
create table locked (id int, secret_note text, email text);
insert into locked select i, 'p' || i || '@{MARK}.example', 'q' || i || '@{MARK}.example' from generate_series(1, 30) i;
create table events (id bigint, at date not null, login text) partition by range (at);
create table events_2024 partition of events for values from ('2024-01-01') to ('2025-01-01');
create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');
insert into events select i, date '2024-06-01' + i, 'e' || i || '@{MARK}.example' from generate_series(1, 300) i;
create table codes (code text primary key);
insert into codes select 'c' || i || '@{MARK}.example' from generate_series(1, 40) i;
create table uses (id int primary key, what text references codes);
insert into uses select i, null from generate_series(1, 5) i;
create table cards (id int primary key, n bigint, m numeric, plain bigint);
insert into cards select i, 4111111111111111, 4111111111111111, 4111111111111112 + i * 10 from generate_series(1, 25) i;
create table many (id bigint primary key, mixed text);
insert into many select i, case when i % 20 = 0 then 'ask z' || i || '@{MARK}.example please' else 'an order went out today' end
from generate_series(1, 20000) i;
create materialized view summary as select login, count(*) as n from events group by login;
create view looking as select login as email from events;
create table odd_types (id int, tags text[], place point, kind "char", span int4range, u uuid, h inet, x xml, b bit(3));
insert into odd_types values (1, array['t1@{MARK}.example'], '(1,2)', 'a', '[1,2]', gen_random_uuid(), '10.0.0.1', '<a/>', b'101');
analyze;
"""

POLICY = {"allow.cedar": '@id("all")\npermit (principal, action, resource);\n'}


def gateway_for(
    folder: Path, server: PostgresServer, database: str, policy: Path | Mapping[str, str], connection: str = "shop"
) -> GatewayProcess:
    upstream = {
        "protocol": "postgres",
        "address": f"127.0.0.1:{server.port}",
        "secret": "env:UPSTREAM_PASSWORD",
        "labels": {"team": "shop", "env": "prod"},
        "options": {
            "database": database,
            "user": GATEWAY_ROLE,
            "tls": "verify-full",
            "tls_ca_file": str(server.ca_path),
        },
    }
    return GatewayProcess(
        folder,
        {
            connection: upstream,
            "down": {**upstream, "address": f"127.0.0.1:{free_port()}"},
            "wrong": {**upstream, "secret": "env:WRONG_PASSWORD"},
            "unset": {**upstream, "secret": "env:NOBODY_SET_THIS"},
        },
        policy=policy,
        environment={"UPSTREAM_PASSWORD": GATEWAY_PASSWORD, "WRONG_PASSWORD": "no"},
    )


def scan(gateway: GatewayProcess, *arguments: str, status: int = 1) -> subprocess.CompletedProcess[str]:
    done = gateway.interpose("classify", "scan", *arguments, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def proposals(gateway: GatewayProcess, *arguments: str, status: int = 1) -> dict[str, list[str]]:
    told: dict[str, Any] = json.loads(scan(gateway, *arguments, "--json", status=status).stdout)
    return {each["column"]: each["data_classes"] for each in told["proposals"]}


@pytest.fixture(scope="module")
def shop(postgres: PostgresServer) -> Iterator[str]:
    load_shop(postgres, "shop_to_classify")
    yield "shop_to_classify"
    postgres.drop_database("shop_to_classify")


@pytest.fixture(scope="module")
def nasty(postgres: PostgresServer, shop: str) -> Iterator[str]:
    postgres.create_database("nasty_to_classify", owner=GATEWAY_ROLE)
    postgres.psql(f"alter schema public owner to {GATEWAY_ROLE}", database="nasty_to_classify")
    postgres.psql(f"set role {GATEWAY_ROLE};\n{NASTY}", database="nasty_to_classify")
    postgres.psql(
        f"alter table locked owner to postgres; revoke all on locked from {GATEWAY_ROLE}", database="nasty_to_classify"
    )
    yield "nasty_to_classify"
    postgres.drop_database("nasty_to_classify")


def test_the_shop_from_nothing(tmp_path: Path, postgres: PostgresServer, shop: str) -> None:
    gateway = gateway_for(tmp_path / "g", postgres, shop, POLICY)
    found = proposals(gateway, "shop")
    assert found == {
        "public.customers.name": ["pii.name"],
        "public.customers.email": ["pii.email"],
        "public.customers.phone": ["pii.phone"],
        "public.customers.national_id": ["pii.ssn"],
        "public.customers.card_number": ["pci.card"],
        "public.customers.address": ["pii.address"],
        "public.customers.preferences": ["pii.email"],
        "public.orders.shipping": ["pii.phone"],
        "public.payments.card_last4": ["pci.last4"],
        "public.payments.iban": ["pii.iban"],
    }
    told = scan(gateway, "shop")
    assert "sampled values look like e-mail addresses" in told.stdout
    assert "support_notes.body: of 100 sampled values some contain" in told.stderr
    assert not (gateway.policy / "classifications.yaml").exists()
    # The diff, applied by patch, is what `--write` writes; and both load.
    patched = tmp_path / "patched"
    patched.mkdir()
    subprocess.run(["patch", "-p1", "-s"], input=told.stdout, text=True, check=True, cwd=patched)
    written = scan(gateway, "shop", "--write", status=0)
    assert written.stdout == told.stdout
    assert (gateway.policy / "classifications.yaml").read_text() == (patched / "classifications.yaml").read_text()
    assert "ok:" in gateway.interpose("policy", "check").stdout
    assert scan(gateway, "shop", status=0).stdout == ""


def test_what_somebody_wrote_is_kept(tmp_path: Path, postgres: PostgresServer, shop: str) -> None:
    gateway = gateway_for(tmp_path / "g", postgres, shop, Path("examples/policy"), "orders-prod")
    file = gateway.policy / "classifications.yaml"
    for name in ("tests", "attributes.yaml"):
        assert (gateway.policy / name).exists() or name == "attributes.yaml"
    (gateway.policy / "tests").rename(tmp_path / "tests")  # they name the example's own principals
    before = file.read_text()
    assert scan(gateway, "orders-prod", status=0).stdout == ""
    file.write_text(before.replace("      public.payments.iban: [pii.iban]\n", ""))
    done = scan(gateway, "orders-prod", "--write", status=0)
    added = [line for line in done.stdout.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert any("public.payments.iban: [pii.iban]" in line for line in added)
    assert not [line for line in done.stdout.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert set(before.splitlines()) <= {*file.read_text().splitlines(), "      public.payments.iban: [pii.iban]"}
    gateway.interpose("policy", "check")


def test_a_nasty_schema(tmp_path: Path, postgres: PostgresServer, nasty: str) -> None:
    gateway = gateway_for(tmp_path / "g", postgres, nasty, POLICY)
    told: dict[str, Any] = json.loads(scan(gateway, "shop", "--json").stdout)
    found = {parse_column(each["column"]): each["data_classes"] for each in told["proposals"]}
    names = {(c.table, c.name): classes for c, classes in found.items() if c is not None}
    odd = 'Kunden "A", 1.5'
    assert names == {
        (odd, "E-Mail.Adresse"): ["pii.email"],
        (odd, "x: #y"): ["pii.email"],
        (odd, "Geburts Datum"): ["pii.birth_date"],
        (odd, "körper"): ["pii.email"],
        (odd, "a\nb"): ["pii.email"],
        ("empty_one", "phone_number"): ["pii.phone"],
        ("huge", "doc"): ["pii.email"],
        ("locked", "email"): ["pii.email"],
        ("events", "login"): ["pii.email"],
        ("codes", "code"): ["pii.email"],
        ("uses", "what"): ["pii.email"],
        ("cards", "n"): ["pci.card"],
        ("cards", "m"): ["pci.card"],
        ("odd_types", "tags"): ["pii.email"],
    }
    assert told["not_sampled"] == [
        {"table": "public.locked", "why": "the gateway's role may not read all of its columns"}
    ]
    notes = "\n".join(told["notes"])
    assert "public.summary: a materialized view that reads public.events.login" in notes
    assert "public.many.mixed: of 100 sampled values some contain e-mail addresses in " in notes
    done = scan(gateway, "shop", "--write", status=0)
    gateway.interpose("policy", "check")
    assert scan(gateway, "shop", status=0).stdout == ""
    # No value of the database is anywhere: not printed, not in the state, not in the policy.
    everything = [json.dumps(told), done.stdout, done.stderr]
    everything += [p.read_bytes().decode("latin-1") for p in gateway.folder.rglob("*") if p.is_file()]
    assert not [text for text in everything if MARK in text]
    # And nothing was written to the database.
    assert postgres.psql("select count(*) from uses", database=nasty) == "5"


def test_one_schema_and_no_content(tmp_path: Path, postgres: PostgresServer, nasty: str) -> None:
    gateway = gateway_for(tmp_path / "g", postgres, nasty, POLICY)
    assert len(proposals(gateway, "shop", "--schema", "odd.schema")) == 5
    found = proposals(gateway, "shop", "--no-content", "--except", "public.empty*", "--except", "public.locked.email")
    assert len(found) == 2
    found = proposals(gateway, "shop", "--no-content")
    assert set(found) == {
        '"odd.schema"."Kunden ""A"", 1.5"."E-Mail.Adresse"',
        '"odd.schema"."Kunden ""A"", 1.5".Geburts Datum',
        "public.empty_one.phone_number",
        "public.locked.email",
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), ("there is no connection `nowhere`", "hint:")),
        (("down",), ("the upstream `down` cannot be reached", "hint:")),
        (("wrong",), ("credential", "hint:")),
        (("unset",), ("credential", "hint:")),
        (("shop", "--schema", "nowhere"), ("the schema `nowhere` has no tables", "hint:")),
        (("shop", "--sample", "0"), ("--sample",)),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    tmp_path: Path, postgres: PostgresServer, shop: str, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    gateway = gateway_for(tmp_path / "g", postgres, shop, POLICY)
    done = scan(gateway, *arguments, status=2)
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr


def test_a_broken_configuration_is_said(tmp_path: Path, postgres: PostgresServer, shop: str) -> None:
    gateway = gateway_for(tmp_path / "g", postgres, shop, {**POLICY, "classifications.yaml": "classifications: [\n"})
    assert "not valid YAML" in scan(gateway, "shop", status=2).stderr
    (gateway.policy / "classifications.yaml").write_text(
        'classifications: [{connections: ["*"], columns: {a.b.c: [pii.email]}}]\n'
    )
    done = scan(gateway, "shop", status=2)
    assert "is written in one line" in done.stderr
    assert "hint:" in done.stderr
    gateway.config.unlink()
    assert "hint:" in scan(gateway, "shop", status=2).stderr
