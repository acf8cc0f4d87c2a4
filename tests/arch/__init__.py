"""Tests of the house itself: floors, seals, sizes, words. Each check is shown to fail on a planted violation."""
