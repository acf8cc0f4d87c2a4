"""The port that waits for a browser believes one answer, the one with its state."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

import pytest

from interpose.cli.loopback import LoopbackWait
from interpose.model.errors import ClientError


def fetch(url: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read().decode(), str(response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), str(error.headers)


def test_an_answer_with_another_state_is_not_believed() -> None:
    seen = []
    with LoopbackWait("right") as wait:

        def browser() -> None:
            base = wait.redirect_uri
            seen.extend(
                fetch(url)
                for url in (
                    f"{base}?code=stolen&state=wrong",
                    f"{base}?code=stolen",
                    base.replace("/callback", "/favicon.ico"),
                    f"{base}/../callback?code=stolen&state=right",
                    f"{base}?code=%3Cscript%3E&state=right",
                )
            )

        thread = threading.Thread(target=browser)
        thread.start()
        assert wait.answer(20)["code"] == "<script>"
        thread.join()
    assert [status for status, _, _ in seen] == [404, 404, 404, 404, 200]
    assert all("script" not in body and "stolen" not in body for _, body, _ in seen)
    assert all("no-store" in headers and "default-src 'none'" in headers for _, _, headers in seen)


def test_it_does_not_wait_for_ever() -> None:
    with LoopbackWait("state") as wait, pytest.raises(ClientError, match="in time"):
        wait.answer(0.0)
