"""Policies that are in every bundle: defaults that a team's own policies may forbid or widen, told of like any other policy."""

from __future__ import annotations

from typing import Final

FILE: Final = "(built in)"
"""What stands for the file of a built-in policy; no policy folder can hold a file of this name."""

TEXT: Final = """\
@id("interpose-people-infer")
@description("Mode `output`: people may compute with columns that are hidden from them. A forbid of `infer` makes it `strict`")
permit (principal is User, action == Action::"infer", resource);

@id("interpose-services-infer")
@description("Mode `output`: services may, too. Agents may not (mode `strict`) until a policy permits it")
permit (principal is Service, action == Action::"infer", resource);
"""
"""The policies, as Cedar text."""
