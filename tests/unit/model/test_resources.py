"""Resources say whether the catalog knew them, and by which name policy may trust a program."""

import pytest

from interpose.model.resources import DestinationResource, PathResource, ProgramResource, TableResource


def test_an_unresolved_table_says_so() -> None:
    assert TableResource("public", "t").resolved
    assert not TableResource("", "t", "unresolved").resolved


@pytest.mark.parametrize(
    ("word", "name", "basename", "path", "builtin"),
    [
        ("rm", "rm", "rm", "", True),
        ("/usr/bin/rm", "rm", "rm", "/usr/bin/rm", True),
        ("/srv/rm", "/srv/rm", "rm", "/srv/rm", False),
        ("./rm", "./rm", "rm", "./rm", False),
        ("/rm", "/rm", "rm", "/rm", False),
        ("/bin/", "", "", "/bin/", True),
    ],
)
def test_only_a_systems_own_program_has_its_plain_name(
    word: str, name: str, basename: str, path: str, builtin: bool
) -> None:
    program = ProgramResource(word)
    assert (program.name, program.basename, program.path, program.builtin) == (name, basename, path, builtin)


@pytest.mark.parametrize(
    ("path", "resolved"), [("/a/", True), ("/a/../b", False), ("//", False), ("a", True), ("", True)]
)
def test_a_path_that_is_not_canonical_is_no_path(path: str, resolved: bool) -> None:
    with pytest.raises(ValueError, match="canonical"):
        PathResource(path, resolved)


def test_a_relative_path_stands_unresolved() -> None:
    assert not PathResource("../a", resolved=False).resolved


def test_destinations_are_named_as_clients_write_them() -> None:
    assert DestinationResource("db", 5432).name == "db:5432"
    assert DestinationResource("::1", 22).name == "[::1]:22"
    assert DestinationResource("", 0, "/run/docker.sock").name == "/run/docker.sock"
