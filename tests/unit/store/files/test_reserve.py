"""Reserved space."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from interpose.store.files.reserve import Reserve
from tests.support.memory import ManualClock


def test_given_up_and_taken_back(tmp_path: Path) -> None:
    clock = ManualClock()
    reserve = Reserve(tmp_path / "r", clock, 8192)
    assert reserve.held
    assert (tmp_path / "r").stat().st_blocks * 512 >= 8192
    reserve.release()
    assert not reserve.held
    assert (tmp_path / "r").stat().st_size == 0
    assert not reserve.regain()
    clock.now += 1.5
    assert reserve.regain()
    reserve.remove()
    assert not (tmp_path / "r").exists()


def test_without_space_it_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, offset: int, length: int) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    clock = ManualClock()
    reserve = Reserve(tmp_path / "r", clock)
    assert not reserve.held
    monkeypatch.undo()
    assert not reserve.regain()
    clock.now += 2
    assert reserve.regain()


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    assert not Reserve(tmp_path / "gone" / "r", ManualClock()).held
