"""Reading JSON paths."""

import pytest

from interpose.masking.json_paths import MAX_STEPS, JsonPath, Step, StepKind, read_path
from interpose.model.errors import ConfigurationError


@pytest.mark.parametrize(
    "text",
    [
        "$.a",
        "$.customer.email",
        "$.items[*].card",
        "$[*]",
        '$."odd key"',
        '$."a\\"b"',
        "$.*",
        "$.**.iban",
        "$.a.**",
        "$[*][*]",
        '$."ü"',
    ],
)
def test_what_is_read_is_written_back(text: str) -> None:
    path, end = read_path(text, 0)
    assert end == len(text)
    assert str(path) == text


def test_steps() -> None:
    path, end = read_path('x$.a[*]."b c".**.*=', 1)
    assert end == 18
    assert path == JsonPath(
        (
            Step(StepKind.KEY, "a"),
            Step(StepKind.ELEMENTS),
            Step(StepKind.KEY, "b c"),
            Step(StepKind.ANY_DEPTH),
            Step(StepKind.ANY_KEY),
        )
    )


@pytest.mark.parametrize("text", ["", "a.b", "$", "$[0]", "$a", '$."\\x"', "$" + ".a" * (MAX_STEPS + 1)])
def test_anything_else_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_path(text, 0)
    assert caught.value.hint
