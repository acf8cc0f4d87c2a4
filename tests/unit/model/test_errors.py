"""Errors read well and never lose where they happened."""

from interpose.model.errors import ConfigurationError, InterposeError, Problem, UpstreamError


def test_an_error_reads_as_message_detail_and_hint() -> None:
    error = UpstreamError("the database cannot be reached", detail="orders-db:5432 refused", hint="ask an operator")
    assert str(error) == "the database cannot be reached (orders-db:5432 refused) — ask an operator"
    assert isinstance(error, InterposeError)


def test_a_configuration_error_lists_every_problem_with_its_place() -> None:
    error = ConfigurationError(
        "2 problems",
        problems=(
            Problem("unknown key `x`", file="a.yaml", line=3, column=1, hint="did you mean `y`?"),
            Problem("no file"),
        ),
    )
    assert str(error).splitlines() == ["2 problems", "  a.yaml:3:1: unknown key `x` (did you mean `y`?)", "  no file"]


def test_problems_are_equal_when_they_read_alike() -> None:
    assert Problem("x", file="a", line=1) == Problem("x", file="a", line=1)
    assert Problem("x", file="a", line=1) != Problem("x", file="a", line=2)
    assert len({Problem("x"), Problem("x")}) == 1
