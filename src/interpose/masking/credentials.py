"""Credentials with a form of their own: keys and tokens of well-known services, and passwords in connection strings."""

from __future__ import annotations

import re
from typing import Final

API_KEYS: Final = (
    r"gh[pousr]_[A-Za-z0-9]{36}",  # GitHub
    r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    r"glpat-[A-Za-z0-9_-]{20}",  # GitLab
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"xapp-[0-9]-[A-Z0-9]{8,}-[0-9]{8,}-[a-f0-9]{32,}",
    r"hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,}",
    r"AIza[A-Za-z0-9_-]{35}",  # Google
    r"GOCSPX-[A-Za-z0-9_-]{28}",
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",  # Stripe
    r"whsec_[A-Za-z0-9]{24,}",
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}",
    r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",  # SendGrid
    r"sk-(?:proj-|svcacct-|ant-)[A-Za-z0-9_-]{32,}",  # OpenAI, Anthropic
    r"dop_v1_[a-f0-9]{64}",  # DigitalOcean
    r"hf_[A-Za-z]{34}",  # Hugging Face
    r"AccountKey=[A-Za-z0-9+/]{86}==",  # Azure storage
)
"""Forms of keys and tokens that no ordinary word has."""

PASSWORDS: Final = (
    r"[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s:/@\"'<>]{0,64}:[^\s/@\"'<>]{1,128}@[A-Za-z0-9\[_]",
    r"(?i:password|passwd|pwd)=(?:\"[^\"\s]{3,128}\"|'[^'\s]{3,128}'|[^\s;&,'\"<>]{3,128})",
)
"""Where a password may stand: in the authority of a URL (RFC 3986 §3.2.1), and in `key=value` connection strings."""

_PLACEHOLDER: Final = re.compile(
    rb"[*x.\xe2\x80\xa2]+|\$[A-Z_][A-Z0-9_]*|\$\{[^}]*\}|\{+\w*\}+|%\w+%?|<.*|\[.*|(?i:password|passwd|secret|null|none|true|false)"
)


def api_key(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """A key that does not go on before or behind what was found."""
    if data[max(start - 1, 0) : start].isalnum() or data[end : end + 1].isalnum():
        return []
    if data[start : start + 5] == b"xoxb-" or b"-" in data[start : start + 6]:
        # The tail may be words in a longer slug: a token has digits.
        return [(start, end)] if any(48 <= c <= 57 for c in data[start:end]) else []
    return [(start, end)]


def password(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """The password in a connection string, without what stands around it; placeholders are none."""
    text = data[start:end]
    scheme = text.find(b"://")
    if scheme >= 0 and b"=" not in text[:scheme]:
        # The last character is the host's first.
        inner = (start + text.index(b":", scheme + 3) + 1, end - 2)
    else:
        inner = (start + text.index(b"=") + 1, end)
        if data[inner[0] : inner[0] + 1] in (b"'", b'"'):
            inner = (inner[0] + 1, inner[1] - 1)
    value = data[inner[0] : inner[1]]
    return [inner] if value and _PLACEHOLDER.fullmatch(value) is None else []
