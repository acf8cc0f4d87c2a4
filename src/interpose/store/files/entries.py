"""Reading audit chains entry by entry, for exports. Whether they were altered is `verification`'s question."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from interpose.model.errors import RecordingError
from interpose.recording.chain import Entry, EntryError, parse_entry
from interpose.store.files.layout import chains


def audit_entries(folder: Path) -> Iterator[Entry]:
    """Every entry of every chain under an audit folder, chain by chain in order; a torn last line is left out.

    Raises `RecordingError` for a whole line that is no entry, and when a file cannot be read.
    """
    name = ""
    try:
        for name, segments in chains(folder).items():  # noqa: B007 -- named in the error
            for path in segments:
                with path.open("rb") as file:
                    for line in file:
                        if line.endswith(b"\n"):
                            yield parse_entry(line[:-1])
    except EntryError as error:
        raise RecordingError(
            f"the chain `{name}` is damaged", detail=str(error), hint="see `interpose audit verify`"
        ) from error
    except OSError as error:
        raise RecordingError("the audit chain cannot be read", detail=str(error)) from error
