"""What the command line prints: data is never obeyed as markup, errors say what to do."""

import pytest

from interpose.cli.output import ago, print_error, print_table, when
from interpose.model.errors import ConfigurationError, Problem


def test_cells_are_data_and_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("", ["name"], [["[bold]x[/bold]"]], "none")
    assert "[bold]x[/bold]" in capsys.readouterr().out


def test_an_empty_table_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("", ["name"], [], "nothing waits for you")
    assert capsys.readouterr().out.strip() == "nothing waits for you"


def test_what_is_to_be_copied_stays_whole(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    row = ["s_01m804h86rnx9vbqz4wh53hw33", "User:olga", "a command that is longer than the terminal is wide"]
    monkeypatch.setenv("COLUMNS", "50")
    print_table("", ["session", "who", "command"], [row], "none")
    shown = capsys.readouterr().out
    assert row[0] in shown
    assert max(map(len, shown.splitlines())) <= len("  ".join(row[:2])) + 22
    monkeypatch.delenv("COLUMNS")
    print_table("", ["session", "who", "command"], [row], "none")
    assert "  ".join(row) in capsys.readouterr().out


def test_an_error_tells_every_problem_and_the_hint(capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem("unknown key `[x]`", file="a.yaml", line=3)
    print_error(ConfigurationError("2 problems", problems=(problem,), hint="see the docs"))
    said = capsys.readouterr().err
    assert "2 problems" in said
    assert "a.yaml:3: unknown key `[x]`" in said
    assert "see the docs" in said


def test_times_read_well() -> None:
    assert when(None) == "-"
    assert when(0) == "1970-01-01 00:00:00"
    assert ago(42) == "42s"
    assert ago(7200) == "2h"
