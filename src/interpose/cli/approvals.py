"""`interpose approvals`: what waits for a person, and the person's answer."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
import typer

from interpose.api.views import ApprovalView
from interpose.cli.client import AdminClient
from interpose.cli.options import JsonOption, ServerOption
from interpose.cli.output import ago, console, print_json, print_table, when
from interpose.recording.sanitize import sanitize

app = typer.Typer(no_args_is_help=True, help="See, approve and deny held commands.")

CommentOption = Annotated[str, typer.Option("--comment", "-m", help="why; the requester sees it when denied")]


class _Lists(msgspec.Struct):
    to_decide: list[ApprovalView]
    own: list[ApprovalView]


def _row(approval: ApprovalView, own: bool) -> list[str]:
    text = " ".join(sanitize(approval.text).split())
    return [
        approval.id,
        "yours" if own else "to decide",
        approval.requester,
        approval.connection,
        ago(approval.expires_at - time.time()),
        text if len(text) <= 80 else text[:79] + "…",
    ]


@app.command("list")
def list_approvals(server: ServerOption = None, as_json: JsonOption = False) -> None:
    """List what you may decide, and what you wait for."""
    lists = AdminClient(server).get("/v1/approvals", _Lists)
    if as_json:
        print_json(lists)
        return
    rows = [_row(approval, False) for approval in lists.to_decide] + [_row(approval, True) for approval in lists.own]
    print_table("", ["id", "", "who", "connection", "expires in", "command"], rows, "nothing waits for you")


@app.command()
def show(approval: str, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Show one approval with the whole command."""
    found = AdminClient(server).get(f"/v1/approvals/{approval}", ApprovalView)
    if as_json:
        print_json(found)
    else:
        _print(found)


@app.command()
def approve(approval: str, comment: CommentOption = "", server: ServerOption = None) -> None:
    """Approve a held command; it runs as soon as enough people have."""
    _told(AdminClient(server).post(f"/v1/approvals/{approval}/approve", ApprovalView, {"comment": comment}))


@app.command()
def deny(approval: str, comment: CommentOption = "", server: ServerOption = None) -> None:
    """Deny a held command; its client is told at once."""
    _told(AdminClient(server).post(f"/v1/approvals/{approval}/deny", ApprovalView, {"comment": comment}))


def _told(approval: ApprovalView) -> None:
    given = sum(1 for vote in approval.votes if vote.approve)
    line = f"{approval.id} is {approval.state}"
    if approval.state == "pending":
        line += f": {given} of {approval.needed} approvals"
    console().print(line, markup=False)


def _print(approval: ApprovalView) -> None:
    out = console()
    facts = "".join(f"\n  {name:12} {sanitize(value)}" for name, value in sorted(approval.facts.items()))
    out.print(
        f"{approval.id} ({approval.state})\n"
        f"  {'who':12} {approval.requester}\n"
        f"  {'connection':12} {approval.connection}\n"
        f"  {'session':12} {approval.session}\n"
        f"  {'why held':12} {approval.reason} ({', '.join(approval.policies)})\n"
        f"  {'approvers':12} {', '.join(approval.approvers)} ({approval.needed} needed)\n"
        f"  {'asked at':12} {when(approval.created_at)} UTC, expires {when(approval.expires_at)} UTC{facts}\n",
        markup=False,
    )
    out.print(sanitize(approval.text) or "(the command's text is deleted once an approval is closed)", markup=False)
    for vote in approval.votes:
        word = "approved" if vote.approve else "denied"
        comment = f": {sanitize(vote.comment)}" if vote.comment else ""
        out.print(f"  {when(vote.at)} {word} by {vote.principal}{comment}", markup=False)
