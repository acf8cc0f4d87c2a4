"""What the pages tell readers to type is right: commands exist, configurations and policies load, policy tests pass."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
import trustme
from ruamel.yaml import YAML

from interpose.app.config import read_settings
from interpose.app.loading import MASKS
from interpose.app.policy_tests import run_policy_tests
from interpose.app.protocols import SPOKEN
from interpose.identity.principals import Principals, parse_principals
from interpose.masking.patterns import CONTENT_CLASSES
from interpose.model.errors import ConfigurationError
from interpose.policy.bundle import PolicyBundle
from interpose.policy.cases import read_cases
from interpose.policy.load import Surroundings, load_policy
from tests.arch.pages import Block, Page, pages
from tests.arch.tree import ROOT, none_of
from tests.support.saml import metadata
from tools.pages.commands import Command, children, root

_CONFIGURATION: Final = {
    "state": "state",
    "policy": "policy",
    "principals": "principals.yaml",
    "listeners": [{"protocol": "postgres", "allow_plaintext_tokens": True}],
    "connections": {
        "shop": {
            "protocol": "postgres",
            "address": "db:5432",
            "secret": "env:X",
            "options": {"database": "d", "user": "u"},
        }
    },
}
_ELSEWHERE: Final = {"groups", "jobs", "services", "volumes"}
"""Top keys of YAML that other programs read: Prometheus, continuous integration, containers."""
_ALLOW: Final = '@id("allow")\npermit (principal, action, resource);\n'
_CASES: Final = "tests/page.yaml"


# --- commands


def wrong_commands(found: tuple[Page, ...] | list[Page]) -> list[str]:
    """Commands of fenced blocks that the command line would not take, and commands within sentences that do not exist."""
    wrong = []
    for page in found:
        for block in page.blocks():
            for line in _shell_lines(block):
                problem = _refused(line, whole=True)
                if problem:
                    wrong.append(f"{page.path}:{block.line} `{line}`: {problem}")
        for text, number in page.code():
            problem = _refused(text, whole=False) if text.startswith("interpose ") else ""
            if problem:
                wrong.append(f"{page.path}:{number} `{text}`: {problem}")
    return wrong


def _shell_lines(block: Block) -> Iterator[str]:
    """Every call of `interpose` in a block: after a prompt, a variable, a pipe, or in `$(…)`."""
    if block.language not in ("", "sh", "bash", "shell", "console"):
        return
    for line in block.text.replace("\\\n", " ").splitlines():
        for match in re.finditer(r"(?:^(?:\$ )?|\| |\$\()(?:[A-Z_]+=\S+ )*(interpose [^|)]*)", line):
            yield match[1].strip()


def _refused(line: str, *, whole: bool) -> str:
    """Why the command line does not take these words; empty when it does. `whole`: arguments are checked as well."""
    try:
        words = shlex.split(line.partition(" > ")[0])[1:]
    except ValueError as error:
        return str(error)
    command, path = root(), ["interpose"]
    while words and children(command):
        if not re.fullmatch(r"[a-z-]+", words[0]):
            # `interpose approvals list|show`, `interpose …`: as far as it can be read.
            first = re.match(r"[a-z-]*", words[0])
            return "" if first and (not first[0] or first[0] in children(command)) else f"there is no `{words[0]}`"
        if words[0] not in children(command):
            return f"`{' '.join(path)}` has no command `{words[0]}`"
        path.append(words.pop(0))
        command = children(command)[path[-1]]
    if children(command):
        return "" if not whole else "this is a group of commands"
    return _arguments(command, path[-1], words) if whole else _options(command, words)


def _options(command: Command, words: list[str]) -> str:
    if "--" in words:
        words = words[: words.index("--")]  # what stands behind is another program's
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    return next((f"no option `{word}`" for word in words if word.startswith("-") and word not in known), "")


def _arguments(command: Command, name: str, words: list[str]) -> str:
    try:
        command.make_context(name, list(words))
    except Exception as error:  # noqa: BLE001 -- whatever the parser of the command line raises is the finding
        return str(error) or type(error).__name__
    return ""


def test_every_command_exists() -> None:
    none_of(wrong_commands(pages()))


@pytest.mark.parametrize(
    "text",
    [
        "```\ninterpose tokens create alice\n```",
        "```\n$ interpose token create\n```",
        "```\nX=1 interpose token create alice --forever\n```",
        "```\nT=$(interpose token make alice)\n```",
        "```\ncat x | interpose secret put a\n```",
        "```\ninterpose sessions replay s_1 --speed fast\n```",
        "see `interpose approvals accept ap-1`",
        "see `interpose audit verify --quick`",
    ],
)
def test_a_wrong_command_is_seen(text: str) -> None:
    assert wrong_commands([Page("p.md", text)])


def test_right_commands_pass() -> None:
    text = (
        "`interpose serve`, `interpose approvals list|show`, `interpose …`, `interpose token create <name>`\n"
        '```\n$ interpose policy explain --as alice --on orders-prod "select 1"\nok: no command\n'
        "interpose audit export --format ocsf | tail\n```\n```sql\ninterpose nothing\n```"
    )
    assert not wrong_commands([Page("p.md", text)])


# --- YAML and Cedar


def wrong_examples(page: Page, folder: Path) -> list[str]:
    """What is wrong with the YAML and Cedar of one page, each block by itself, together with the page's own declarations."""
    wrong: list[str] = []
    documents: list[tuple[Block, Mapping[str, object]]] = []
    for block in page.blocks():
        if block.language == "yaml":
            document = YAML(typ="safe").load(block.text)
            if isinstance(document, dict):
                documents.append((block, document))
            else:
                wrong.append(f"{page.path}:{block.line}: no mapping")
    cedar = [block for block in page.blocks() if block.language == "cedar"]
    files = _declarations(documents)
    cases: list[Block] = []
    try:
        bundle = _bundle({**files, "page.cedar": "\n".join(block.text for block in cedar) or _ALLOW})
    except ConfigurationError as error:
        return [*wrong, *(f"{page.path}: {problem}" for problem in error.problems)]
    principals = Principals(())
    for block, document in documents:
        try:
            if "principals" in document and "policy" not in document:
                principals = parse_principals(block.text, page.path)
            elif "cases" in document:
                cases.append(block)
            elif not {"attributes", "data_classes", "classifications"} & set(document):
                wrong += _configuration(page, block, document, folder)
        except ConfigurationError as error:
            wrong += [f"{page.path}:{block.line}: {problem}" for problem in error.problems]
    for block in cases:
        wrong += _cases(page, block, bundle, principals, tested=bool(cedar))
    return wrong


