"""Looking at files: every way in which a policy folder is changed is seen, and nothing else is."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from interpose.app.watching import stamp


def _write_in_place(folder: Path) -> None:
    (folder / "a.cedar").write_text("other")


def _same_size(folder: Path) -> None:
    (folder / "a.cedar").write_text("TEXT")


def _replace(folder: Path) -> None:
    (folder / ".new").write_text("text")
    (folder / ".new").replace(folder / "a.cedar")


def _keep_times(folder: Path) -> None:
    before = (folder / "a.cedar").stat()
    (folder / "a.cedar").write_text("TEXT")
    os.utime(folder / "a.cedar", ns=(before.st_atime_ns, before.st_mtime_ns))


def _add(folder: Path) -> None:
    (folder / "teams" / "new.cedar").write_text("x")


def _remove(folder: Path) -> None:
    (folder / "teams" / "b.cedar").unlink()


def _swap_link(folder: Path) -> None:
    (folder.parent / "link").unlink()
    (folder.parent / "link").symlink_to(folder.parent / "two")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "one"
    (made / "teams").mkdir(parents=True)
    (made / "a.cedar").write_text("text")
    (made / "teams" / "b.cedar").write_text("text")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "a.cedar").write_text("text")
    (tmp_path / "link").symlink_to(made)
    (tmp_path / "config.yaml").write_text("x")
    return made


@pytest.mark.parametrize("change", [_write_in_place, _same_size, _replace, _keep_times, _add, _remove, _swap_link])
def test_a_change_is_seen(folder: Path, change: Callable[[Path], None]) -> None:
    link, file = folder.parent / "link", folder.parent / "config.yaml"
    before = stamp((file,), (link,))
    assert stamp((file,), (link,)) == before
    change(folder)
    assert stamp((file,), (link,)) != before


def test_what_is_beside_and_what_is_hidden_does_not_count(folder: Path) -> None:
    file = folder.parent / "config.yaml"
    before = stamp((file,), (folder,))
    (folder.parent / "audit.log").write_text("many")
    (folder / ".git").mkdir()
    (folder / ".git" / "index").write_text("x")
    (folder / ".a.cedar.swp").write_text("x")
    assert stamp((file,), (folder,)) == before


def test_what_is_absent_is_seen_when_it_comes(tmp_path: Path) -> None:
    file, folder = tmp_path / "f", tmp_path / "d"
    before = stamp((file,), (folder,))
    assert before == ()
    file.write_text("x")
    assert stamp((file,), (folder,)) != before
