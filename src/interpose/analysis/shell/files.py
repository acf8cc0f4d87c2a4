"""Programs that are known to read, write or remove the files that they are given: what each does to which word.

A table of the usual options that take a value, so that a value is not taken for a file. A word that could be either counts as a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from interpose.analysis.shell.effects import Effects, each_path
from interpose.analysis.shell.invocation import Invocation, flags_of
from interpose.analysis.shell.words import Word
from interpose.model.actions import Action

Handler = Callable[[Invocation, Effects], None]

_NONE: frozenset[str] = frozenset()
_READERS: Mapping[str, str] = {
    "cat": "", "tac": "", "nl": "-b -d -f -h -i -l -n -s -v -w", "head": "-n -c --lines --bytes", "tail": "-n -c -s --lines --bytes --pid",
    "wc": "", "md5sum": "", "sha1sum": "", "sha224sum": "", "sha256sum": "", "sha384sum": "", "sha512sum": "", "b2sum": "", "cksum": "",
    "base64": "-w --wrap", "base32": "-w", "od": "-A -j -N -t -w", "xxd": "-c -g -l -s", "hexdump": "-n -s", "strings": "-n -t -e",
    "cmp": "-n -i", "comm": "", "cut": "-d -f -c -b", "rev": "", "fold": "-w", "expand": "-t", "zcat": "",
    "bzcat": "", "xzcat": "", "zgrep": "", "paste": "-d", "join": "-t -j", "column": "-t -s", "lsof": "-p -u -i", "who": "",
}  # fmt: skip
_LISTERS: Mapping[str, str] = {
    "ls": "-I -w -T", "dir": "", "vdir": "", "stat": "-c --format --printf", "file": "-m", "du": "-d --max-depth", "df": "-t -x",
    "tree": "-L -P -I", "readlink": "", "realpath": "", "getfacl": "", "lsattr": "", "namei": "", "ncdu": "",
}  # fmt: skip
_WRITERS: Mapping[str, str] = {
    "tee": "", "touch": "-d -t -r --date --reference", "mkdir": "-m --mode", "mkfifo": "-m", "mknod": "-m", "fallocate": "-l -o",
    "mkswap": "-L -U -p", "wipefs": "-t -o", "blkdiscard": "-o -l -p", "fdisk": "", "sfdisk": "", "parted": "", "sgdisk": "", "swapoff": "",
    "shred": "-n -s", "truncate": "-s -r", "gzip": "-S", "gunzip": "-S", "bzip2": "", "xz": "",
    "mount": "-t -o", "umount": "-t", "badblocks": "-b -c", "lzma": "-S", "zstd": "", "lz4": "", "zip": "", "sponge": "",
}  # fmt: skip
_GREP = "-e -f -A -B -C -m -d -D --regexp --file --include --exclude"


def operands(run: Invocation, values: frozenset[str] = _NONE) -> list[Word]:
    """The words that are no options; `values` are the options whose value is the next word."""
    found: list[Word] = []
    waiting = False
    ended = False
    for word in run.arguments:
        text = word.text
        if waiting:
            waiting = False
        elif ended or not text.startswith("-") or text == "-" or word.dynamic:
            if text != "-" or word.dynamic:
                found.append(word)
        elif text == "--":
            ended = True
        elif text.startswith("--"):
            waiting = text in values
        else:
            waiting = f"-{text[-1]}" in values and not any(f"-{letter}" in values for letter in text[1:-1])
    return found


def option_values(run: Invocation, short: str, long: str) -> list[Word]:
    """The values of an option in all of its spellings: `-t x`, `-tx`, `--long x`, `--long=x`, `--lo=x`."""
    found: list[Word] = []
    words = run.arguments
    for index, word in enumerate(words):
        name, equals, _ = word.text.partition("=")
        if len(name) > 2 and name.startswith("--") and long.startswith(name):
            if equals:
                found.append(_cut(word, len(name) + 1))
            elif index + 1 < len(words):
                found.append(words[index + 1])
        elif short and word.text.startswith("-") and not word.text.startswith("--") and short[1] in word.text[1:]:
            after = word.text.index(short[1], 1) + 1
            if after < len(word.text):
                found.append(_cut(word, after))
            elif index + 1 < len(words):
                found.append(words[index + 1])
    return found


def _cut(word: Word, count: int) -> Word:
    """A word without its first characters."""
    pattern = word.pattern - count if word.pattern >= count else -1
    return Word(word.text[count:], word.start, word.end, word.dynamic, pattern)


def recursive(run: Invocation, *more: str) -> bool:
    """Whether the program goes down into folders."""
    flags = flags_of(run.arguments)
    return bool(flags & {"-r", "-R", *more})


def _reader(action: Action, values: str) -> Handler:
    known = frozenset(values.split())

    def handle(run: Invocation, effects: Effects) -> None:
        each_path(effects, action, operands(run, known), run, recursive=recursive(run))

    return handle


def _grep(run: Invocation, effects: Effects) -> None:
    words = operands(run, frozenset(_GREP.split()))
    flags = flags_of(run.arguments)
    given = bool(flags & {"-e", "-f"}) or any(flag.startswith(("--reg", "--fi")) for flag in flags)
    deep = (
        run.program.basename == "rgrep"
        or recursive(run, "-d")
        or any(flag.startswith(("--de", "--di")) for flag in flags)
    )
    files = words if given else words[1:]
    # Without a file it reads its input, or everything that is here.
    each_path(effects, Action.READ_FILE, files or ([Word("./")] if deep else []), run, recursive=deep)
    each_path(effects, Action.READ_FILE, option_values(run, "-f", "--file"), run)


def _diff(run: Invocation, effects: Effects) -> None:
    """Of a folder and a file, the file of the same name in the folder is read."""
    words = operands(
        run, frozenset("-U -C -x -X -S -I -F -W -L --exclude --label --exclude-from --from-file --to-file".split())
    )
    words += option_values(run, "", "--from-file") + option_values(run, "", "--to-file")
    deep = recursive(run)
    each_path(effects, Action.READ_FILE, words, run, recursive=deep)
    for folder in words:
        for other in words:
            if other is not folder:
                effects.path(Action.READ_FILE, _inside(folder, other), run, recursive=deep)


def _split(run: Invocation, effects: Effects) -> None:
    """What is split is read; what is written has names that begin alike."""
    csplit = run.program.basename == "csplit"
    words = operands(run, frozenset(("-f -b -n" if csplit else "-a -b -C -l -n -t").split()))
    each_path(effects, Action.READ_FILE, words[:1], run)
    prefixes = option_values(run, "-f", "--prefix") if csplit else words[1:]
    for prefix in prefixes or [Word("xx")]:
        begins = replace(prefix, pattern=len(prefix.text)) if prefix.literal or prefix.tilde else prefix
        each_path(effects, Action.WRITE_FILE, [prefix, begins], run)


def _sort(run: Invocation, effects: Effects) -> None:
    each_path(effects, Action.READ_FILE, operands(run, frozenset("-k -t -S -T -o".split())), run)
    each_path(effects, Action.WRITE_FILE, option_values(run, "-o", "--output"), run)


def _uniq(run: Invocation, effects: Effects) -> None:
    words = operands(run, frozenset("-f -s -w".split()))
    each_path(effects, Action.READ_FILE, words[:1], run)
    each_path(effects, Action.WRITE_FILE, words[1:], run)


def _remove(run: Invocation, effects: Effects) -> None:
    each_path(effects, Action.REMOVE_FILE, operands(run), run, recursive=recursive(run))


def _change(run: Invocation, effects: Effects) -> None:
    """chmod, chown and their like: the first word is the mode or owner, unless a reference gives it."""
    each_path(effects, Action.CHANGE_FILE, operands(run), run, recursive=recursive(run))


def _copy(run: Invocation, effects: Effects) -> None:
    sources, targets = _from_and_to(run, "-t -S -m -o -g --target-directory --suffix --mode --owner --group")
    deep = recursive(run, "-a", "--archive")
    each_path(effects, Action.READ_FILE, sources, run, recursive=deep)
    _into(effects, Action.WRITE_FILE, sources, targets, run, deep)


def _move(run: Invocation, effects: Effects) -> None:
    sources, targets = _from_and_to(run, "-t -S --target-directory --suffix")
    for source in sources:
        effects.path(Action.RENAME_FILE, source, run, recursive=True, to=targets[0] if targets else None)
    _into(effects, Action.WRITE_FILE, sources, targets, run, True)


def _link(run: Invocation, effects: Effects) -> None:
    sources, targets = _from_and_to(run, "-t -S --target-directory --suffix")
    if not targets or not sources:
        sources, targets = sources or targets, [Word("./")]
    for target in targets:
        for source in sources:
            effects.path(Action.LINK_FILE, target, run, to=source)
            effects.path(Action.LINK_FILE, _inside(target, source), run, to=source)


def _from_and_to(run: Invocation, values: str) -> tuple[list[Word], list[Word]]:
    words = operands(run, frozenset(values.split()))
    targets = option_values(run, "-t", "--target-directory")
    if targets:
        return words, targets
    if any(word.pattern >= 0 or word.dynamic for word in words):
        # A pattern may stand for several words, and the last of them is the target.
        return words, words
    return words[:-1], words[-1:]


def _into(
    effects: Effects, action: Action, sources: list[Word], targets: list[Word], run: Invocation, deep: bool
) -> None:
    for target in targets:
        effects.path(action, target, run, recursive=deep)
        for source in sources:
            effects.path(action, _inside(target, source), run, recursive=deep)


def _inside(folder: Word, source: Word) -> Word:
    """The file of a source's name in a folder, which is where it goes when the target is a folder."""
    if folder.dynamic or source.dynamic or folder.pattern >= 0 or source.pattern >= 0:
        return folder
    name = source.text.rstrip("/").rpartition("/")[2]
    return folder if name in ("", ".", "..") else Word(f"{folder.text}/{name}", tilde=folder.tilde)


