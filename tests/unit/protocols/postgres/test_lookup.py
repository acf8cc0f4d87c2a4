"""Questions about the catalog."""

from __future__ import annotations

import pytest

from interpose.model.catalog import CatalogNames, CatalogPage
from interpose.protocols.dialogue import Done, Failed, Send
from interpose.protocols.postgres.lookup import Question, catalog_fingerprint, catalog_lookup
from interpose.protocols.postgres.wire import frame
from tests.support.playbook import IDLE, columns, report, row, tag

ANSWER = tag("SET") + columns("a") + row(b"x") + tag("SELECT 1") + IDLE


def test_a_question_ends_with_what_its_rows_mean_and_can_be_asked_again() -> None:
    for _ in range(2):
        question = Question("select 'x'", lambda rows: rows)
        assert question.start() == [Send(frame(b"Q", b"select 'x'\0"))]
        steps = [step for i in range(len(ANSWER)) for step in question.received(ANSWER[i : i + 1])]
        assert steps == [Done([("x",)])]


def test_a_lookup_ends_with_a_page() -> None:
    names = CatalogNames(relations=frozenset({(None, "t")}))
    question = catalog_lookup(names, ("public",))
    question.start()
    (done,) = question.received(columns("a") + tag("SELECT 0") + IDLE)
    assert isinstance(done, Done)
    assert done.result == CatalogPage(names, ("public",))


def test_a_fingerprint_is_one_text() -> None:
    question = catalog_fingerprint()
    question.start()
    assert question.received(ANSWER) == [Done("x")]


@pytest.mark.parametrize(
    "data", [report() + IDLE, IDLE, frame(b"G", b"\0\0\0"), b"D\0\0\0\5x", b"D\0\0\0\1", columns("a") + row(b"\xff")]
)
def test_what_is_not_an_answer_fails(data: bytes) -> None:
    question = catalog_fingerprint()
    question.start()
    steps = question.received(data)
    assert isinstance(steps[0], Failed)
    assert question.received(ANSWER) == []


def test_an_upstream_that_hangs_up_fails() -> None:
    question = catalog_fingerprint()
    question.start()
    assert isinstance(question.closed()[0], Failed)
    assert question.closed() == []


def test_a_name_with_a_nul_is_refused() -> None:
    assert isinstance(Question("a\0b", lambda rows: rows).start()[0], Failed)
