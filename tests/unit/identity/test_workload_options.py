"""A provider of workload tokens in the configuration: strict, and nothing that opens a door by accident."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from interpose.app.providers import read_providers
from interpose.app.strict_yaml import read_yaml
from interpose.identity.mapping import ClaimPath
from interpose.identity.workload_options import ALGORITHMS, WorkloadOptions, fault_of_url
from interpose.model.principal import PrincipalKind

GOOD = "type: jwt, issuer: 'https://issuer.example', audience: interpose, kind: service"


def read(folder: Path, *providers: str) -> tuple[tuple[object, ...], list[str]]:
    """What these providers are read as, and the problems."""
    file = folder / "interpose.yaml"
    lines = "".join(f"  p{number}: {{{provider}}}\n" for number, provider in enumerate(providers))
    file.write_text(f"providers:\n{lines}")
    section = read_yaml(file)
    found = read_providers(section, folder)
    return found, [str(problem).removeprefix(f"{file}:") for problem in section.problems]


def one(folder: Path, provider: str) -> WorkloadOptions:
    """The only provider, which has no fault."""
    found, problems = read(folder, provider)
    assert not problems
    (options,) = found
    assert isinstance(options, WorkloadOptions)
    return options


def test_the_least(tmp_path: Path) -> None:
    options = one(tmp_path, GOOD)
    assert (options.name, options.issuer, options.audience) == ("p0", "https://issuer.example", ("interpose",))
    assert options.mapping.kind is PrincipalKind.SERVICE
    assert options.mapping.name == ClaimPath(("sub",))
    assert options.algorithms == ("RS256", "ES256")
    assert not options.allow_plaintext_keys_on_loopback


def test_all_of_it(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    options = one(
        tmp_path,
        "type: jwt, issuer: 'http://127.0.0.1:99/x', audience: [a, b], kind: agent, jwks_url: 'http://[::1]:5/keys',"
        " algorithms: [EdDSA], max_age: 1h, leeway: 60s, ca_file: ca.pem, allow_plaintext_keys_on_loopback: true,"
        " mapping: {name: robot}",
    )
    assert options.mapping.kind is PrincipalKind.AGENT
    assert options.mapping.name == ClaimPath(("robot",))
    assert options.audience == ("a", "b")
    assert (options.max_age, options.leeway, options.algorithms) == (3600.0, 60.0, ("EdDSA",))
    assert options.ca_file == (tmp_path / "ca.pem").resolve()


@pytest.mark.parametrize(
    ("provider", "complaint"),
    [
        ("type: jwt", "`providers.p0.issuer` is missing"),
        ("type: jot", "did you mean `jwt`?"),
        ("issuer: x", "`providers.p0.type` is missing"),
        (GOOD + ", audiance: x", "did you mean `audience`?"),
        (GOOD.replace("audience: interpose", "audience: []"), "made for another service"),
        (GOOD.replace("audience: interpose", "audience: {a: b}"), "must be a text or a list of texts"),
        (GOOD.replace("service", "user"), "a workload is a `service` or an `agent`"),
        (GOOD.replace("https", "http"), "must begin with `https://`"),
        (GOOD + ", jwks_url: 'http://127.0.0.1/x'", "`jwks_url` must begin with `https://`"),
        (
            GOOD + ", jwks_url: 'http://10.0.0.1/x', allow_plaintext_keys_on_loopback: true",
            "on a loopback address only",
        ),
        (
            GOOD + ", jwks_url: 'http://localhost/x', allow_plaintext_keys_on_loopback: true",
            "on a loopback address only",
        ),
        (GOOD + ", algorithms: [none]", "`algorithms` cannot have `none`: such a token needs no key"),
        (GOOD + ", algorithms: HS256", "is signed with the secret that checks it"),
        (GOOD + ", algorithms: [ES256K]", "cannot have `ES256K`"),
        (GOOD + ", leeway: 61s", "can be 60s at most"),
        (GOOD + ", max_age: 0s", "longer than nothing"),
        (GOOD + ", ca_file: nowhere.pem", "is no file"),
        (GOOD + ", ca_file: interpose.yaml", "has no authorities"),
        (GOOD + ", mapping: {groups: roles}", "lets the provider give any group"),
        (GOOD + ", mapping: {nam: x}", "unknown key `mapping.nam`"),
    ],
)
def test_faults(provider: str, complaint: str, tmp_path: Path) -> None:
    _, problems = read(tmp_path, provider)
    (said,) = [problem for problem in problems if complaint in problem]
    assert said.startswith("2:")  # the line of the provider


def test_two_providers_never_take_the_same_token(tmp_path: Path) -> None:
    _, problems = read(tmp_path, GOOD, GOOD)
    assert any("`p0` and `p1` take the same tokens" in problem for problem in problems)
    found, problems = read(tmp_path, GOOD, GOOD.replace("interpose", "other"))
    assert len(found) == 2
    assert not problems


@pytest.mark.parametrize(
    "url",
    [
        "issuer.example",
        "https://",
        "https://u:p@issuer.example",
        "https://issuer.example/?a=b",
        "https://issuer.example/#a",
        "https://issuer.example/ x",
        "https://[issuer",
        "https://issuer.example:99999",
        "file:///etc/passwd",
        "http://127.0.0.1.example/",
    ],
)
def test_what_is_no_place_for_keys(url: str) -> None:
    assert fault_of_url(url, plaintext=True)


def test_no_algorithm_has_a_shared_secret() -> None:
    assert not [name for name in ALGORITHMS if name.startswith("HS") or name.lower() == "none"]
