"""Protocols whose library owns its IO: one folder each, driven by callbacks and tasks of that library's.

A bridge holds the same proofs as any relay: it dials with a `Grant`, starts what was judged under a `Permit`, and shows what its
session's `Clearance` lets it. It never dials by itself: it is handed connected sockets.
"""
