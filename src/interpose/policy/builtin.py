"""Policies that are in every bundle: defaults that a team's own policies may forbid or widen, told of like any other policy."""

from __future__ import annotations

from typing import Final

from interpose.model.ids import DataClassName

DEFINITIONS: Final = DataClassName("schema.definition")
"""The data class of the texts of definitions and comments: they hold constants that somebody wrote. Asked only where columns are hidden."""

FILE: Final = "(built in)"
"""What stands for the file of a built-in policy; no policy folder can hold a file of this name."""

TEXT: Final = """\
@id("interpose-people-infer")
@description("Mode `output`: people may compute with columns that are hidden from them. A forbid of `infer` makes it `strict`")
permit (principal is User, action == Action::"infer", resource);

@id("interpose-services-infer")
@description("Mode `output`: services may, too. Agents may not (mode `strict`) until a policy permits it")
permit (principal is Service, action == Action::"infer", resource);

@id("interpose-people-see-definitions")
@description("Texts of definitions and comments, which every tool reads, are shown to people even where columns are hidden")
permit (principal is User, action == Action::"reveal", resource == DataClass::"schema.definition");

@id("interpose-services-see-definitions")
@description("And to services. Agents get them masked until a policy permits it")
permit (principal is Service, action == Action::"reveal", resource == DataClass::"schema.definition");
"""
"""The policies, as Cedar text."""
