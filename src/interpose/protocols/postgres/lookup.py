"""Reading an upstream's catalog over a dialled connection of the gateway's own, one simple query a dialogue.

Knows how to ask and how rows come back; what to ask and what the rows mean is `analysis.sql.lookup_queries`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from interpose.analysis.sql.lookup_queries import FINGERPRINT, lookup_query, read_page
from interpose.analysis.sql.survey_queries import read_sample, read_survey, sample_query, survey_query
from interpose.model.catalog import CatalogNames
from interpose.model.errors import UpstreamError
from interpose.model.survey import Sample, SampleRequest
from interpose.protocols.dialogue import Done, Failed, Send, Step
from interpose.protocols.postgres.backend import read_cells, read_fields
from interpose.protocols.postgres.dial import upstream_fault
from interpose.protocols.postgres.frames import Frames
from interpose.protocols.postgres.wire import BodyError, cstring, frame

Row = tuple[str | None, ...]

_MAX_MESSAGE: Final = 16 << 20
_MOST_BYTES: Final = 64 << 20
"""Bytes of one answer that are kept; a longer one is refused."""


class Question:
    """One simple query on an idle connection; ends with what `read` makes of all rows. Ready for the next one afterwards."""

    __slots__ = ("_error", "_frames", "_kept", "_otherwise", "_over", "_read", "_rows", "_sqlstate", "_text")

    def __init__(
        self, text: str, read: Callable[[list[Row]], object], refused: Callable[[str], object] | None = None
    ) -> None:
        """`read` may raise `ValueError` for rows that it does not understand. `refused` makes a result of the upstream's refusal,
        given its SQLSTATE; without it a refusal is a failure."""
        self._text = text
        self._read = read
        self._frames = Frames(_MAX_MESSAGE)
        self._rows: list[Row] = []
        self._kept = 0
        self._otherwise = refused
        self._sqlstate = ""
        self._error: UpstreamError | None = None
        self._over = False

    def start(self) -> list[Step]:
        """Ask."""
        try:
            return [Send(frame(b"Q", cstring(self._text)))]
        except ValueError:
            return self._fail(UpstreamError("a name in the question to the upstream's catalog holds a NUL"))

    def tls_started(self, certificate: bytes | None) -> list[Step]:
        """Never due: TLS, where there is one, was begun by the dial."""
        return self._fail(UpstreamError("the upstream's connection changed under a question"))

    def closed(self) -> list[Step]:
        """The upstream hung up."""
        return [] if self._over else self._fail(UpstreamError("the upstream closed the connection"))

    def received(self, data: bytes) -> list[Step]:
        """Bytes of the answer."""
        if self._over:
            return []
        self._kept += len(data)
        if self._kept > _MOST_BYTES:
            return self._fail(UpstreamError("the upstream's answer about its catalog is too long"))
        self._frames.feed(data)
        try:
            while (message := self._frames.next()) is not None:
                kind, body = message
                if kind == b"D":
                    cells = read_cells(body)
                    self._rows.append(tuple(None if cell is None else cell.decode() for cell in cells))
                elif kind == b"E":
                    fields = read_fields(body)
                    self._error, self._sqlstate = upstream_fault(fields), fields.get("C", "")
                elif kind == b"Z":
                    return self._done()
                elif kind not in (b"T", b"C", b"N", b"S", b"I"):
                    return self._fail(UpstreamError("the upstream broke the protocol", detail=f"unexpected {kind!r}"))
        except (BodyError, UnicodeDecodeError) as error:
            return self._fail(UpstreamError("the upstream broke the protocol", detail=type(error).__name__))
        return []

    def _done(self) -> list[Step]:
        if self._error is not None:
            if self._otherwise is None:
                return self._fail(self._error)
            self._over = True
            return [Done(self._otherwise(self._sqlstate), self._frames.rest)]
        try:
            result = self._read(self._rows)
        except ValueError as error:
            return self._fail(
                UpstreamError("the upstream's answer about its catalog is not understood", detail=str(error))
            )
        self._over = True
        return [Done(result, self._frames.rest)]

    def _fail(self, error: UpstreamError) -> list[Step]:
        self._over = True
        return [Failed(error)]


def catalog_lookup(names: CatalogNames, path: tuple[str, ...]) -> Question:
    """The dialogue that asks for these names; ends with a `CatalogPage`."""
    return Question(lookup_query(names, path), lambda rows: read_page(names, path, rows))


def catalog_fingerprint() -> Question:
    """The dialogue that asks for a text which changes when anybody changed the catalog."""
    return Question(FINGERPRINT, _one_text)


def catalog_survey(schema: str | None) -> Question:
    """The dialogue that asks for every table, or those of one schema; ends with a `Survey`."""
    return Question(survey_query(schema), read_survey)


def table_sample(request: SampleRequest) -> Question:
    """The dialogue that asks for a sample of values; ends with a `Sample`, be it one that was refused."""
    return Question(sample_query(request), read_sample, lambda sqlstate: Sample(refused=sqlstate or "XX000"))


def _one_text(rows: list[Row]) -> object:
    match rows:
        case [[str(text)]]:
            return text
        case _:
            raise ValueError("expected one row with one text")
