"""The compiled rows kernel against the reference: the same bytes, or the same error, for whatever the upstream sends."""

from __future__ import annotations

import struct

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from interpose.masking import row_reference
from interpose.masking.cells import ConstantMask
from interpose.masking.kernel import PYTHON, Kernel
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.masking.plan import MaskingPlan, build_plan
from interpose.masking.rows import mask_data_rows
from interpose.masking.transforms import Transform
from interpose.masking.twins import Twin
from interpose.masking.types import TYPES
from interpose.model.errors import InterposeError, Malformed, Unmaskable
from interpose.model.masks import MaskRule
from interpose.model.shape import ResultColumn, ResultShape
from tests.support.kernels import COMPILED, without_it

pytestmark = without_it

CONTENT = {name: MaskRule("redact") for name in CONTENT_CLASSES}
RULES = [
    "null", "redact", "fixed", "fixed:" + "long " * 40, "hash", "first:2", "first:32", "last4", "last:1", "last:32",
    "partial-email", "partial-phone", "partial-card", "partial-name", "date-year", "date-month",
]  # fmt: skip
TEXT, VARCHAR = 25, 1043
ALPHABET = 'ab"Z09 .@+-/()*\t\n\x00\x1f\x7fßñ\u2028漢😀\ud800'.encode("utf-8", "surrogatepass").decode("latin-1")

emails = st.from_regex(r'["a-zA-Z0-9._+ ß-]{0,6}@{0,2}[a-z0-9.-]{0,6}\.?[a-zA-Zß0-9]{0,8}', fullmatch=True)
phones = st.from_regex(r"\+?[0-9 ./()+-]{0,45}", fullmatch=True)
cards = st.from_regex(r"(?:[0-9]{3,5}[ -]?){0,6}x?", fullmatch=True)
names = st.from_regex(r"(?:[ \t]?['A-Za-zé0-9.]{0,5} ?){0,6}", fullmatch=True)
digits = st.from_regex(r"[+-]?[0-9]{0,20}", fullmatch=True)
texts = emails | phones | cards | names | digits | st.text(max_size=80)
raw = st.binary(max_size=70) | st.lists(st.sampled_from(sorted(set(ALPHABET))), max_size=40).map(
    lambda letters: "".join(letters).encode("latin-1")
)
long = st.integers(35, 400).flatmap(
    lambda n: st.sampled_from([b"1" * n, b"a" * n, b"a@" + b"b" * n + b".de", b" " * n + b"x", b"a" * n + b"\xff"])
)
cells = st.none() | texts.map(lambda text: text.encode("utf-8", "replace")) | raw | long


def data_row(values: list[bytes | None]) -> bytes:
    body = b"".join(b"\xff" * 4 if v is None else struct.pack(">i", len(v)) + v for v in values)
    return b"D" + struct.pack(">ih", len(body) + 6, len(values)) + body


@st.composite
def columns(draw: st.DrawFn) -> tuple[ResultColumn, MaskRule | None]:
    oid = draw(st.sampled_from([TEXT, TEXT, VARCHAR, VARCHAR]) | st.sampled_from([*TYPES, 99_999]))
    modifier = draw(st.sampled_from([-1, -1, 4, 5, 7, 12, 24, 300]))
    rule = draw(st.none() | st.sampled_from(RULES))
    return ResultColumn("c", 0, 0, oid, -1, modifier, draw(st.integers(0, 1))), MaskRule(rule) if rule else None


@st.composite
def results(draw: st.DrawFn) -> tuple[ResultShape, list[MaskRule | None], bool, list[list[bytes | None]]]:
    """A shape, its rules, whether content is looked for, and rows that repeat some of their cells."""
    drawn = draw(st.lists(columns(), min_size=1, max_size=5))
    seen = draw(st.lists(cells, min_size=1, max_size=6))
    some = st.sampled_from(seen) | cells
    rows = draw(st.lists(st.lists(some, min_size=len(drawn), max_size=len(drawn)), max_size=6))
    return ResultShape(tuple(c for c, _ in drawn)), [rule for _, rule in drawn], draw(st.booleans()), rows


Outcome = tuple[bytes, int] | tuple[type[BaseException], str]


def outcome(kernel: Kernel, plan: MaskingPlan, data: bytes) -> Outcome:
    try:
        return mask_data_rows(plan, data, 0, len(data), kernel)
    except (InterposeError, ZeroDivisionError) as error:
        return type(error), str(error)


def plan_of(shape: ResultShape, rules: list[MaskRule | None], content: bool) -> MaskingPlan | None:
    return build_plan(shape, rules, CONTENT if content else {}, b"k" * 32)


def compared(result: tuple[ResultShape, list[MaskRule | None], bool, list[list[bytes | None]]], data: bytes) -> Outcome:
    """What both kernels make of the data, each with a plan of its own; and again with what each remembers."""
    assert COMPILED is not None
    shape, rules, content, _ = result
    one, other = plan_of(shape, rules, content), plan_of(shape, rules, content)
    assume(one is not None and other is not None)
    assert one is not None
    assert other is not None
    expected = outcome(PYTHON, one, data)
    assert outcome(COMPILED, other, data) == expected
    assert outcome(COMPILED, other, data) == outcome(PYTHON, one, data) == expected
    return expected


