"""One file a version, named after it. INVARIANT: a version that was released is never changed."""
