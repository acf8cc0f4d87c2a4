"""Words that some shells take for arithmetic."""

from __future__ import annotations

import pytest

from tests.unit.analysis.shell.reading import kinds


@pytest.mark.parametrize(
    "text",
    [
        "[ x -eq 0 ]",
        "[ 0 -lt x ]",
        "[ 1 -eq 1 -a 1 -ge 'x[$(ls)]' ]",
        "[ -t 'x[$(ls)]' ]",
        "[ -t /x* ]",
        "test '' -ne 0",
        "printf %d x",
        "printf '%s %u' a b",
        "printf %*s x y",
        "printf '%s%n' a PATH",
        "printf '%n' 5",
        "printf '\\045d' x",
        "printf -- %i x",
        "printf /%d* x",
        "exit x",
        "return 'x[1]'",
        "shift x",
        "ulimit -n x",
        "ulimit -n'x[1]'",
    ],
)
def test_what_is_no_number_is_dynamic(text: str) -> None:
    assert "dialect" in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "[ 1 -eq -2 ]",
        "[ -t 1 ]",
        "[ -t ]",
        "[ -t != x ]",
        "[ x != 'y[1]' ]",
        "test -f 'x[1]'",
        "printf 'x[1]'",
        "printf '%s %b %c %q %%' 'x[1]' a b c",
        "printf '%-5s|%.3s' x y",
        "printf '%d %x %.2f %%\\n' -1 0x1f 1.5",
        "printf '%(%F)T' -1",
        "exit",
        "exit 3",
        "shift 2",
        "ulimit -Sn 1024",
        "ulimit -c unlimited",
    ],
)
def test_numbers_and_texts_are_not(text: str) -> None:
    assert kinds(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "RANDOM='x[$(ls)]'",
        "RANDOM=x",
        "COLUMNS=LC_A df",
        "export LINES=x",
        "LC_A='x[$(ls)]' df",
        "X='`ls`'",
    ],
)
def test_a_variable_may_be_evaluated(text: str) -> None:
    assert "dialect" in kinds(text)


@pytest.mark.parametrize("text", ["COLUMNS=80 df", "LINES= df", "X='a$b' df", "export COLUMNS", "LC_A=C df"])
def test_most_are_only_text(text: str) -> None:
    assert kinds(text) == []
