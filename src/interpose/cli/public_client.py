"""The command line's client for the gateway's public address: forms that are answered in JSON, with OAuth's errors."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from interpose import __version__
from interpose.cli.trust import client_tls, split_address
from interpose.model.errors import ClientError, InterposeError

CLIENT_ID: Final = "interpose-cli"
_LIMIT: Final = 64 * 1024
_HEADERS: Final = {"User-Agent": f"interpose-cli/{__version__}"}


class PublicError(InterposeError):
    """The public address answered with an error; `word` is OAuth's."""

    code = "server_error"

    def __init__(self, word: str, status: int = 0) -> None:
        """Known words are told in sentences; `status` is HTTP's, 0 where there is none."""
        text, hint = _WORDS.get(word, ("the gateway did not let you in", "ask the gateway's operator"))
        super().__init__(text, detail=word, hint=hint)
        self.word = word
        self.status = status


_WORDS: Final = {
    "access_denied": ("you were refused in the browser", "run `interpose login` again if that was a mistake"),
    "expired_token": ("nobody confirmed the code in time", "run `interpose login` again"),
    "invalid_grant": ("the gateway does not know this login any more", "run `interpose login` again"),
    "invalid_token": ("the gateway does not take your login any more", "run `interpose login` again"),
    "invalid_request": ("the gateway does not understand the request", "is it an older one than this command?"),
    "slow_down": ("too many attempts from your address", "wait a minute, then try again"),
}


def check_url(url: str) -> str:
    """The origin in a gateway's URL; raises `ClientError`. Plain HTTP only to this machine."""
    parts = split_address(url)
    if parts is None or (parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost")):
        raise ClientError(f"`{url}` is no address of a gateway", hint="write `https://host:port`")
    default = {"https": ":443", "http": ":80"}[parts.scheme]
    # As the gateway writes it: its answers are compared with this.
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(default)}"


class PublicClient:
    """One gateway's public address."""

    def __init__(self, url: str) -> None:
        """`INTERPOSE_CA_FILE` names the authorities to trust instead of the system's; raises `ClientError` when it has none."""
        self.url = check_url(url)
        self._tls = client_tls(os.environ.get("INTERPOSE_CA_FILE"))

    def check(self) -> None:
        """Whether a gateway answers under this very address, with a certificate that is believed; raises `ClientError`."""
        # Asked for nothing but an answer: it keeps nothing of it, and `/healthz` would answer under any name. A proxy in between
        # may withhold this very path and no other.
        request = urllib.request.Request(f"{self.url}/static/style.css", headers=_HEADERS)  # noqa: S310 -- the scheme was checked
        try:
            self._open(request)
        except PublicError as error:
            if error.status != HTTPStatus.MISDIRECTED_REQUEST:
                return
            raise ClientError(
                f"what answers at `{self.url}` is not the gateway's public address",
                detail=error.word,
                hint="give the address as the gateway's configuration has it in `public.url`",
            ) from error

    def post(self, path: str, form: Mapping[str, str]) -> dict[str, object]:
        """POST a form; the JSON object of the answer. Raises `PublicError`, or `ClientError` when nobody answers."""
        request = urllib.request.Request(  # noqa: S310 -- the scheme was checked
            f"{self.url}{path}",
            urllib.parse.urlencode({"client_id": CLIENT_ID, **form}).encode(),
            {"Accept": "application/json", **_HEADERS},
        )
        try:
            found = json.loads(self._open(request))
        except ValueError as error:
            raise self._silent(error) from error
        if not isinstance(found, dict):
            raise ClientError(f"`{self.url}` is no gateway")
        return found

    def text(self, path: str) -> str:
        """GET a text; empty when there is none. Raises `ClientError` when nobody answers."""
        try:
            return self._open(urllib.request.Request(f"{self.url}{path}", headers=_HEADERS)).decode()  # noqa: S310 -- the scheme was checked
        except PublicError:
            return ""

    def _open(self, request: urllib.request.Request) -> bytes:
        opener = urllib.request.build_opener(_NoRedirects(), urllib.request.HTTPSHandler(context=self._tls))
        try:
            with opener.open(request, timeout=30) as response:
                data: bytes = response.read(_LIMIT)
        except urllib.error.HTTPError as error:
            raise PublicError(_word(error), error.code) from None
        except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
            raise self._silent(error) from error
        return data

    def _silent(self, error: Exception) -> ClientError:
        return ClientError(
            f"the gateway at `{self.url}` does not answer",
            detail=str(getattr(error, "reason", error)),
            hint="check the address; INTERPOSE_CA_FILE names the authority of its certificate",
        )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token is asked of the gateway and of nobody that it points to."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow none."""


def _word(error: urllib.error.HTTPError) -> str:
    try:
        found = json.loads(error.read(_LIMIT))
    except ValueError:
        return f"status {error.code}"
    return str(found.get("error", "")) if isinstance(found, dict) else f"status {error.code}"
