"""Addresses of servers and files of authorities that cannot be used are said, in the commands' own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpose.cli.client import AdminClient, ServerError
from interpose.cli.public_client import PublicClient, check_url
from interpose.model.errors import ClientError


@pytest.mark.parametrize(
    "url", ["https://a:b", "https://[x", "https://h:99999", "https://h:0", "https://a b", "ftp://h", ""]
)
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(ClientError, match="is no address of a gateway"):
        check_url(url)
    if url:
        with pytest.raises(ServerError, match="is no server address"):
            AdminClient(url, anonymous=True).get("/v1/whoami", dict[str, str])


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_authorities_that_has_none_is_said(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("INTERPOSE_CA_FILE", str(file))
    for kind in (PublicClient, AdminClient):
        with pytest.raises(ClientError, match="cannot be used"):
            kind("https://localhost:1")


def test_a_token_of_several_lines_is_said() -> None:
    with pytest.raises(ServerError, match="the access token is damaged"):
        AdminClient("http://127.0.0.1:1", "ip_x\nip_y").get("/v1/whoami", dict[str, str])