def _declarations(documents: list[tuple[Block, Mapping[str, object]]]) -> dict[str, str]:
    """The page's classifications and attributes; those of the example policy where it has none."""
    files = {"classifications.yaml": (ROOT / "examples" / "policy" / "classifications.yaml").read_text()}
    for block, document in documents:
        if {"data_classes", "classifications"} & set(document):
            files["classifications.yaml"] = block.text
        elif "attributes" in document:
            files["attributes.yaml"] = block.text
    return files


def _bundle(files: Mapping[str, str]) -> PolicyBundle:
    return load_policy(files, Surroundings(MASKS, frozenset(CONTENT_CLASSES)))


def _configuration(page: Page, block: Block, document: Mapping[str, object], folder: Path) -> list[str]:
    """A whole `interpose.yaml`, or a part of one, which is put into one that is right."""
    if _ELSEWHERE & set(document):
        return []
    whole = document if {"policy", "listeners"} <= set(document) else {**_CONFIGURATION, **document}
    for name in re.findall(r"[\w/.-]+\.(?:crt|key)\b", block.text):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    for name in re.findall(r"ca_file: ([\w/.-]+)", block.text):
        trustme.CA().cert_pem.write_to_path(folder / name)
    for name in re.findall(r"metadata: ([\w-]+\.xml)\b", block.text):
        metadata(folder / name)
    file = folder / "interpose.yaml"
    with file.open("w") as stream:
        YAML().dump(dict(whole), stream)
    try:
        read_settings(file, SPOKEN)
    except ConfigurationError as error:
        return [f"{page.path}:{block.line}: {problem.message} ({problem.hint})" for problem in error.problems]
    return []


def _cases(page: Page, block: Block, bundle: PolicyBundle, principals: Principals, *, tested: bool) -> list[str]:
    """A file of policy tests is read; where the page has the policies, the tests must pass."""
    files = {_CASES: block.text}
    try:
        read_cases(files)
    except ConfigurationError as error:
        return [f"{page.path}:{block.line}: {problem}" for problem in error.problems]
    if not tested:
        return []
    report = run_policy_tests(bundle, files, principals, ())
    return [f"{page.path}:{block.line}: {problem}" for problem in report.problems]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.path)
def test_examples_load(page: Page, tmp_path: Path) -> None:
    none_of(wrong_examples(page, tmp_path))


_RIGHT: Final = """
```yaml
principals:
  - {name: alice, kind: user, groups: [support]}
```
```yaml
workers: 2
```
```yaml
groups: [{name: alerts}]
```
```cedar
@id("reads")
permit (principal in Group::"support", action == Action::"select", resource);
```
```yaml
connections:
  shop: {tables: {public.t: [id]}}
cases:
  - {name: reads, principal: alice, connection: shop, command: select id from t, expect: permit}
```
"""


def test_right_examples_pass(tmp_path: Path) -> None:
    assert not wrong_examples(Page("p.md", _RIGHT), tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind: user", "kind: robot"),
        ("workers: 2", "labourers: 2"),
        ("workers: 2", "workers: none"),
        ('Action::"select"', 'Action::"selects"'),
        ('@id("reads")\n', ""),
        ("expect: permit", "expect: forbid"),
        ("expect: permit", "expects: permit"),
        ("groups: [support]}", "groups: [others]}"),
    ],
)
def test_a_wrong_example_is_seen(old: str, new: str, tmp_path: Path) -> None:
    assert old in _RIGHT
    assert wrong_examples(Page("p.md", _RIGHT.replace(old, new)), tmp_path)
