"""`interpose policy`: check, test and explain policy, before it is served and without an upstream."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from interpose.app.config import read_settings
from interpose.app.loading import surroundings
from interpose.app.policy_tests import analyse, declared_connection, run_policy_tests
from interpose.app.protocols import SPOKEN
from interpose.app.settings import Settings
from interpose.cli.options import DEFAULT_CONFIG, ConfigOption
from interpose.cli.output import console
from interpose.identity.principals import Principals, read_principals
from interpose.model.errors import ClientError
from interpose.model.refusal import Refusal
from interpose.policy.acting import person_named
from interpose.policy.bundle import PolicyBundle
from interpose.policy.cases import read_cases
from interpose.policy.explain import explain as explain_decision
from interpose.policy.explain import render
from interpose.policy.folder import read_folder
from interpose.policy.junit import junit_xml
from interpose.policy.load import load_policy
from interpose.policy.testing import render_failure

app = typer.Typer(no_args_is_help=True, help="Check, test and explain policy.")

Everything = tuple[Settings, dict[str, str], PolicyBundle, Principals]


def _load(config: Path) -> Everything:
    settings = read_settings(config, SPOKEN)
    files = read_folder(settings.policy)
    return settings, files, load_policy(files, surroundings(settings)), read_principals(settings.principals)


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Validate policies, classifications and principals; every problem with its file and line."""
    _, files, bundle, principals = _load(config)
    read_cases(files)
    console().print(
        f"ok: {len(bundle.rules)} policies, {len(bundle.data_classes)} data classes, {len(principals)} principals, "
        f"digest {bundle.digest[:12]}",
        markup=False,
    )


@app.command()
def test(
    config: ConfigOption = DEFAULT_CONFIG,
    junit: Annotated[Path | None, typer.Option("--junit", help="write the results as JUnit XML to this file")] = None,
) -> None:
    """Run the policy's own tests (`tests/*.yaml`); exit status 1 when one fails."""
    settings, files, bundle, principals = _load(config)
    read_cases(files)
    report = run_policy_tests(bundle, files, principals, settings.connections)
    if junit is not None:
        junit.write_text(junit_xml(report.results), encoding="utf-8")
    failed = [result for result in report.results if not result.passed]
    for result in failed:
        console().print(render_failure(result), markup=False)
    console().print(f"{report.passed} passed, {len(failed)} failed", markup=False)
    if not report.results:
        console().print("there are no tests: add `tests/*.yaml` to the policy folder", markup=False)
    raise typer.Exit(1 if failed else 0)


@app.command()
def explain(
    sql: Annotated[str, typer.Argument(help="the command")],
    principal: Annotated[str, typer.Option("--as", help="the principal's name")],
    connection: Annotated[str, typer.Option("--on", help="the connection's name")],
    config: ConfigOption = DEFAULT_CONFIG,
    source_ip: Annotated[str, typer.Option("--from", help="the client's address")] = "127.0.0.1",
) -> None:
    """Say what would come of a command, and which policies say so.

    Works without the upstream: tables and functions are those that the policy's tests declare for the connection.
    """
    settings, files, bundle, principals = _load(config)
    who = principals.find(principal)
    if who is None:
        raise ClientError(f"there is no principal `{principal}`", hint=f"see `{settings.principals}`")
    on = next((each for each in settings.connections if each.name == connection), None)
    if on is None:
        raise ClientError(f"there is no connection `{connection}`", hint="see `connections` in the configuration")
    analysis = analyse(declared_connection(read_cases(files), on), sql)
    if isinstance(analysis, Refusal):
        hint = f" ({analysis.hint})" if analysis.hint else ""
        sys.stdout.write(f"refused before policy is asked: {analysis.message}{hint}\n")
        raise typer.Exit(1)
    person = person_named(principals.find, who.acting_for)
    explanation = explain_decision(bundle, who, on, analysis, {"source_ip": source_ip}, time.time(), person=person)
    sys.stdout.write(render(explanation))
