"""Waiting on this machine for a browser to bring a code (RFC 8252 §7.3)."""

from __future__ import annotations

import hmac
import http.server
import time
import urllib.parse
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from interpose.model.errors import ClientError

_PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<title>Interpose</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"""


class LoopbackWait:
    """Listens on a port of 127.0.0.1 that the system chooses, for one answer."""

    def __init__(self, state: str) -> None:
        """`state` is what the answer must carry; anything else that comes is answered and not believed."""
        self._found: dict[str, str] | None = None
        wait = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 1  # browsers open connections that they do not use

            def do_GET(self) -> None:
                status, title, text = wait._take(self.path)
                body = _PAGE.format(title=title, text=text).encode()
                self.send_response(status)
                for name, value in _HEADERS.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """The request's line has the code in it."""

        self._state = state
        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        """Listening since it was made."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the port."""
        self._server.server_close()

    @property
    def redirect_uri(self) -> str:
        """Where the browser is to bring the code."""
        return f"http://127.0.0.1:{self._server.server_port}/callback"

    def answer(self, seconds: float) -> Mapping[str, str]:
        """The fields of the answer; raises `ClientError` when none comes in time."""
        deadline = time.monotonic() + seconds
        while self._found is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise ClientError("nobody signed in in time", hint="run `interpose login` again")
            self._server.timeout = min(left, 1.0)
            self._server.handle_request()
        return self._found

    def _take(self, target: str) -> tuple[int, str, str]:
        path, _, query = target.partition("?")
        fields = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        given = fields.get("state", "").encode("utf-8", "surrogatepass")
        if path != "/callback" or not hmac.compare_digest(given, self._state.encode()):
            return 404, "Not found", "This address waits for a login of another kind."
        self._found = fields
        if "code" in fields:
            return 200, "Signed in", "Your terminal goes on. You can close this page."
        return 200, "Not signed in", "The command line was not let in. You can close this page."


_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}
