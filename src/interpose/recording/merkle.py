"""The Merkle tree of RFC 6962 §2.1, grown one leaf at a time in logarithmic space."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class CompactRange:
    """A tree over the first `size` leaves that remembers only the roots of its perfect subtrees, largest first.

    Appending costs one hash a leaf on average; the root costs as many as there are subtrees.
    """

    __slots__ = ("_roots", "size")

    def __init__(self) -> None:
        """An empty tree."""
        self._roots: list[bytes] = []
        self.size = 0

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash (see `chain.entry_hash`)."""
        rest = self.size
        self.size += 1
        roots = self._roots
        while rest & 1:
            leaf = sha256(b"\x01" + roots.pop() + leaf).digest()
            rest >>= 1
        roots.append(leaf)

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes in order."""
        for leaf in leaves:
            self.append(leaf)

    def root(self) -> bytes:
        """The tree's root hash; of the empty tree, the hash of nothing."""
        if not self._roots:
            return sha256(b"").digest()
        roots = self._roots
        value = roots[-1]
        for left in reversed(roots[:-1]):
            value = node_hash(left, value)
        return value
