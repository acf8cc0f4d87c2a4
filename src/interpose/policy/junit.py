"""Results of policy tests as JUnit XML, which every CI system shows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from interpose.policy.testing import CaseResult, render_failure


def junit_xml(results: Sequence[CaseResult]) -> str:
    """One test suite a file, one test case a case, with difference and explanation in each failure.

    Characters that XML 1.0 cannot hold are replaced. No times: a case is a computation, not a performance.
    """
    failed = sum(not result.passed for result in results)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="interpose policy" tests="{len(results)}" failures="{failed}">',
    ]
    for file, group in groupby(results, key=lambda result: result.case.file):
        members = list(group)
        failures = sum(not result.passed for result in members)
        lines.append(f'  <testsuite name={_quoted(file)} tests="{len(members)}" failures="{failures}">')
        for result in members:
            case = result.case
            opening = f'    <testcase classname={_quoted(file)} name={_quoted(case.name)} file={_quoted(file)} line="{case.line}"'
            if result.passed:
                lines.append(f"{opening}/>")
                continue
            lines.append(f"{opening}>")
            message = _quoted("; ".join(result.differences))
            lines.append(f"      <failure message={message}>{escape(_printable(render_failure(result)))}</failure>")
            lines.append("    </testcase>")
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return quoteattr(_printable(text))


def _printable(text: str) -> str:
    """XML 1.0 §2.2: tab, line feed, carriage return and everything from space on, surrogates and two others apart."""
    return "".join(
        character
        if character in "\t\n\r"
        or " " <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character > "\uffff"
        else "\ufffd"
        for character in text
    )
