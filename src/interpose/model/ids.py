"""Identifiers: opaque strings that may not be mixed up, and the port that makes them is in `engine.ports`."""

from __future__ import annotations

from typing import NewType

SessionId = NewType("SessionId", str)
"""One client session, e.g. `s_01JC…`; unique for ever, sorts by time of opening."""

ApprovalId = NewType("ApprovalId", str)
"""One held command's approval, short enough to type, e.g. `ap-7kq2m`."""

TokenId = NewType("TokenId", str)
"""The public half of an access token; safe to log."""

PolicyId = NewType("PolicyId", str)
"""The `@id` of one Cedar policy."""

ConnectionName = NewType("ConnectionName", str)
"""The name of a configured upstream, e.g. `orders-prod`."""

SnapshotDigest = NewType("SnapshotDigest", str)
"""SHA-256 (hex) over configuration, policy and classifications of one snapshot."""

DataClassName = NewType("DataClassName", str)
"""A dotted data class, e.g. `pii.email`; `pii.email` is in `pii`."""
