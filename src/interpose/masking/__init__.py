"""Floor 1: hiding values. Typed transforms, content detection and the plan that applies both to one result.

Pure: no IO, no clocks, no randomness; keys and rules are handed in. Knows PostgreSQL's value formats, nothing of its
messages but the layout of rows (PostgreSQL 17 §55.7).
"""
