"""Pages made of templates: every value is escaped, no page runs a script, and what cannot be shown is told in words."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined
from starlette.responses import HTMLResponse, Response

# All files are read when this module is imported: the event loop waits for no disk.
_FOLDER: Final = Path(__file__).parent
STYLE: Final = (_FOLDER / "static" / "style.css").read_bytes()
_ENVIRONMENT: Final = Environment(
    loader=DictLoader({path.stem: path.read_text("utf-8") for path in (_FOLDER / "templates").glob("*.html")}),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def _moment(seconds: float) -> str:
    """A moment as people read it, in UTC: the page does not know where they are."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%-d %B %Y, %H:%M UTC")


_ENVIRONMENT.filters["moment"] = _moment


def page(template: str, status: int = 200, **values: object) -> Response:
    """The page as an answer."""
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(**values), status)


def message(title: str, text: str, hint: str = "", status: int = 400) -> Response:
    """A page that says one thing, an error as a rule; `hint` is what to do next."""
    return page("message", status, title=title, text=text, hint=hint, bad=status >= 400)
