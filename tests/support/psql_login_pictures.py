"""The pictures of docs/how-to/psql-login.md, made anew: `python -m tests.support.psql_login_pictures docs/images`.

A real gateway, provider, browser and psql; the terminal is printed. Not run by the tests.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page

from tests.support.confirm_scene import ASKING, ConfirmScene
from tests.support.postgres import PostgresServer
from tests.support.relocated import Relocated

_SIZE = {"width": 620, "height": 700}


def _picture(page: Page, folder: Path, name: str) -> None:
    """As much of the page as there is, in few colours: small files."""
    page.evaluate("document.activeElement && document.activeElement.blur()")
    height = page.evaluate("document.querySelector('.card').getBoundingClientRect().bottom")
    page.screenshot(
        path=folder / f"psql-login-{name}.png", clip={"x": 0, "y": 0, "width": 620, "height": int(height) + 24}
    )


def make(folder: Path) -> str:
    """Make all; answers what psql showed."""
    folder.mkdir(parents=True, exist_ok=True)
    asking = {"PGOPTIONS": ASKING, "PGHOST": "localhost"}
    with PostgresServer() as postgres, ConfirmScene(postgres) as place, place.person(viewport=_SIZE) as context:
        with place.psql(**asking) as psql:
            code = place.code(psql)
            page = context.new_page()
            page.goto(f"{place.url}/confirm")
            _picture(page, folder, "1-sign-in")
            page.click("text=Corporate")
            place.at_provider(page, "zoe-1")
            page.wait_for_selector("text=Enter the code of your client")
            page.fill("#code", code)
            _picture(page, folder, "2-code")
            place.enter(page, code)
            _picture(page, folder, "3-confirm")
            page.click("text=Yes, let it in as me")
            page.wait_for_selector("text=Done")
            _picture(page, folder, "4-done")
            psql.wait_for("shop=>")
            psql.type("select current_database() is not null as answer;\n")
            psql.wait_for("(1 row)")
            psql.wait_for("shop=>")
            psql.type("\\q\n")
            psql.end()
            shown = psql.seen.replace(place.url, "https://gateway.example.com:6443")
        port = place.scene.gateway.port
        with Relocated(port) as elsewhere, place.psql(**asking, PGPORT=str(elsewhere.port)) as stranger:
            page.goto(f"{place.url}/confirm")
            place.enter(page, place.code(stranger))
            _picture(page, folder, "5-elsewhere")
        with place.psql(name="yan", **asking) as other:
            page.goto(f"{place.url}/confirm")
            place.enter(page, place.code(other))
            _picture(page, folder, "6-wrong-person")
    return shown


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))
