"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="INTERPOSE_CONFIG", help="the gateway's configuration file")
]
ServerOption = Annotated[str | None, typer.Option("--server", help="the admin API, e.g. https://gateway:6480")]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON")]
CREDENTIAL_VARIABLE = "INTERPOSE_CREDENTIAL"
"""Names the folder with a client certificate."""

DEFAULT_CONFIG = Path("interpose.yaml")
