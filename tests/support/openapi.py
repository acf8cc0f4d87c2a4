"""schemathesis against a server that runs: what the document permits, and what it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

CHECKS: Final = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "negative_data_rejection,unsupported_method"
)


def conforms(
    folder: Path, document: dict[str, Any], url: str, token: str, *options: str, settings: str, examples: int
) -> None:
    """Try every operation of the document with this bearer token; `settings` are schemathesis' own. Fails with what it found."""
    (folder / "schemathesis.toml").write_text(settings)
    (folder / "openapi.json").write_text(json.dumps(document))
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"),
            *("openapi.json", "--url", url, "--header", f"Authorization: Bearer {token}", "--checks", CHECKS),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", str(examples), "--seed", "1"),
            *("--no-color", "--workers", "1", "--continue-on-failure", *options),
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=240,
    )
    assert run.returncode == 0, run.stdout[-12_000:] + run.stderr[-2000:]
    assert f"Tested: {sum(len(each) for each in document['paths'].values())}" in run.stdout
