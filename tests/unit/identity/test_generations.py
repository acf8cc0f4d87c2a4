"""The files of an authority: whole, in order, and for their owner alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from interpose.app.system import SystemIds
from interpose.identity.generations import Generations
from interpose.model.errors import StoreError


def test_a_generation_is_written_once_and_replaced_only_when_that_is_meant(tmp_path: Path) -> None:
    files = Generations(tmp_path / "a", "x-", ".key", SystemIds())
    assert files.read() == []
    assert files.write(2, "two", replace=False)
    assert files.write(1, "one", replace=False)
    assert not files.write(1, "other", replace=False)
    assert [(number, data) for number, _, data in files.read()] == [(1, b"one"), (2, b"two")]
    assert files.write(1, "other", replace=True)
    assert files.read()[0][2] == b"other"
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"x-0001.key", "x-0002.key"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (tmp_path / "a").iterdir())


def test_other_files_are_not_its_own_and_open_ones_are_refused(tmp_path: Path) -> None:
    files = Generations(tmp_path, "x-", ".key", SystemIds())
    for name in ("y-0001.key", "x-0001.pem", "x-1.key", ".x-0001.key.1"):
        (tmp_path / name).write_text("")
    assert files.read() == []
    files.write(1, "one", replace=False)
    (tmp_path / "x-0001.key").chmod(0o644)
    with pytest.raises(StoreError, match="read by others"):
        files.read()
