"""The protocols that this gateway speaks: the one list."""

from __future__ import annotations

from collections.abc import Mapping

from interpose.bridges.ssh import SPEC as SSH
from interpose.protocols.contract import BridgeSpec, ProtocolSpec
from interpose.protocols.postgres import SPEC as POSTGRES

PROTOCOLS: Mapping[str, ProtocolSpec] = {spec.name: spec for spec in (POSTGRES,)}
"""Those that are driven by their relay, by name."""

BRIDGES: Mapping[str, BridgeSpec] = {spec.name: spec for spec in (SSH,)}
"""Those whose library owns its IO, by name."""

Spoken = ProtocolSpec | BridgeSpec
"""What the configuration and policy need of either."""

SPOKEN: Mapping[str, Spoken] = {**PROTOCOLS, **BRIDGES}
"""Every protocol by its name in the configuration."""
