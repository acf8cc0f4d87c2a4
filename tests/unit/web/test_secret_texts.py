"""Secrets as texts that stand in a URL."""

from __future__ import annotations

from interpose.web.secret_texts import secret_text


def test_a_secret_text_stands_in_a_url() -> None:
    assert secret_text(bytes(32)) == "A" * 43
    assert secret_text(b"\xff" * 32).strip("_8-") == ""