def _dd(run: Invocation, effects: Effects) -> None:
    for word in run.arguments:
        key, _, _ = word.text.partition("=")
        if key in ("if", "of"):
            effects.path(Action.READ_FILE if key == "if" else Action.WRITE_FILE, _cut(word, 3), run)


def _tar(run: Invocation, effects: Effects) -> None:
    first = run.arguments[0].text if run.arguments else ""
    letters = {flag[1:] for flag in flags_of(run.arguments) if len(flag) == 2}
    old = bool(first) and not first.startswith("-")
    if old:
        letters |= set(first)
    values = list(run.arguments[1 if old else 0 :])
    archives = values[:1] if old and "f" in first else option_values(run, "-f", "--file")
    if any(":" in word.text.partition("/")[0] for word in archives) and "--force-local" not in flags_of(run.arguments):
        effects.dynamic("remote", run)
    folders = option_values(run, "-C", "--directory") or [Word("./")]
    extracts = "x" in letters or any(_long(flag, "--extract", "--get") for flag in flags_of(run.arguments))
    lists = "t" in letters or any(_long(flag, "--list") for flag in flags_of(run.arguments))
    if extracts or lists:
        each_path(effects, Action.READ_FILE, archives, run)
        if extracts:
            each_path(effects, Action.WRITE_FILE, folders, run, recursive=True)
        if extracts and ("P" in letters or any(_long(flag, "--absolute-names") for flag in flags_of(run.arguments))):
            # Names in the archive may lead anywhere.
            effects.path(Action.WRITE_FILE, Word("/"), run, recursive=True)
        return
    each_path(effects, Action.WRITE_FILE, archives, run)
    for word in operands(run, frozenset("-f -C -T -X --file --directory".split())):
        effects.path(Action.READ_FILE, word, run, recursive=True)
        for folder in folders:
            effects.path(Action.READ_FILE, _inside(folder, word), run, recursive=True)
    if any(_long(flag, "--remove-files") for flag in flags_of(run.arguments)):
        each_path(effects, Action.REMOVE_FILE, operands(run), run, recursive=True)


