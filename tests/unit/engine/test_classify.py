"""Weighing the evidence of a scan, against an upstream in memory."""

from __future__ import annotations

import pytest

from interpose.engine.classify import Known, ScanReport, scan
from interpose.model.resources import ColumnResource
from interpose.model.survey import ColumnKind, Sample, SampleRequest, Survey, SurveyedColumn, SurveyedTable

MAILS = [f"user{i}@example.com" for i in range(100)]
PROSE = ["the order was sent"] * 100


class Upstream:
    """A survey source that has these tables, and values by column name."""

    def __init__(self, survey: Survey, values: dict[str, list[str | None]], refused: str = "") -> None:
        self.found = survey
        self.values = values
        self.refused = refused
        self.asked: list[SampleRequest] = []

    async def survey(self, schema: str | None) -> Survey:
        return self.found

    async def sample(self, request: SampleRequest) -> Sample:
        self.asked.append(request)
        if self.refused:
            return Sample(refused=self.refused)
        columns = [self.values.get(column.name, []) for column in request.columns]
        count = min(request.rows, max((len(column) for column in columns), default=0))
        if request.percent is not None:
            count = 1  # an estimate that is far off
        return Sample(tuple(tuple(c[i] if i < len(c) else None for c in columns) for i in range(count)))


def column(
    name: str, kind: ColumnKind = ColumnKind.TEXT, comment: str = "", *, readable: bool = True
) -> SurveyedColumn:
    return SurveyedColumn(name, kind, kind.value, comment, readable)


def table(name: str, *columns: SurveyedColumn, kind: str = "table", rows: float = -1) -> SurveyedTable:
    return SurveyedTable("public", name, kind, columns, rows)


async def scanned(upstream: Upstream, known: Known | None = None, sample: int = 100) -> ScanReport:
    return await scan(upstream, known or {}, schema=None, sample=sample, progress=lambda done, total, name: None)


def proposed(report: ScanReport) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {f"{each.column.table}.{each.column.name}": (each.classes, each.evidence) for each in report.proposals}


async def test_content_and_names_and_what_they_say_together() -> None:
    upstream = Upstream(
        Survey((table("t", column("email"), column("x"), column("y"), column("tax_id"), column("phone")),)),
        {
            "email": [*MAILS[:97], "-", "-", "-"],
            "x": MAILS,
            "y": [*PROSE[:80], *MAILS[:20]],
            "tax_id": ["078-05-1120"] * 40,
            "phone": PROSE,
        },
    )
    report = await scanned(upstream)
    assert proposed(report) == {
        "t.email": (("pii.email",), ("97 of 100 sampled values look like e-mail addresses", "its name")),
        "t.x": (("pii.email",), ("100 of 100 sampled values look like e-mail addresses",)),
        "t.tax_id": (("pii.ssn",), ("40 of 40 sampled values look like US social security numbers", "its name")),
        "t.phone": (("pii.phone",), ("its name", "none of 100 sampled values looks like it")),
    }
    (note,) = report.notes
    assert note.startswith("public.t.y: of 100 sampled values some contain e-mail addresses in 20;")
    assert not [text for text in (repr(report),) if "example.com" in text or "078-05" in text]


async def test_containers_and_bytes() -> None:
    upstream = Upstream(
        Survey(
            (table("t", column("j", ColumnKind.JSON), column("b", ColumnKind.BYTES), column("n", ColumnKind.NUMBER)),)
        ),
        {
            "j": ['{"a": 1, "mail": "ada@example.com"}'] * 10,
            "b": ["\\x" + b"ada@example.com".hex(), "\\x00", "\\x61646140" + b"example.org".hex()],
            "n": ["4111111111111111"] * 9 + ["17"],
        },
    )
    assert {name: classes for name, (classes, _) in proposed(await scanned(upstream)).items()} == {
        "t.j": ("pii.email",),
        "t.b": ("pii.email",),
        "t.n": ("pci.card",),
    }


