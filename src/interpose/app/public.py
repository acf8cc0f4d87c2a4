"""Reading `public:` strictly: where the pages for people listen and the one origin under which browsers reach them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from interpose.app.settings import PublicSettings
from interpose.app.strict_yaml import Section
from interpose.model.connection import Address

DEFAULT_ADDRESS = Address("127.0.0.1", 6443)


def read_public(
    top: Section, path: Callable[[str], Path], address: Callable[[Section, str, Address, int], Address]
) -> PublicSettings | None:
    """The settings, None without the section; faults go into the file's problems."""
    section = top.section("public")
    files: dict[str, Path | None] = {}
    for key in ("certificate", "key"):
        text = section.optional_text(key)
        files[key] = None if text is None else path(text)
        if files[key] is not None and not Path(str(files[key])).is_file():
            section.problem(key, f"the TLS {key} `{files[key]}` is no file", "check the path")
    at = address(section, "address", DEFAULT_ADDRESS, DEFAULT_ADDRESS.port)
    url = section.optional_text("url")
    section.finish()
    if "public" not in top:
        return None
    if (files["certificate"] is None) != (files["key"] is None):
        section.problem("certificate", "TLS needs both `certificate` and `key`", "give two PEM files")
    origin = None if url is None else read_origin(url)
    if url is None:
        top.problem("public", "`public.url` is missing", "give the address in people's browsers: `https://host:port`")
    elif origin is None:
        section.problem(
            "url",
            f"`{url[:200]}` is no origin of a gateway",
            "write `https://host` or `https://host:port`, without a path",
        )
    elif origin.startswith("http:") and files["certificate"] is not None:
        section.problem("url", "this listener has TLS, so `url` begins with `https://`", "write `https://…`")
    elif origin.startswith("https:") and files["certificate"] is None and not is_loopback(at.host):
        section.problem("address", "the pages for people need TLS beyond loopback", "give `certificate` and `key`")
    elif origin.startswith("http:") and not is_loopback(at.host):
        section.problem(
            "url",
            "people's logins would cross the network in clear",
            "give `certificate` and `key`, and an `https://` url",
        )
    return PublicSettings(origin or "", at, files["certificate"], files["key"])


def read_origin(text: str) -> str | None:
    """The canonical origin in a URL that is nothing but one; plain HTTP only on loopback."""
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None or not host:
        return None
    if not host.isascii() or any(each in host for each in "*%\\ ") or parts.scheme not in ("https", "http"):
        return None
    if parts.scheme == "http" and not is_loopback(host):
        return None
    shown = f"[{host}]" if ":" in host else host
    default = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{shown}" + ("" if port in (None, default) else f":{port}")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very form."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