def _long(flag: str, *options: str) -> bool:
    return len(flag) > 3 and any(option.startswith(flag) for option in options)


def _rsync(run: Invocation, effects: Effects) -> None:
    words = operands(run, frozenset("-e -T -B --rsh --exclude --include --filter -f".split()))
    flags = flags_of(run.arguments)
    deletes = any(flag.startswith("--del") for flag in flags)
    if "--server" in flags:
        # The server side: `rsync --server [--sender] <flags> <folder> <paths>`, and the folder is nearly always `.`.
        action = Action.READ_FILE if "--sender" in flags else Action.WRITE_FILE
        paths = [_from(words[0], word) for word in words[1:]] or words
        each_path(effects, action, paths, run, recursive=True)
        if deletes:
            each_path(effects, Action.REMOVE_FILE, paths, run, recursive=True)
        return
    local = [word for word in words if ":" not in word.text.partition("/")[0]]
    if len(local) < len(words):
        effects.dynamic("remote", run)
    each_path(effects, Action.READ_FILE, local, run, recursive=True)
    each_path(effects, Action.WRITE_FILE, local[-1:], run, recursive=True)
    if deletes or "--remove-source-files" in flags:
        each_path(effects, Action.REMOVE_FILE, local, run, recursive=True)


def _from(folder: Word, path: Word) -> Word:
    """A path as it is in a folder."""
    if folder.text in (".", "./") or (path.text.startswith("/") and not path.dynamic) or (path.tilde and path.literal):
        return path
    if not (folder.literal or folder.tilde) or folder.dynamic or path.dynamic or path.tilde:
        return Word("", dynamic="option")
    pattern = path.pattern + len(folder.text) + 1 if path.pattern >= 0 else -1
    return Word(f"{folder.text}/{path.text}", pattern=pattern, tilde=folder.tilde)


