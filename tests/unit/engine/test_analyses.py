"""Which commands may share an analysis."""

from __future__ import annotations

import dataclasses

from interpose.engine.analyses import AnalysisCache
from interpose.model.actions import Action
from interpose.model.command import CommandKind
from tests.support.memory import CONTEXT, TableAnalyst, analysis, query


def _cache(**bounds: int) -> AnalysisCache:
    return AnalysisCache(TableAnalyst({}), **bounds)


def _made(**changes: object):  # type: ignore[no-untyped-def]
    return dataclasses.replace(analysis(Action.SELECT), catalog_version=1, **changes)


def _filled(cache: AnalysisCache, text: str, **changes: object):  # type: ignore[no-untyped-def]
    made = _made(**changes)
    assert cache.find(query(text), 1) is None
    cache.add(query(text), made)
    return made


def test_texts_of_one_shape_share_an_analysis_only_when_constants_do_not_matter() -> None:
    cache = _cache()
    made = _filled(cache, "select 1")
    assert cache.find(query("select 1"), 1) is made
    assert cache.find(query("select 2"), 1) is made
    other = _filled(cache, "limit 1", depends_on_literals=True)
    assert cache.find(query("limit 1"), 1) is other
    assert cache.find(query("limit 2"), 1) is None


def test_what_depends_on_the_session_is_never_kept() -> None:
    cache = _cache()
    _filled(cache, "execute p", depends_on_session=True)
    assert cache.find(query("execute p"), 1) is None


def test_path_version_of_the_server_and_kind_tell_texts_apart() -> None:
    cache = _cache()
    _filled(cache, "select 1")
    for context in (
        dataclasses.replace(CONTEXT, path=("other",)),
        dataclasses.replace(CONTEXT, path=None),
        dataclasses.replace(CONTEXT, server_version=16),
    ):
        assert cache.find(query("select 1", context=context), 1) is None
    assert cache.find(query("select 1", CommandKind.PREPARE), 1) is None


def test_a_new_version_of_the_catalog_forgets_everything() -> None:
    cache = _cache()
    made = _filled(cache, "select 1")
    assert cache.find(query("select 1"), 2) is None
    assert len(cache) == 0
    cache.add(query("select 1"), made)  # made under version 1, and late
    assert cache.find(query("select 1"), 2) is None


def test_no_text_can_be_mistaken_for_a_shape() -> None:
    cache = _cache()
    _filled(cache, "select 1")
    # `select ?` is the shape of `select 1`; as a text of its own it has not been analysed.
    analyst = TableAnalyst({})
    analyst.cache_key = lambda text: None  # type: ignore[method-assign]
    cache._analyst = analyst
    assert cache.find(query("select ?"), 1) is None


def test_memory_is_bounded_by_entries_and_by_bytes() -> None:
    few = _cache(entries=4)
    for number in range(100):
        _filled(few, "x" * (number + 1), depends_on_literals=True)
    assert len(few) == 4
    small = _cache(size=100_000)
    for number in range(100):
        _filled(small, "x" * (number + 1), depends_on_literals=True)
    assert len(small) <= 100_000 // 4096
    _filled(small, "y" * 50_000, depends_on_literals=True)  # too large a share of the whole
    assert small.find(query("y" * 50_000), 1) is None


def test_the_least_recently_used_goes_first() -> None:
    cache = _cache(entries=2)
    first = _filled(cache, "a", depends_on_literals=True)
    _filled(cache, "b", depends_on_literals=True)
    assert cache.find(query("a"), 1) is first
    _filled(cache, "c", depends_on_literals=True)
    assert cache.find(query("a"), 1) is first
    assert cache.find(query("b"), 1) is None