async def test_what_is_classified_is_not_proposed_again() -> None:
    upstream = Upstream(Survey((table("t", column("email"), column("x")),)), {"email": list(MAILS), "x": list(MAILS)})
    known = {
        ColumnResource("public", "t", "email"): frozenset({"pii"}),
        ColumnResource("public", "t", "x"): frozenset({"pci.card"}),
    }
    assert set(proposed(await scanned(upstream, known))) == {"t.x"}  # type: ignore[arg-type]


async def test_foreign_keys_are_followed_both_ways_and_to_the_end() -> None:
    def at(name: str) -> ColumnResource:
        return ColumnResource("public", name, "k")

    tables = tuple(table(name, column("k")) for name in "abcd")
    survey = Survey((*tables, table("e", column("k"))), ((at("b"), at("a")), (at("c"), at("b")), (at("c"), at("d"))))
    report = await scanned(Upstream(survey, {}), {at("a"): frozenset({"pii.email"})}, sample=0)  # type: ignore[dict-item]
    assert proposed(report) == {
        "b.k": (("pii.email",), ("a foreign key joins it to public.a.k",)),
        "c.k": (("pii.email",), ("a foreign key joins it to public.b.k",)),
        "d.k": (("pii.email",), ("a foreign key joins it to public.c.k",)),
    }


async def test_what_is_excepted_is_proposed_by_no_evidence() -> None:
    pair = (ColumnResource("public", "t", "email"), ColumnResource("public", "t", "x"))
    upstream = Upstream(Survey((table("t", column("email"), column("x")),), (pair,)), {"x": list(MAILS)})
    report = await scan(
        upstream, {}, schema=None, sample=9, excepted="public.t.email".__eq__, progress=lambda *step: None
    )
    assert set(proposed(report)) == {"t.x"}


async def test_what_cannot_be_read_is_told_and_not_fatal() -> None:
    survey = Survey(
        (
            table("t", column("email"), column("x", readable=False)),
            table("far", column("email"), kind="foreign"),
            table("v", column("email"), kind="view"),
        )
    )
    upstream = Upstream(survey, {"email": list(MAILS)}, refused="42501")
    report = await scanned(upstream)
    assert set(proposed(report)) == {"t.email", "far.email"}
    assert [table for table, _ in report.unread] == ["public.t", "public.far"]
    assert "insufficient privilege (42501)" in report.unread[0][1]
    assert (report.tables, report.columns) == (2, 3)
    assert [[c.name for c in request.columns] for request in upstream.asked] == [["email"]]


async def test_materialized_views_are_told_of() -> None:
    reads = frozenset({ColumnResource("public", "t", "email")})
    survey = Survey((table("t", column("email")), SurveyedTable("public", "m", "matview", (column("e"),), reads=reads)))
    (note,) = (await scanned(Upstream(survey, {}), sample=0)).notes
    assert note.startswith("public.m: a materialized view that reads public.t.email;")


async def test_large_tables_are_sampled_and_wide_ones_in_parts() -> None:
    wide = table("w", *(column(f"c{i}") for i in range(100)), rows=1_000_000)
    upstream = Upstream(Survey((wide,)), {f"c{i}": list(MAILS) for i in range(100)})
    assert len((await scanned(upstream)).proposals) == 100
    assert all(len(request.columns) * request.rows <= 4096 for request in upstream.asked)
    # Each part was asked for again without TABLESAMPLE, since it gave too little.
    assert [request.percent for request in upstream.asked[:2]] == [pytest.approx(0.04), None]


async def test_progress_is_told() -> None:
    told: list[tuple[int, int, str]] = []
    upstream = Upstream(Survey((table("a", column("x")), table("b", column("x")))), {})
    await scan(upstream, {}, schema=None, sample=1, progress=lambda *step: told.append(step))
    assert told == [(0, 2, "public.a"), (1, 2, "public.b"), (2, 2, "")]