def _scp(run: Invocation, effects: Effects) -> None:
    """The server side of `scp -O`: `-t` receives files, `-f` sends them. The other side is a program that opens connections."""
    flags = flags_of(run.arguments)
    words = operands(run)
    if "-t" in flags:
        each_path(effects, Action.WRITE_FILE, words, run, recursive=recursive(run))
    elif "-f" in flags:
        each_path(effects, Action.READ_FILE, words, run, recursive=recursive(run))
    else:
        effects.dynamic("remote", run)


def _git_pack(action: Action) -> Handler:
    def handle(run: Invocation, effects: Effects) -> None:
        for word in operands(run):
            # It looks for home folders by itself: `'~'` is the account's own, `'~x'` that of x.
            own = word.text[:1] == "~" and not word.dynamic
            if own and word.text[1:2] not in ("", "/"):
                word = replace(word, dynamic="tilde")
            effects.path(action, replace(word, tilde=word.tilde or own), run, recursive=True)

    return handle


def _git(run: Invocation, effects: Effects) -> None:
    """`git upload-pack x` is `git-upload-pack x`; of the other subcommands nothing is known."""
    subcommand = next((word.text for word in run.arguments if not word.text.startswith("-")), "")
    handle = HANDLERS.get(f"git-{subcommand}")
    if handle is not None:
        handle(
            replace(
                run, words=run.words[run.arguments.index(next(w for w in run.arguments if w.text == subcommand)) + 1 :]
            ),
            effects,
        )


def _cd(run: Invocation, effects: Effects) -> None:
    words = operands(run)
    if (
        run.program.word == "popd"
        or any(word.text.startswith(("-", "+")) for word in run.arguments)
        or (run.program.word == "pushd" and not words)
        # zsh and ksh: `cd a b` changes to the folder's own path with `b` for `a`.
        or len(words) > 1
    ):
        effects.move(None)
    else:
        effects.move(words[0] if words else Word("~", tilde=True))


HANDLERS: Mapping[str, Handler] = {
    **{name: _reader(Action.READ_FILE, values) for name, values in _READERS.items()},
    **{name: _reader(Action.LIST_FILES, values) for name, values in _LISTERS.items()},
    **{name: _reader(Action.WRITE_FILE, values) for name, values in _WRITERS.items()},
    **dict.fromkeys(("grep", "egrep", "fgrep", "rgrep"), _grep),
    **dict.fromkeys(("rm", "rmdir", "unlink"), _remove),
    **dict.fromkeys(("chmod", "chown", "chgrp", "chattr", "setfacl", "chcon", "setcap"), _change),
    **dict.fromkeys(("cp", "install", "dd_rescue"), _copy),
    "mv": _move,
    "ln": _link,
    "link": _link,
    "dd": _dd,
    "sort": _sort,
    "uniq": _uniq,
    "tar": _tar,
    "diff": _diff,
    "split": _split,
    "csplit": _split,
    "git": _git,
    "rsync": _rsync,
    "scp": _scp,
    "cd": _cd,
    "chdir": _cd,
    "pushd": _cd,
    "popd": _cd,
    **dict.fromkeys(("git-upload-pack", "git-upload-archive"), _git_pack(Action.READ_FILE)),
    "git-receive-pack": _git_pack(Action.WRITE_FILE),
}
"""What each program does to its files."""


def handler(name: str) -> Handler | None:
    """The handler of a program by its basename; all of `mkfs.…` write to what they are given."""
    if name.startswith(("mkfs", "mke2fs", "mkdosfs")):
        return HANDLERS["tee"]
    return HANDLERS.get(name)
