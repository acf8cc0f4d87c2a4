"""What one plain command does: wrappers are looked through, shells' texts are read in turn, known programs get their effects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import zip_longest

from interpose.analysis.shell import interpreters
from interpose.analysis.shell.arithmetic import calculates
from interpose.analysis.shell.effects import Effects, each_path
from interpose.analysis.shell.file_options import option_effects
from interpose.analysis.shell.files import handler, operands
from interpose.analysis.shell.invocation import Invocation
from interpose.analysis.shell.scanner import Redirect
from interpose.analysis.shell.words import Word
from interpose.analysis.shell.wrappers import OPAQUE_WRAPPERS, WRAPPERS, guesses, unwrap
from interpose.model.actions import Action

ReadText = Callable[[str, Invocation], None]
"""Reads a text that a program hands to a shell; the invocation says as whom and how deep."""

DEPTH = 8
"""Wrappers and texts inside of each other that are looked through."""

_HARMLESS_VARIABLES = re.compile(
    r"LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|DEBIAN_FRONTEND|CI"
)
_LISTING = ("-v", "-V")
_DANGEROUS_VARIABLES = re.compile(
    r"PATH|IFS|ENV|BASH.*|SHELL.*|PS[0-4]|PROMPT_COMMAND|CDPATH|GLOBIGNORE|HOME|OPTIND|FPATH|ZDOTDIR|LD_.*|DYLD_.*|GCONV_PATH|GETCONF_DIR|"
    r"LOCPATH|NLSPATH|HOSTALIASES|RES_OPTIONS|LOCALDOMAIN|MALLOC_.*|GLIBC_.*|PYTHON.*|PERL.*|RUBY.*|GEM_.*|BUNDLE_.*|NODE_.*|NPM_.*|.*JAVA_.*|JDK_.*|"
    r"CLASSPATH|LUA_.*|PHP.*|TCL.*|GIT_(?!PROTOCOL$).*|SSH_.*|RSYNC_.*|TAR_.*|CVS_.*|.*PAGER|.*EDITOR|VISUAL|BROWSER|LESS.*|MORE|MAN.*|SUDO_.*|SYSTEMD_.*|"
    r"TERMINFO.*|TERMCAP|INPUTRC|GREP_OPTIONS|AWK.*|GZIP|XZ_.*|MAKE.*|CC|CXX|LD|CFLAGS|LDFLAGS|DOCKER_.*|KUBE.*|OPENSSL_.*|CURL_HOME|WGETRC|"
    r"(?:cd|f|man|mail|module_)?path|fignore|psvar|watch|prompt|[RS]?PROMPT[0-9]?|RPS[0-9]|histchars|HISTFILE|ARGV0|argv|STTY|POSTEDIT|"
    r"XDG_.*|DISPLAY|DBUS_.*|VIM.*|EX.*|NULLCMD|READNULLCMD|_.*|TMPPREFIX|MAIL.*|APT_.*|DPKG_.*|FZF_.*|PG.*|MYSQL_.*"
)
"""Variables that a program may take a program, an option or a place of code from."""


def takes_code(name: str) -> bool:
    """Whether a program may take a program, an option or a place of code from this variable."""
    return _DANGEROUS_VARIABLES.fullmatch(name) is not None


_FIND_RUNS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_FIND_WRITES = frozenset({"-fprint", "-fprint0", "-fprintf", "-fls"})
_RESERVED = frozenset({"!", "{", "}", "if", "then", "while", "until", "do", "for", "case", "[[", "(("})


class Commands:
    """Interprets plain commands into effects."""

    def __init__(self, effects: Effects, read_text: ReadText) -> None:
        """`read_text` is called for each literal text that a shell is to run."""
        self._effects = effects
        self._read_text = read_text

    def redirect(self, redirect: Redirect, run: Invocation | None) -> None:
        """A redirection to or from a file."""
        target = redirect.target
        if target is None:
            return
        if target.dynamic:
            self._effects.dynamic(target.dynamic)
        if target.text.startswith(("/dev/tcp/", "/dev/udp/")):
            self._effects.dynamic("network")
        if redirect.operator in ("<", "<>", "<&"):
            self._effects.path(Action.READ_FILE, target, run)
        if redirect.operator not in ("<", "<&"):
            self._effects.path(Action.WRITE_FILE, target, run)

    def assign(self, names: Iterable[str], values: Iterable[Word] = ()) -> None:
        """Variables are set."""
        pairs = list(zip_longest(names, values))
        for name, _ in pairs:
            if not _HARMLESS_VARIABLES.fullmatch(name):
                self._effects.set_env(name)
                if takes_code(name):
                    self._effects.dynamic("environment")
        for name, value in pairs:
            if value is not None and value.dynamic:
                self._effects.dynamic(value.dynamic)
            elif value is not None and calculates(name, value.text):
                self._effects.dynamic("dialect")

    def run(self, run: Invocation) -> None:
        """A program and its words."""
        effects = self._effects
        first = run.words[0]
        if not first.literal or not first.text or "=" in first.text:
            effects.dynamic(first.dynamic or "program")
            return
        if run.depth > DEPTH:
            effects.dynamic("depth", run)
            return
        self._arguments(run)
        name = run.program.basename
        listing = name == "command" and any(
            word.text.startswith("-") and set("vV") & set(word.text) for word in run.arguments[:1]
        )
        if first.text in _RESERVED:
            effects.dynamic("dialect", run)
        if name in WRAPPERS and not listing:
            self._unwrap(run)
            return
        effects.run(run, wrapper=name in OPAQUE_WRAPPERS)
        if name in OPAQUE_WRAPPERS:
            effects.dynamic("wrapper", run)
            for words in guesses(run.arguments):
                if words[0].text != first.text:
                    self._guess(replace(run, words=words, depth=run.depth + 1))
        elif name in interpreters.SHELLS:
            self._shell(run)
        elif name == "su":
            self._su(run)
        elif name == "find":
            self._find(run)
        elif name in ("export", "unset"):
            self._export(run)
        else:
            self._program(run)

    def _arguments(self, run: Invocation) -> None:
        """Words that are not literal: what they turn into could be options as well, unless the text before a pattern forbids it."""
        for word in run.arguments:
            if word.dynamic:
                self._effects.dynamic(word.dynamic, run)
            elif word.pattern == 0 or (word.pattern > 0 and word.text.startswith("-")):
                self._effects.dynamic("pattern", run)

    def _program(self, run: Invocation) -> None:
        kind = interpreters.dynamic_kind(run)
        if kind:
            self._effects.dynamic(kind, run)
        option_effects(run, self._effects)
        handle = handler(run.program.basename)
        if handle is not None:
            handle(run, self._effects)
        elif run.program.basename == "sed":
            edits = any(re.match(r"-[nErsuz]*i|--in?", word.text) for word in run.arguments)
            each_path(
                self._effects,
                Action.WRITE_FILE if edits else Action.READ_FILE,
                operands(run, frozenset({"-e", "-f"}))[1:],
                run,
            )
        elif run.program.basename in ("awk", "gawk", "mawk", "nawk"):
            each_path(self._effects, Action.READ_FILE, operands(run, frozenset({"-F", "-v", "-f"}))[1:], run)

    def _guess(self, run: Invocation) -> None:
        """One reading of what an opaque wrapper runs, for rules that forbid: `exec_dynamic` is asked all the same."""
        if any(word.dynamic for word in run.words[:1]):
            return
        self._effects.run(run)
        handle = handler(run.program.basename)
        option_effects(run, self._effects)
        if handle is not None and run.program.basename not in ("cd", "pushd", "popd", "chdir"):
            handle(run, self._effects)
        elif run.program.basename in interpreters.SHELLS:
            self._shell(run)

    def _unwrap(self, run: Invocation) -> None:
        name = run.program.basename
        found = unwrap(name, run.arguments)
        sudo = run.sudo or WRAPPERS[name].privileged
        outer = replace(run, sudo=sudo, run_as=found.run_as or run.run_as)
        self._effects.run(outer, wrapper=True)
        if found.dynamic:
            self._effects.dynamic(found.dynamic, outer)
        self.assign(found.variables)
        if not found.words:
            if name in ("sudo", "doas", "pkexec", "unbuffer"):
                self._effects.dynamic("shell", outer)
            return
        inner = replace(outer, words=found.words, depth=run.depth + 1)
        if WRAPPERS[name].shell_text:
            if all(word.literal for word in found.words):
                self._read_text(" ".join(word.text for word in found.words), inner)
            else:
                self._effects.dynamic("text", outer)
            return
        self.run(inner)

    def _shell(self, run: Invocation) -> None:
        """`sh -c 'text'`; without a text it runs its input or a file."""
        words = run.arguments
        if len(words) < 2 or not re.fullmatch(r"-[ceulx]*c", words[0].text) or not words[0].literal:
            self._effects.dynamic("script", run)
            if words and any(word.text.startswith("-") and "c" in word.text for word in words):
                for word in words:
                    if word.literal and not word.text.startswith("-"):
                        self._read_text(word.text, replace(run, depth=run.depth + 1))
            return
        text = words[1]
        if text.text == "--" and len(words) > 2:
            text = words[2]
        if text.literal and not text.text.startswith(("-", "+")):
            self._read_text(text.text, replace(run, depth=run.depth + 1))
        else:
            self._effects.dynamic(text.dynamic or "text", run)

    def _su(self, run: Invocation) -> None:
        """`su [-] [user] -c 'text'`: the text is read, and the login shell of that account runs it."""
        account, text = "root", None
        words = list(run.arguments)
        plain = True
        while words:
            word = words.pop(0)
            if word.text in ("-c", "--command") and words:
                text = words.pop(0)
            elif word.text.startswith("--command="):
                text = Word(word.text.partition("=")[2], dynamic=word.dynamic, pattern=-1 if word.literal else 0)
            elif word.text.startswith("-") and word.text not in ("-", "-l", "--login"):
                plain = False
            elif not word.text.startswith("-"):
                account = word.text
        inner = replace(run, sudo=True, run_as=account, depth=run.depth + 1)
        if text is None or not text.literal or not plain:
            self._effects.dynamic("shell", inner)
        if text is not None and text.literal:
            self._read_text(text.text, inner)

    def _export(self, run: Invocation) -> None:
        for word in run.arguments:
            name, _, value = word.text.partition("=")
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                self._effects.dynamic("builtin", run)
            else:
                self.assign([name], [Word(value, dynamic=word.dynamic)])

    def _find(self, run: Invocation) -> None:
        effects = self._effects
        words = list(run.arguments)
        while words and (words[0].text in ("-H", "-L", "-P", "-D", "--") or words[0].text.startswith("-O")):
            if words.pop(0).text == "-D":
                words = words[1:]
        roots: list[Word] = []
        while words and not words[0].text.startswith(("-", "(", "!", ",")):
            roots.append(words.pop(0))
        roots = roots or [Word(".")]
        each_path(effects, Action.LIST_FILES, roots, run, recursive=True)
        at = 0
        while at < len(words):
            text = words[at].text
            at += 1
            if text in _FIND_RUNS:
                end = next((i for i in range(at, len(words)) if words[i].text in (";", "+")), len(words))
                self._found(run, tuple(words[at:end]), roots, text)
                at = end + 1
            elif text == "-delete":
                each_path(effects, Action.REMOVE_FILE, roots, run, recursive=True)
            elif text in _FIND_WRITES and at < len(words):
                effects.path(Action.WRITE_FILE, words[at], run)
            elif text.startswith("-files0") or (text.startswith("-f") and text not in ("-false", "-fstype", "-follow")):
                effects.dynamic("option", run)

    def _found(self, run: Invocation, words: tuple[Word, ...], roots: list[Word], option: str) -> None:
        """`-exec`: each `{}` is any path below the roots, which cannot be an option when no root begins with `-`."""
        if not words:
            self._effects.dynamic("option", run)
            return
        inner: list[Word] = []
        for word in words:
            if word.text == "{}" and word.literal:
                inner += [_below(root) for root in roots]
            elif "{}" in word.text:
                inner.append(replace(word, dynamic="option"))
            else:
                inner.append(word)
        if option.endswith("dir"):
            # It runs in the folder of what it finds.
            folders, self._effects.folders = self._effects.folders, frozenset({None})
            self.run(replace(run, words=tuple(inner), depth=run.depth + 1))
            self._effects.folders = folders
        else:
            self.run(replace(run, words=tuple(inner), depth=run.depth + 1))


def _below(root: Word) -> Word:
    """Any path below a root of `find`."""
    if root.dynamic or root.pattern >= 0:
        return replace(root, below=True)
    text = root.text.rstrip("/") + "/"
    return Word(text + "*", dynamic=root.dynamic, pattern=len(text), tilde=root.tilde, below=True)
