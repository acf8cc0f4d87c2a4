"""What a native client is told: complete, nothing of before in its way, and no secret where none was asked for."""

from __future__ import annotations

import dataclasses
import shlex
import subprocess
from pathlib import Path

from interpose.cli.native import MISLEADING, Entry, by_hand, environment, postgres_variables, ssh_options, ssh_words
from interpose.cli.reach import Reach

ENTRY = Entry("orders-prod", Reach("gateway.example.com", 6432, authority="/etc/my ca.pem"), "alice", "ip_canary")


def test_the_variables() -> None:
    assert postgres_variables(ENTRY) == {
        "PGHOST": "gateway.example.com",
        "PGPORT": "6432",
        "PGDATABASE": "orders-prod",
        "PGUSER": "alice",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/etc/my ca.pem",
        "PGPASSWORD": "ip_canary",
    }
    plain = postgres_variables(Entry("shop", Reach("127.0.0.1", 1, tls=False), "bob", "t"))
    assert plain["PGSSLMODE"] == "disable"
    assert "PGSSLROOTCERT" not in plain


def test_nothing_of_before_points_elsewhere_and_the_rest_stays() -> None:
    before = {**dict.fromkeys(MISLEADING, "elsewhere"), "PGHOST": "elsewhere", "PGAPPNAME": "mine", "PATH": "/bin"}
    after = environment(ENTRY, before)
    assert "elsewhere" not in after.values()
    assert (after["PGAPPNAME"], after["PATH"]) == ("mine", "/bin")


def test_the_lines_for_a_shell_do_the_same() -> None:
    shell = by_hand(ENTRY, show_secret=False) + "env"
    before = {"INTERPOSE_TOKEN": "ip_canary", "PGSERVICE": "elsewhere"}
    done = subprocess.run(["/bin/sh", "-c", shell], env=before, capture_output=True, text=True, check=True)
    after = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert {**after, **postgres_variables(ENTRY)} == after
    assert "PGSERVICE" not in after


def test_the_secret_is_shown_when_it_is_asked_for() -> None:
    assert "ip_canary" not in by_hand(ENTRY, show_secret=False)
    assert "export PGPASSWORD=ip_canary" in by_hand(ENTRY, show_secret=True)
    stored = by_hand(dataclasses.replace(ENTRY, token_variable=None), show_secret=False)
    assert "ip_canary" not in stored and "export PGPASSWORD" not in stored
    assert "of your login; `--show-secret` prints it" in stored
    assert "ip_canary" not in repr(ENTRY)


def test_the_psql_line_and_the_jdbc_url() -> None:
    comments = [line[2:] for line in by_hand(ENTRY, show_secret=False).splitlines() if line.startswith("# ")]
    psql = next(line for line in comments if line.startswith("psql "))
    assert shlex.split(psql)[1] == (
        "host=gateway.example.com port=6432 dbname=orders-prod user=alice sslmode=verify-full "
        "sslrootcert='/etc/my ca.pem'"
    )
    assert (
        "jdbc:postgresql://gateway.example.com:6432/orders-prod?user=alice&sslmode=verify-full"
        "&sslrootcert=%2Fetc%2Fmy%20ca.pem" in comments
    )
    assert "jdbc:postgresql://[::1]:1/a%2Fb?user=b%26c&sslmode=disable" in by_hand(
        Entry("a/b", Reach("::1", 1, tls=False), "b&c", "t"), show_secret=False
    )


def test_a_credential_takes_the_place_of_the_password() -> None:
    entry = Entry("shop", Reach("gateway.example.com", 1), "alice", credential=Path("/home/alice/my credential"))
    after = environment(entry, {"PGPASSWORD": "old", "PGSSLKEY": "old"})
    assert after["PGSSLCERT"] == "/home/alice/my credential/client.crt"
    assert after["PGSSLKEY"] == "/home/alice/my credential/client.key"
    assert "PGPASSWORD" not in after
    text = by_hand(entry, show_secret=False)
    assert "sslkey=%2Fhome%2Falice%2Fmy%20credential%2Fclient.pk8" in text
    assert "sslcert='/home/alice/my credential/client.crt'" in text.replace("'\"'\"'", "'")
    assert "INTERPOSE_TOKEN" not in text


def test_the_ssh_client_is_told_the_connection_in_the_users_name() -> None:
    reach = Reach("gw.example.com", 2222)
    assert ssh_options("web-1", "alice", reach) == [
        ("HostName", "gw.example.com"),
        ("Port", "2222"),
        ("User", "alice+web-1"),
    ]
    words = ["ssh", "-o", "Port=2222", "-o", "User=alice+web-1", "gw.example.com", "-v", "rm", "a b"]
    assert ssh_words(["ssh", "-v", "rm", "a b"], "web-1", "alice", reach) == words
