"""Options whose value is a file that the program reads or writes, beside those that it is given as its subject."""

from __future__ import annotations

from collections.abc import Mapping

from interpose.analysis.shell.effects import Effects, each_path
from interpose.analysis.shell.files import option_values
from interpose.analysis.shell.invocation import Invocation
from interpose.analysis.shell.words import Word
from interpose.model.actions import Action

_WRITTEN: Mapping[str, str] = {
    "tar": "-g --listed-incremental --index-file --one-top-level --volno-file",
    "rsync": "--log-file --write-batch --only-write-batch --partial-dir --temp-dir --backup-dir",
    "journalctl": "--cursor-file",
    "ss": "-D --diag",
    "curl": "-o --output -D --dump-header -c --cookie-jar --output-dir --trace --trace-ascii --stderr --etag-save --hsts --alt-svc --libcurl",
    "wget": "-O --output-document -o --output-file -a --append-output -P --directory-prefix --save-cookies --rejected-log --warc-file",
    "shuf": "-o --output",
    "iconv": "-o --output",
    "zstd": "-o",
    "patch": "-o --output -d --directory -r --reject-file",
    "unzip": "-d",
    "openssl": "-out -keyout -writerand",
    "gpg": "-o --output",
    "sdiff": "-o --output",
    "zip": "-O --output-file",
}  # fmt: skip
_READ: Mapping[str, str] = {
    "tar": "-X --exclude-from --add-file",
    "rsync": "--files-from --exclude-from --include-from --password-file --read-batch --compare-dest --copy-dest --link-dest",
    "journalctl": "-D --directory --file",
    "ss": "-F --filter",
    "dmesg": "-F --file -K --kmsg-file",
    "hostname": "-F --file",
    "last": "-f --file",
    "lastb": "-f --file",
    "file": "-m --magic-file",
    "grep": "--exclude-from",
    "du": "-X --exclude-from",
    "curl": "-T --upload-file -E --cert --key --cacert",
    "wget": "-i --input-file --post-file --body-file --load-cookies --certificate --private-key",
    "patch": "-i --input",
    "openssl": "-in -inkey -CAfile",
}  # fmt: skip
_JOURNAL = Word("/var/log/journal")


def option_effects(run: Invocation, effects: Effects) -> None:
    """What the options of a program read and write."""
    name = run.program.basename
    for action, known in ((Action.READ_FILE, _READ), (Action.WRITE_FILE, _WRITTEN)):
        for option in known.get(name, "").split():
            each_path(effects, action, _values(run, option), run, recursive=action is Action.WRITE_FILE)
    if name == "journalctl":
        given = [word.text.partition("=")[0] for word in run.arguments]
        if any(each.startswith("--v") for each in given):
            effects.path(Action.REMOVE_FILE, _JOURNAL, run, recursive=True)
        if any(len(each) > 2 and option.startswith(each) for each in given for option in ("--rotate", "--setup-keys")):
            effects.path(Action.WRITE_FILE, _JOURNAL, run, recursive=True)


def _values(run: Invocation, option: str) -> list[Word]:
    if option.startswith("--"):
        return option_values(run, "", option)
    if len(option) == 2:
        return option_values(run, option, "")
    words = run.arguments
    return [words[index + 1] for index in range(len(words) - 1) if words[index].text.lstrip("-") == option[1:]]
