"""Random bytes as texts that a machine carries: cookies, codes, states."""

from __future__ import annotations

import base64


def secret_text(random: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(random).rstrip(b"=").decode()
