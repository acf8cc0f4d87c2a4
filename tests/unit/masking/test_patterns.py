"""The prefilter."""

from interpose.masking.patterns import CONTENT_CLASSES, PATTERNS, Prefilter, compile_expression


def test_groups_are_told_apart() -> None:
    prefilter = Prefilter([("a[0-9]", "b[0-9]"), ("c",)])
    assert prefilter.matches(b"xx b1") == {0}
    assert prefilter.matches(b"c a1") == {0, 1}
    assert not prefilter.may_match(b"xx")
    assert prefilter.may_match(b"\xff\x00c")


def test_a_search_that_failed_is_not_taken_for_one_that_found_nothing() -> None:
    class Broken:
        def Match(self, _text: bytes) -> list[int]:
            return []  # what the library answers when its automaton is out of memory

    prefilter = Prefilter([("a",), ("b",)])
    prefilter._set = Broken()
    assert prefilter.may_match(b"x")
    assert prefilter.matches(b"x") == {0, 1}


def test_prefilters_have_no_anchor_and_no_word_boundary() -> None:
    for name in CONTENT_CLASSES:
        for pattern in PATTERNS[name].prefilters:
            assert not any(mark in pattern for mark in (r"\b", r"\B", "$", r"\A", r"\z")) and not pattern.startswith(
                "^"
            )


def test_expressions_search_bytes() -> None:
    match = compile_expression("[\\x80-\\xff]+").search(b"a\xff\xfeb", 0)
    assert match is not None and match.span() == (1, 3)
