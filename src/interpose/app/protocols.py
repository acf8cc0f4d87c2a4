"""The protocols that this gateway speaks: the one list.

Reading it loads no grammar and no library of a protocol; `relayed` loads what carries them out.
"""

from __future__ import annotations

from collections.abc import Mapping

from interpose.bridges.ssh import SPEC as SSH
from interpose.protocols.contract import BridgeSpec, ProtocolOutline, ProtocolSpec
from interpose.protocols.postgres import OUTLINE as POSTGRES

OUTLINES: Mapping[str, ProtocolOutline] = {spec.name: spec for spec in (POSTGRES,)}
"""Those that are driven by their relay, by name."""

BRIDGES: Mapping[str, BridgeSpec] = {spec.name: spec for spec in (SSH,)}
"""Those whose library owns its IO, by name."""

Spoken = ProtocolOutline | BridgeSpec
"""What the configuration and policy need of either."""

SPOKEN: Mapping[str, Spoken] = {**OUTLINES, **BRIDGES}
"""Every protocol by its name in the configuration."""


def relayed() -> Mapping[str, ProtocolSpec]:
    """The protocols of `OUTLINES`, whole. Loads all that they are made of: not to be called while clients wait."""
    from interpose.protocols.postgres.spec import SPEC

    return {spec.name: spec for spec in (SPEC,)}
