"""The algorithms that the gateway speaks: modern ones only, on either side. No SHA-1, no CBC, no `ssh-rsa`, no NIST curves for itself.

Strict key exchange (the answer to CVE-2023-48795) is the library's own and is always offered.
"""

from __future__ import annotations

from typing import Final

KEX: Final = (
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
)
"""Key exchange with clients. No finite-field groups: they cost the server so much that a few clients can keep it busy (CVE-2002-20001)."""

UPSTREAM_KEX: Final = (
    *KEX,
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "ecdh-sha2-nistp521",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp256",
)
"""Key exchange with upstreams: theirs may be older, and their host key is pinned."""

CIPHERS: Final = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr")
"""Encryption, either side."""

MACS: Final = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "umac-128-etm@openssh.com")
"""Integrity where the cipher has none of its own; encrypt-then-MAC with clients."""

UPSTREAM_MACS: Final = (*MACS, "hmac-sha2-256", "hmac-sha2-512")
"""Integrity with upstreams."""

SIGNATURES: Final = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""Signatures that prove a client's key, or an upstream's host key."""

HOST_KEY_TYPES: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
)
"""Types of keys that can be pinned; an RSA key (`ssh-rsa` is the name of the key's form, too) signs with SHA-2 only."""
