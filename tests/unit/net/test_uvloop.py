"""The tests of this folder once more on uvloop, which the gateway runs on: the two loops differ in when they call what."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Any

import pytest
import uvloop

from tests.unit.net import test_catalog, test_login, test_pressure, test_session, test_upstream


def cases(*modules: ModuleType) -> list[Callable[[], Coroutine[Any, Any, None]]]:
    """Every asynchronous test that needs no fixture and no parameter."""
    return [
        function
        for module in modules
        for name, function in vars(module).items()
        if name.startswith("test_")
        and inspect.iscoroutinefunction(function)
        and not inspect.signature(function).parameters
    ]


@pytest.mark.parametrize(
    "case", cases(test_catalog, test_login, test_pressure, test_session, test_upstream), ids=lambda case: case.__name__
)
def test_on_uvloop(case: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(case())
