"""The protocols that this gateway speaks: the one list."""

from __future__ import annotations

from collections.abc import Mapping

from interpose.protocols.contract import ProtocolSpec
from interpose.protocols.postgres import SPEC as POSTGRES

PROTOCOLS: Mapping[str, ProtocolSpec] = {spec.name: spec for spec in (POSTGRES,)}
"""Every protocol by its name in the configuration."""
