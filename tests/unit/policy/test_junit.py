"""JUnit XML: well-formed whatever is in it."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from interpose.policy.cases import Case, Expectation
from interpose.policy.junit import junit_xml
from interpose.policy.testing import CaseResult


def _result(file: str, name: str, *differences: str) -> CaseResult:
    return CaseResult(Case(name, file, 3, "p", "c", "select '<&>'", Expectation("permit")), differences)


def test_suites_and_counts() -> None:
    root = ElementTree.fromstring(junit_xml([_result("a", "1"), _result("a", "2", "bad"), _result("b", "3")]))
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root] == [
        ("a", "2", "1"),
        ("b", "1", "0"),
    ]
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "bad"
    assert "select '<&>'" in (failure.text or "")
    assert junit_xml([]).count("testcase") == 0


@given(st.text(), st.text())
def test_any_text_is_well_formed(name: str, difference: str) -> None:
    root = ElementTree.fromstring(junit_xml([_result("f", name, difference)]).encode("utf-8", "strict"))
    assert len(list(root.iter("testcase"))) == 1
