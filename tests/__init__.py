"""The tests of Interpose. A package so that `tests.support` means this folder and no other."""
