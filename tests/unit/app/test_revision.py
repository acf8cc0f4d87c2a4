"""The revision of a policy folder, with the real git."""

import os
import subprocess
from pathlib import Path

from interpose.app.revision import Revision, revision_of


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_checkout_says_its_commit_and_whether_it_was_changed(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    policy = tmp_path / "policy"
    policy.mkdir()
    (policy / "a.cedar").write_text("permit (principal, action, resource);")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "policy")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert revision_of(policy) == Revision(commit, dirty=False)
    assert str(revision_of(policy)) == commit[:12]
    (tmp_path / "elsewhere").write_text("a change outside the folder does not count")
    assert not revision_of(policy).dirty
    (policy / "b.cedar").write_text("forbid (principal, action, resource);")
    assert revision_of(policy) == Revision(commit, dirty=True)
    assert str(revision_of(policy)).endswith("(changed)")


def test_a_folder_outside_git_has_none(tmp_path: Path) -> None:
    assert revision_of(tmp_path) == Revision()
    assert str(revision_of(tmp_path)) == ""
