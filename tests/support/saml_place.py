"""A SAML provider of the gateway's over real signatures, without pages and server."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from interpose.engine.directory import Directory
from interpose.engine.signing_in import Departure, SignedIn, SignIn
from interpose.identity.mapping import ClaimPath, GroupMapping
from interpose.identity.saml import SamlProvider
from interpose.identity.saml_keys import ServiceKey, load_or_make_key
from interpose.identity.saml_metadata import read_metadata
from interpose.identity.saml_options import SamlOptions
from interpose.identity.saml_sign_in import SamlSignIn
from tests.support.gateway_core import Core
from tests.support.memory import CountingIds, MemoryBus, MemoryDirectory
from tests.support.saml import ADDRESS, form, metadata


class SkewedClock:
    """The machine's clock, shifted: assertions are dated by it, and python3-saml looks at it as well."""

    def __init__(self) -> None:
        self.skew = 0.0

    def wall(self) -> float:
        return time.time() + self.skew

    def monotonic(self) -> float:
        return time.monotonic()


class MemoryUsedAssertions:
    """The port, in memory."""

    def __init__(self) -> None:
        self.until: dict[bytes, float] = {}

    async def first_use(self, digest: bytes, until: float, now: float) -> bool:
        new = digest not in self.until
        self.until.setdefault(digest, until)
        return new

    async def used(self, digest: bytes) -> bool:
        return digest in self.until


@cache
def _key() -> ServiceKey:
    with TemporaryDirectory() as folder:
        return load_or_make_key(Path(folder))


class SamlPlace:
    """One provider, `partner`, described by a file in `folder`."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.core = Core()
        self.clock = SkewedClock()
        mapping = SamlOptions("", Path()).mapping
        mapping = replace(
            mapping,
            name=ClaimPath(("uid",)),
            groups=GroupMapping(ClaimPath(("groups",)), frozenset({"support", "dba"})),
        )
        file = folder / "partner.xml"
        file = file if file.exists() else metadata(file)
        self.options = SamlOptions("partner", file, **{"mapping": mapping, "described": read_metadata(file), **options})
        self.key = _key()
        self.provider = SamlProvider(self.options, self._service_key, self.clock, CountingIds())
        self.used = MemoryUsedAssertions()
        self.store = MemoryDirectory()
        core = self.core
        directory = Directory(core.holder, self.store, core.audit, MemoryBus(), self.clock)
        self.desk = SignIn(directory, core.audit, self.clock)
        self.sign_in = SamlSignIn(self.provider, self.desk, self.used, self.clock)

    def read_again(self) -> None:
        """As a reload that finds the file changed."""
        self.provider.use(replace(self.options, described=read_metadata(self.options.metadata)))

    async def _service_key(self) -> ServiceKey:
        return self.key

    async def came(self, data: Any, request: str = "id-1", again: float | None = None) -> SignedIn:
        """A browser that left with this request comes back with an answer."""
        return await self.sign_in.arrive(
            Departure("", "state", {"request": request, **({} if again is None else {"again": str(again)})}),
            ADDRESS,
            form(data),
            "192.0.2.7",
        )
