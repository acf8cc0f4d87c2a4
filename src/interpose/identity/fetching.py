"""Fetching a small document from an identity provider: bounded in time and size, TLS verified, redirects not followed."""

from __future__ import annotations

import asyncio
import functools
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from interpose.model.errors import ProviderError

MAX_DOCUMENT: Final = 512 * 1024
"""Bytes of a discovery document or a key set; real ones have a few thousand."""

DEADLINE: Final = 4.0
"""Seconds for the whole of one fetch: less than a client waits for its login."""

_MAX_HEADERS: Final = 64 * 1024


class Fetcher:
    """Fetches from the hosts of one provider. Keeps no connection: a provider is asked a few times an hour."""

    def __init__(self, ca_file: Path | None = None, deadline: float = DEADLINE) -> None:
        """`ca_file`: PEM file of the authorities to trust instead of the system's."""
        # Its library is loaded for who has a provider, and here: the first login is no time for that.
        import aiohttp

        self._http = aiohttp
        self._ca_file = ca_file
        self._deadline = deadline

    async def json(self, url: str) -> Mapping[str, object]:
        """The JSON object at this URL; raises `ProviderError`, whose `detail` says what went wrong."""
        status, found = await self.ask(url)
        if status != 200:
            raise _failed(url, f"status {status}")
        return found

    async def ask(
        self, url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, object]]:
        """GET, or POST a form: the status and the JSON object that came with it. Raises `ProviderError`.

        `form` and `headers` may hold secrets: no error has them.
        """
        try:
            async with asyncio.timeout(self._deadline):
                status, data = await self._bytes(url, form, headers or {})
        except TimeoutError:
            raise _failed(url, "no answer in time") from None
        except (self._http.ClientError, OSError, ValueError) as error:
            raise _failed(url, type(error).__name__) from error
        try:
            found = await asyncio.to_thread(json.loads, data)
        except (ValueError, RecursionError):
            raise _failed(url, f"the answer is no JSON, status {status}") from None
        if not isinstance(found, dict):
            raise _failed(url, "the answer is no JSON object")
        return status, found

    async def _bytes(self, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        context: ssl.SSLContext | bool = True
        if url.startswith("https:"):
            # Reads files: not in the event loop.
            context = await asyncio.to_thread(_trusted, self._ca_file)
        connector = self._http.TCPConnector(ssl=context, force_close=True, limit=2)
        async with (
            self._http.ClientSession(
                connector=connector,
                cookie_jar=self._http.DummyCookieJar(),
                max_field_size=_MAX_HEADERS,
                auto_decompress=False,
                headers={"Accept": "application/json", "Accept-Encoding": "identity", **headers},
            ) as session,
            session.request("GET" if form is None else "POST", url, data=form, allow_redirects=False) as response,
        ):
            data = bytearray()
            async for chunk in response.content.iter_any():
                data += chunk
                if len(data) > MAX_DOCUMENT:
                    raise _failed(url, "the answer is too long")
            return response.status, bytes(data)


def _trusted(ca_file: Path | None) -> ssl.SSLContext:
    """What is believed now: a file that was exchanged is read again."""
    if ca_file is None:
        return _context(None, ())
    found = ca_file.stat()
    return _context(ca_file, (found.st_mtime_ns, found.st_ino, found.st_size))


@functools.lru_cache(maxsize=32)
def _context(ca_file: Path | None, _stamp: tuple[int, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _failed(url: str, why: str) -> ProviderError:
    return ProviderError(
        "the identity provider does not answer as it should", detail=f"{url}: {why}", hint="try again later"
    )
