"""Addresses of servers and files of authorities that cannot be used are said, in the commands' own words."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

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


@pytest.mark.parametrize("status", [200, 204, 302, 403, 404, 421, 503])
def test_any_answer_will_do_before_a_login_but_that_of_another_address(status: int) -> None:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        client = PublicClient(f"http://127.0.0.1:{server.server_port}")
        # A proxy in between may withhold what is asked for; only the gateway itself knows that this is not its address.
        if status == 421:
            with pytest.raises(ClientError, match="is not the gateway's public address"):
                client.check()
        else:
            client.check()
        thread.join()
