"""A real SAML identity provider: Debian's SimpleSAMLphp, served by PHP's own server from a folder of the test's.

Its users are those of `exampleauth:UserPass`. What is changed in its folder counts at the next request.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest
from playwright.sync_api import Page

from tests.support.gateway import free_port
from tests.support.saml import signer

_PROGRAM: Final = Path("/usr/share/simplesamlphp/www")
_PASSWORD: Final = "Password-Canary-5Tz0"
Users = Mapping[str, Mapping[str, list[str]]]


def check_installed() -> None:
    """Without it, tests are skipped with a loud reason; in CI they fail."""
    if shutil.which("php") is not None and _PROGRAM.is_dir():
        return
    said = (
        "SimpleSAMLphp is not installed: logins with a real SAML provider cannot be tested"
        " (on Debian: apt-get install --no-install-recommends simplesamlphp php-cli php-xml php-mbstring)"
    )
    if os.environ.get("CI"):
        pytest.fail(said, pytrace=False)
    pytest.skip(said)


class SimpleSamlPhp:
    """One running provider."""

    def __init__(self, users: Users) -> None:
        """`users` by login name: their attributes."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = Path(tempfile.mkdtemp(prefix="interpose-simplesamlphp-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._hosted: dict[str, object] = {}
        for name in ("cert", "log", "data", "tmp", "sessions", "metadata"):
            (self.folder / name).mkdir()
        (self.folder / "cert" / "idp.key").write_text(signer(10).key)
        (self.folder / "cert" / "idp.crt").write_text(signer(10).certificate)
        self._php("config.php", "config", self._config())
        self._php("metadata/saml20-sp-remote.php", "metadata", {})
        self.users(users)
        self.change()

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        check_installed()
        environment = {**os.environ, "SIMPLESAMLPHP_CONFIG_DIR": str(self.folder), "PHP_CLI_SERVER_WORKERS": "2"}
        with (self.folder / "log" / "php").open("w") as log:
            self._process = subprocess.Popen(
                [
                    "php",
                    "-d",
                    "display_errors=0",
                    "-d",
                    "opcache.enable=0",
                    "-S",
                    f"127.0.0.1:{self.port}",
                    "-t",
                    str(_PROGRAM),
                ],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 60
        while True:
            try:
                self.metadata()
                return self
            except (urllib.error.URLError, OSError) as error:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise RuntimeError(f"SimpleSAMLphp did not start: {error}\n{self.log()}") from error
                time.sleep(0.1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, with the workers that PHP forked."""
        if self._process is not None:
            os.killpg(self._process.pid, 15)
            self._process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What it said."""
        return "".join(each.read_text(errors="replace") for each in (self.folder / "log").iterdir())

    def metadata(self) -> bytes:
        """What it says of itself."""
        with urllib.request.urlopen(f"{self.url}/saml2/idp/metadata.php", timeout=30) as response:
            found: bytes = response.read()
        if not found.startswith(b"<?xml") or b"IDPSSODescriptor" not in found:
            raise RuntimeError(f"SimpleSAMLphp cannot tell its metadata:\n{self.log()}")
        return found

    def users(self, users: Users) -> None:
        """Who can sign in from now on."""
        known: dict[str, object] = {f"{name}:{_PASSWORD}": dict(each) for name, each in users.items()}
        self._php("authsources.php", "config", {"example-userpass": ["exampleauth:UserPass", known]}, flat=True)

    def change(self, **hosted: object) -> None:
        """Lay options over its own, such as `assertion.encryption`."""
        self._hosted |= {name.replace("__", "."): value for name, value in hosted.items()}
        self._php(
            "metadata/saml20-idp-hosted.php",
            "metadata",
            {
                f"{self.url}/idp": {
                    "host": "__DEFAULT__",
                    "privatekey": "idp.key",
                    "certificate": "idp.crt",
                    "auth": "example-userpass",
                    "signature.algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                    # It refuses what the gateway did not sign.
                    "validate.authnrequest": True,
                    "redirect.validate": True,
                    "NameIDFormat": ["urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"],
                    "authproc": [
                        {
                            "class": "saml:AttributeNameID",
                            "attribute": "employee",
                            "Format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
                        }
                    ],
                    **self._hosted,
                }
            },
        )

    def knows(self, *metadata: bytes) -> None:
        """Give it the gateway's metadata, of one name or several."""
        new = self.folder / "sp.new"
        entities = [each.partition(b"?>")[2] for each in metadata]
        space = b'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
        new.write_bytes(b"<md:EntitiesDescriptor %s>%s</md:EntitiesDescriptor>" % (space, b"".join(entities)))
        new.rename(self.folder / "sp.xml")
        self._php("config.php", "config", self._config())

    def sign_in(self, page: Page, login: str) -> None:
        """Sign in on its own page."""
        page.fill("input[name=username]", login)
        page.fill("input[name=password]", _PASSWORD)
        page.press("input[name=password]", "Enter")

    def _config(self) -> dict[str, object]:
        folder = str(self.folder)
        known = self.folder / "sp.xml"
        return {
            "baseurlpath": f"{self.url}/",
            "certdir": f"{folder}/cert/",
            "loggingdir": f"{folder}/log/",
            "datadir": f"{folder}/data/",
            "tempdir": f"{folder}/tmp",
            "metadatadir": f"{folder}/metadata/",
            "secretsalt": "a salt of the tests",
            "auth.adminpassword": _PASSWORD,
            "timezone": "UTC",
            "technicalcontact_name": "Nobody",
            "technicalcontact_email": "na@example.org",
            "debug": {"saml": False, "backtraces": True, "validatexml": False},
            "showerrors": True,
            "errorreporting": False,
            "logging.level": 7,
            "logging.handler": "file",
            "logging.logfile": "simplesamlphp.log",
            "enable.saml20-idp": True,
            "module.enable": {"exampleauth": True, "core": True, "saml": True},
            "session.cookie.secure": False,
            "session.phpsession.savepath": f"{folder}/sessions",
            "session.phpsession.cookiename": "SimpleSAML",
            "store.type": "phpsession",
            "admin.checkforupdates": False,
            "metadata.sources": [
                {"type": "flatfile"},
                *([{"type": "xml", "file": str(known)}] if known.exists() else []),
            ],
        }

    def _php(self, name: str, variable: str, value: object, *, flat: bool = False) -> None:
        """A file that gives a variable a value: JSON within a text that PHP takes as it is."""
        if flat:
            # An authentication source is its class, with its users in the same array.
            assert isinstance(value, dict)
            value = {key: {"0": parts[0], **parts[1]} for key, parts in value.items()}
        text = json.dumps(value).replace("\\", "\\\\").replace("'", "\\'")
        new = self.folder / "new"
        new.write_text(f"<?php\n${variable} = json_decode('{text}', true);\n")
        new.rename(self.folder / name)
