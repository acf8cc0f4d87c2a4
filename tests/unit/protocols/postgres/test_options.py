"""The options of a connection."""

import pytest

from interpose.model.errors import ConfigurationError
from interpose.protocols.postgres.options import PostgresOptions, TlsMode, parse_options


def test_the_default_is_the_safe_one() -> None:
    options = parse_options({"database": "d", "user": "u"})
    assert options == PostgresOptions("d", "u", TlsMode.VERIFY_FULL, None, None, False)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_options({"databse": "d", "user": "", "tls": "nope", "allow_md5_authentication": "yes"})
    messages = [problem.message for problem in error.value.problems]
    assert len(messages) == 5
    assert error.value.problems[0].hint == "did you mean `database`?"


@pytest.mark.parametrize("name", ["disable", "prefer", "allow"])
def test_libpqs_harmless_looking_names_are_refused_with_the_name_of_the_risk(name: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse_options({"database": "d", "user": "u", "tls": name})
    assert "insecure-" in error.value.problems[0].hint
