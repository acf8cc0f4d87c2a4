"""The command line's HTTP client for the admin API.

Knows the server's address, the caller's token and how errors are told; nothing of what is asked.
"""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec

from interpose.cli.stored_login import read_login
from interpose.cli.trust import client_tls, split_address
from interpose.model.errors import InterposeError

DataT = TypeVar("DataT")
DEFAULT_SERVER = "http://127.0.0.1:6480"


class ServerError(InterposeError):
    """The gateway answered with an error, or not at all."""

    code = "server_error"


class _Problem(msgspec.Struct):
    code: str
    message: str
    hint: str = ""
    problems: list[str] = []


class AdminClient:
    """One gateway's admin API, as one caller."""

    def __init__(
        self,
        server: str | None = None,
        token: str | None = None,
        ca_file: str | None = None,
        *,
        anonymous: bool = False,
    ) -> None:
        """Missing values come from INTERPOSE_SERVER, INTERPOSE_TOKEN (then from `interpose login`) and INTERPOSE_CA_FILE. `anonymous` sends none."""
        self.server = (server or os.environ.get("INTERPOSE_SERVER") or DEFAULT_SERVER).rstrip("/")
        self._token = None
        if not anonymous:
            self._token = token or os.environ.get("INTERPOSE_TOKEN") or _stored_token(self.server)
        authority = ca_file or os.environ.get("INTERPOSE_CA_FILE")
        self._tls = client_tls(authority) if self.server.startswith("https:") else None

    def get(self, path: str, kind: type[DataT], **query: object) -> DataT:
        """GET and decode; raises `ServerError`."""
        with self._open("GET", path, query, None) as response:
            return self._decode(response.read(), kind)

    def post(self, path: str, kind: type[DataT], body: Mapping[str, object]) -> DataT:
        """POST a JSON body and decode the answer; raises `ServerError`."""
        with self._open("POST", path, {}, msgspec.json.encode(body)) as response:
            return self._decode(response.read(), kind)

    def stream(self, path: str, **query: object) -> Iterator[bytes]:
        """GET and yield the body's bytes as they come; raises `ServerError`."""
        with self._open("GET", path, query, None) as response:
            while chunk := response.read(65536):
                yield chunk

    def follow(self, path: str, **query: object) -> Iterator[bytes]:
        """GET and yield whatever has come, however little, for as long as it takes; raises `ServerError`."""
        with self._open("GET", path, query, None, None) as response:
            try:
                while chunk := response.read1(65536):
                    yield chunk
            except (OSError, http.client.HTTPException) as error:
                raise ServerError("the gateway's answer broke off", detail=str(error)) from error

    def lines(self, path: str, **query: object) -> Iterator[bytes]:
        """GET and yield the body's lines as they come; raises `ServerError`."""
        with self._open("GET", path, query, None) as response:
            yield from response

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: bytes | None,
        timeout: float | None = 60,
    ) -> http.client.HTTPResponse:
        if split_address(self.server) is None:
            raise ServerError(f"`{self.server}` is no server address", hint="write `http://host:port` or `https://…`")
        given = {name: str(value) for name, value in query.items() if value is not None}
        url = f"{self.server}{path}" + (f"?{urllib.parse.urlencode(given)}" if given else "")
        headers = {"Content-Type": "application/json", "User-Agent": "interpose-cli"}
        if self._token:
            if not (self._token.isascii() and self._token.isprintable()):
                raise ServerError(
                    "the access token is damaged", hint="take it anew: it is one line of letters and digits"
                )
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 -- the scheme is checked above
        try:
            response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=timeout, context=self._tls)  # noqa: S310
        except urllib.error.HTTPError as error:
            raise self._problem(error) from error
        except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise ServerError(
                f"the gateway's admin API at `{self.server}` does not answer",
                detail=str(reason),
                hint="is it running? set INTERPOSE_SERVER or give --server",
            ) from error
        return response

    @staticmethod
    def _problem(error: urllib.error.HTTPError) -> ServerError:
        try:
            problem = msgspec.json.decode(error.read(), type=_Problem)
        except msgspec.MsgspecError:
            return ServerError(f"the gateway answered {error.code} {error.reason}", hint="see the gateway's log")
        detail = "; ".join(problem.problems)
        refused = ServerError(problem.message, detail=detail, hint=problem.hint)
        refused.code = problem.code
        return refused

    @staticmethod
    def _decode(data: bytes, kind: type[DataT]) -> DataT:
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.MsgspecError as error:
            raise ServerError("the gateway's answer is not understood", detail=str(error)) from error


def _stored_token(server: str) -> str | None:
    """The token of `interpose login`, when it may go to this server; raises `ServerError` when it is over."""
    stored = read_login()
    if stored is None or not stored.is_for(server):
        return None
    if stored.expired:
        raise ServerError(f"your login as {stored.principal} is over", hint="run `interpose login`")
    return stored.token
