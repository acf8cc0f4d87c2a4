"""The state folder is the gateway's alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from interpose.app.settings import Settings
from interpose.app.state import open_state
from interpose.model.errors import StoreError


def settings(folder: Path) -> Settings:
    file = folder / "interpose.yaml"
    return Settings(file, folder / "state", folder / "policy", folder / "principals.yaml", (), ())


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    open_state(settings(tmp_path), "test", {}).close({})
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_one_that_everybody_may_write_is_refused_before_anything_is_put_there(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(StoreError, match="can be written by everybody") as caught:
        open_state(settings(tmp_path), "test", {})
    assert "chmod 700" in caught.value.hint
    assert not list(folder.iterdir())
