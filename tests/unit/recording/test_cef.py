"""CEF lines and their escaping."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from interpose.recording.cef import cef_line
from interpose.recording.chain import Entry


def entry(kind: str = "command.decided", actor: str = "User:alice", **fields: object) -> Entry:
    return Entry(
        actor=actor, boot="b", fields=fields, kind=kind, mono=1, node="n", prev="", seq=7, session="s_1",  # type: ignore[arg-type]
        ts=1_790_000_000_123_456, v=1,
    )  # fmt: skip


def test_a_decision() -> None:
    line = cef_line(entry(decision="forbid", connection="orders", policies=("p1", "p2"), lifted=None, ok=True), "0.1")
    assert line == (
        "CEF:0|Interpose|Interpose|0.1|command.decided|command decided|5|rt=1790000000123 dvchost=n externalId=n-b:7 "
        "suser=User:alice cs1Label=session cs1=s_1 act=forbid destinationServiceName=orders cs2Label=fields "
        "cs2=connection\\=orders, decision\\=forbid, lifted\\=, ok\\=true, policies\\=[p1, p2]"
    )


def test_nothing_can_forge_a_field_or_a_line() -> None:
    line = cef_line(entry(actor="a|b\\c=d\nCEF:0|x\r\x1b[2J\u2028", kind="login.failed"), "0|1\\")
    assert "suser=a|b\\\\c\\=d\\nCEF:0|x\\r\\x1b[2J\\u2028 " in line
    assert line.startswith("CEF:0|Interpose|Interpose|0\\|1\\\\|login.failed|login failed|6|")


@given(st.text(), st.text())
def test_a_line_stays_one_line_with_seven_bars_and_known_keys(actor: str, value: str) -> None:
    line = cef_line(entry(actor=actor, source=value), "1")
    assert len(line.splitlines()) == 1
    header = re.match(r"(?:[^|\\]|\\.)*(?:\|(?:[^|\\]|\\.)*){6}\|", line)
    assert header is not None
    extension = line[header.end() :]
    equals = len(re.findall(r"(?<!\\)(?:\\\\)*=", extension))
    keys = re.findall(r"(?:^| )(rt|dvchost|externalId|suser|cs1Label|cs1|src|cs2Label|cs2)=", extension)
    assert equals <= len(keys)
