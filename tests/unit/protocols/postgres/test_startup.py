"""First packets and startup parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpose.protocols.postgres.startup import (
    LOGIN_SETTING,
    ParameterRefused,
    Startup,
    decode_startup,
    encode_cancel,
    encode_startup,
    requested_settings,
    split_options,
)
from interpose.protocols.postgres.wire import BodyError

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=9)


def settings(*parameters: tuple[str, str]) -> dict[str, str]:
    return requested_settings(Startup(0, parameters))


@given(st.integers(0, 9), st.lists(st.tuples(words, words), max_size=4).map(tuple))
def test_a_startup_decodes_to_itself(minor: int, parameters: tuple[tuple[str, str], ...]) -> None:
    made = Startup(minor, parameters)
    assert decode_startup(encode_startup(made)) == made


@given(st.binary(max_size=40))
def test_any_packet_is_decoded_or_refused(body: bytes) -> None:
    packet = (len(body) + 8).to_bytes(4, "big") + b"\0\3\0\0" + body
    try:
        assert encode_startup(decode_startup(packet)) == packet
    except BodyError:
        return


@pytest.mark.parametrize("version", [b"\0\2\0\0", b"\0\4\0\0"])
def test_other_major_versions_are_refused(version: bytes) -> None:
    with pytest.raises(BodyError, match="unsupported frontend protocol"):
        decode_startup(b"\0\0\0\x09" + version + b"\0")


def test_harmless_settings_pass_in_lower_case() -> None:
    assert settings(("DateStyle", "ISO"), ("application_name", "x"), ("user", "a")) == {
        "datestyle": "ISO",
        "application_name": "x",
    }


@pytest.mark.parametrize("value", ["UTF8", "utf-8", "'utf-8'", "UNICODE", "SQL_ASCII"])
def test_the_pinned_encoding_may_be_asked_for_and_is_not_handed_on(value: str) -> None:
    assert settings(("client_encoding", value)) == {}


@pytest.mark.parametrize(
    "parameter",
    [
        ("client_encoding", "LATIN1"),
        ("standard_conforming_strings", "off"),
        ("session_replication_role", "replica"),
        ("role", "postgres"),
        ("replication", "database"),
        ("replication", "true"),
        ("options", "-c standard_conforming_strings=off"),
        ("options", "-c role=postgres"),
        ("options", "--role=postgres"),
        ("options", "-d 5"),
        ("options", "-c"),
        ("options", "-cx"),
        ("options", "-W 5"),
        ("options", "-c interpose.login=token"),
        ("interpose.other", "browser"),
    ],
)
def test_everything_else_is_refused(parameter: tuple[str, str]) -> None:
    with pytest.raises(ParameterRefused) as error:
        settings(parameter)
    assert error.value.hint


def test_options_are_split_as_the_server_splits_them() -> None:
    assert split_options(r"  -c  a=b\ c\\  -cx=y ") == ["-c", "a=b c\\", "-cx=y"]
    assert settings(("options", r"-c search_path=a,\ b --statement-timeout=5s")) == {
        "search_path": "a, b",
        "statement_timeout": "5s",
    }


@pytest.mark.parametrize("parameter", [("Interpose.Login", "BROWSER"), ("options", "-c interpose.login=browser")])
def test_the_gateways_own_setting_is_read(parameter: tuple[str, str]) -> None:
    assert settings(parameter) == {LOGIN_SETTING: "browser"}


def test_a_parameter_of_its_own_wins() -> None:
    assert settings(("search_path", "a"), ("options", "-c search_path=b")) == {"search_path": "a"}


def test_a_cancel_request_carries_its_key() -> None:
    assert encode_cancel(b"12345678") == b"\0\0\0\x10\x04\xd2\x16\x2e12345678"
