"""Loading: one snapshot is one version of every file, whatever is written to them meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpose.app import loading

CONFIG = """\
policy: policy
principals: principals.yaml
listeners: [{protocol: postgres, address: "127.0.0.1:6432", allow_plaintext_tokens: true}]
connections:
  shop: {protocol: postgres, address: "127.0.0.1:5432", secret: "env:SHOP", options: {database: shop, user: app}}
"""
PRINCIPALS = "principals:\n  - {name: erin, kind: user, groups: [dba]}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration that loads."""
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "all.cedar").write_text('@id("all")\npermit (principal, action, resource);\n')
    (tmp_path / "principals.yaml").write_text(PRINCIPALS)
    file = tmp_path / "interpose.yaml"
    file.write_text(CONFIG)
    return file


@pytest.mark.parametrize(
    ("name", "old", "new"), [("principals.yaml", "[dba]", "[support]"), ("interpose.yaml", "5432", "5433")]
)
def test_a_file_that_changes_while_it_is_loaded_is_another_snapshot(
    config: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str
) -> None:
    """Or the reload that follows would find the digest that it serves already, and the change would be served by nobody."""
    tests = loading.run_policy_tests
    file = config.parent / name

    def edited_meanwhile(*given: object) -> object:
        file.write_text(file.read_text().replace(old, new))
        return tests(*given)  # type: ignore[arg-type]  # handed on as they came

    with monkeypatch.context() as patched:
        patched.setattr(loading, "run_policy_tests", edited_meanwhile)
        before = loading.load(config)
    after = loading.load(config)
    assert before.snapshot.digest != after.snapshot.digest
    assert before.snapshot != after.snapshot
    assert loading.load(config).snapshot.digest == after.snapshot.digest