@given(results())
def test_rows(result: tuple[ResultShape, list[MaskRule | None], bool, list[list[bytes | None]]]) -> None:
    shown = compared(result, b"".join(map(data_row, result[3])))
    assert shown[1] == len(result[3])


@given(
    st.sampled_from([r for r in RULES if r[0] in "pfl"]),
    st.sampled_from([-1, 4, 5, 9, 30]),
    st.lists(cells, max_size=30),
)
def test_transforms_of_texts(rule: str, modifier: int, values: list[bytes | None]) -> None:
    shape = ResultShape((ResultColumn("c", 0, 0, VARCHAR, -1, modifier, 0),))
    compared((shape, [MaskRule(rule)], False, []), b"".join(data_row([value]) for value in values))


@st.composite
def damaged(draw: st.DrawFn) -> tuple[tuple[ResultShape, list[MaskRule | None], bool, list[list[bytes | None]]], bytes]:
    """A result, and its rows with bytes changed, lost, added, or a length that lies."""
    result = draw(results())
    data = bytearray(b"".join(map(data_row, result[3])))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["change", "lose", "add", "lie"])):
            case "change" if at < len(data):
                data[at] = draw(st.integers(0, 255))
            case "lose":
                del data[at : at + draw(st.integers(1, 9))]
            case "add":
                data[at:at] = draw(st.binary(min_size=1, max_size=9))
            case _:
                numbers = st.integers(-9, 40) | st.sampled_from([-(1 << 31), (1 << 31) - 1, (1 << 31) - 8, 1 << 24])
                data[at : at + 4] = struct.pack(">i", draw(numbers))
    return result, bytes(data)


@given(damaged())
def test_rows_that_are_damaged(
    sent: tuple[tuple[ResultShape, list[MaskRule | None], bool, list[list[bytes | None]]], bytes],
) -> None:
    compared(*sent)


@given(results(), st.binary(max_size=60))
@example((ResultShape((ResultColumn("c", 0, 0, TEXT, -1, -1, 0),)), [MaskRule("last4")], False, []), b"D\0\0\0\x06\0")
def test_bytes_that_are_no_rows(
    result: tuple[ResultShape, list[MaskRule | None], bool, list[list[bytes | None]]], data: bytes
) -> None:
    compared(result, data)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(1, 4))
def test_a_memory_that_overflows(numbers: list[int], entries: int) -> None:
    shape = ResultShape((ResultColumn("c", 0, 0, TEXT, -1, -1, 0),))
    data = b"".join(data_row([b"value %d" % number]) for number in numbers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_reference, "MEMO_ENTRIES", entries)
        compared((shape, [MaskRule("hash")], False, []), data)


def raising(error: Exception, twins: tuple[Twin | None, ...] = ()) -> MaskingPlan:
    """A plan whose second column cannot be masked when its value is `no`."""

    def mask(value: bytes) -> bytes:
        if value == b"no":
            raise error
        return b"x" * 100_000

    return MaskingPlan(("a", "b"), (ConstantMask(None), mask), (None, None), None, twins)


@pytest.mark.parametrize(
    ("error", "seen"),
    [(Unmaskable("no"), Unmaskable), (struct.error("no"), Malformed), (ZeroDivisionError("no"), ZeroDivisionError)],
)
def test_what_a_mask_raises_and_what_is_long(error: Exception, seen: type[Exception]) -> None:
    assert COMPILED is not None
    fine = data_row([b"1", b"yes"]) + data_row([None, None])
    for data in (fine * 3, fine + data_row([b"1", b"no"]) + b"junk", fine + b"junk" + data_row([b"1", b"no"])):
        expected = outcome(PYTHON, raising(error), data)
        assert outcome(COMPILED, raising(error), data) == expected
        assert expected[0] in (seen, Malformed) or expected == (
            (data_row([None, b"x" * 100_000]) + data_row([None, None])) * 3,
            6,
        )


@pytest.mark.parametrize(
    "twin",
    [Twin("rot13"), Twin("last", keep=33), Twin("last", keep=-1), Twin("last", keep=1 << 40), Twin("", keep=4)],
)
def test_a_twin_that_the_kernel_does_not_have_is_left_to_the_mask(twin: Twin) -> None:
    assert COMPILED is not None
    error = ZeroDivisionError("no")
    data = data_row([b"1", b"yes"])
    assert outcome(COMPILED, raising(error, (None, twin)), data) == outcome(PYTHON, raising(error), data)


@pytest.mark.parametrize("text", ["last:1", "partial-email"])
def test_the_compiled_transforms_are_those_that_run(text: str) -> None:
    """The comparison is not of the reference with itself: with a twin, the mask is not asked for plain ASCII."""
    assert COMPILED is not None
    transform = Transform(*(("last", 1) if text == "last:1" else ("partial-email",)))
    twin = Twin("last", keep=1) if transform.keep else Twin("email")
    plan = raising(ZeroDivisionError("asked"), (None, twin))
    assert mask_data_rows(plan, row := data_row([b"1", b"ada@example.com"]), 0, len(row), COMPILED)[1] == 1
    assert plan.memo[1] == {}
