"""Reading a policy folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpose.model.errors import ConfigurationError
from interpose.policy import folder as module
from interpose.policy.folder import read_folder


def test_policies_and_yaml_at_any_depth_but_nothing_hidden(tmp_path: Path) -> None:
    for name in ("a.cedar", "tests/x.yaml", "deep/er/b.cedar", ".git/c.cedar", ".hidden.yaml", "README.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    assert read_folder(tmp_path) == {
        "a.cedar": "a.cedar",
        "deep/er/b.cedar": "deep/er/b.cedar",
        "tests/x.yaml": "tests/x.yaml",
    }


def test_every_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.cedar").write_bytes(b"\xff")
    (tmp_path / "b.cedar").mkdir()
    with pytest.raises(ConfigurationError) as caught:
        read_folder(tmp_path)
    assert len(caught.value.problems) == 2


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 3)
    (tmp_path / "a.cedar").write_text("four")
    with pytest.raises(ConfigurationError, match="larger than"):
        read_folder(tmp_path)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        read_folder(tmp_path / "nowhere")
