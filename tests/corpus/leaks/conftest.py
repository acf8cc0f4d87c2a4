"""Gives every case of the corpus that exists on a suite's major to that suite's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.leak_cases import Case
from tests.support.leak_rig import Rig
from tests.support.leak_suite import LeakSuite, of_major


@pytest.fixture(scope="class")
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """The suite's server and gateway. When all cases have run, no secret is in what the gateway has stored."""
    cases = of_major(request.cls.major)
    made = Rig(request.cls.major, cases)
    try:
        yield made
        if not any(case.fails for case in cases):
            assert made.stored() == []
    finally:
        made.close()


def _mark(case: Case, name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(strict=True, reason=why) for mode, why in case.fails.items() if mode in name]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a case; what is not claimed is only proven to leak."""
    suite = metafunc.cls
    if suite is None or not issubclass(suite, LeakSuite):
        return
    name = metafunc.function.__name__
    cases = [case for case in of_major(suite.major) if not case.beyond or "directly" in name]
    metafunc.parametrize("case", [pytest.param(case, id=case.id, marks=_mark(case, name)) for case in cases])
