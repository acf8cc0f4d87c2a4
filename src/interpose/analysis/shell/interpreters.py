"""Programs that run what they are told to in a language of their own, and the options of others that do so.

What is not in these tables is a program that does what its name says, as far as this analysis knows: policy permits programs by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from interpose.analysis.shell.arithmetic import evaluates
from interpose.analysis.shell.invocation import Invocation

SHELLS = frozenset(
    "sh bash dash ash ksh ksh93 mksh pdksh lksh oksh zsh zsh5 rbash rksh rlksh rmksh rzsh yash posh hush mksh-static zsh-static bash-static "
    "static-sh".split()
)
"""Shells whose `-c` text this analysis reads."""

_NUMBERED = re.compile(r"-?[0-9][0-9.]*\Z")
"""`gcc-12` and `pip3.11` are what they are without their version."""

_VERSIONED = re.compile(
    r"(python|perl|ruby|php|lua|tclsh|wish|node|pypy|guile|gawk|mawk|vim|emacs|php-cgi|java|ipython|jruby)[0-9.]*-?[a-z]*"
)

INTERPRETERS = frozenset(
    "csh tcsh fish elvish nu xonsh pwsh rc es scsh python perl ruby node nodejs deno bun php lua luajit tclsh wish expect guile gdb lldb "
    "Rscript R java jshell scala groovy kotlin ocaml ghci runghc erl escript elixir iex julia octave swipl sbcl clisp racket emacs emacsclient "
    "vi vim nvim view vimdiff rvim rview vimtutor ex ed red nano rnano pico joe jed mcedit micro kak hx ne less more most pg lesspipe man info "
    "ftp lftp sftp telnet nc ncat netcat socat ssh slogin rsh rlogin mosh mosh-server sshd dropbear in.telnetd telnetd ttyd gotty shellinaboxd code-server tmate autossh sshpass screen tmux dtach abduco zellij script byobu make "
    "gmake bmake cmake ninja meson rake ant mvn gradle cargo go npx npm pnpm yarn pip pip3 pipx uv poetry gem bundle cpan m4 dc bc sqlite3 "
    "mysql mariadb psql mongo mongosh redis-cli at batch atrun anacron irb pry ipython jupyter xterm gnome-terminal rxvt mail mailx mutt exim "
    "exim4 sendmail gtester tclsh8.6 aria2c nmap tshark wireshark openvpn pexec ansible ansible-playbook salt salt-call puppet chef-client "
    "mc ranger vifm nnn cscope ctags gimp awk gawk mawk nawk original-awk ex.tiny vim.tiny vim.basic sudoedit visudo vipw vigr crash bpftrace "
    "stap dtrace tcc as ld gcc cc g++ c++ clang rustc ghc fzf pssh pdsh clush dsh rpm dpkg rpm2cpio alternatives update-alternatives snap "
    "flatpak logrotate modprobe insmod kexec ld.so cpulimit setfattr debugfs busctl dbus-send gdbus qdbus "
    "editor pager sensible-editor sensible-pager sensible-browser select-editor x-www-browser www-browser xdg-open c89 c99 cpp msgexec msgfilter "
    "scriptlive gpg-connect-agent getty agetty httpd "
    "sftp-server internal-sftp git-shell svnserve unison borg rdiff-backup restic rclone cvs hg bzr".split()
)
"""Programs that run code, commands or scripts of their own language, or load code that they are given, or serve files to whoever holds their
standard input: what they are asked there is in no command line."""

BUILTINS = frozenset(
    "eval . source trap alias unalias shopt setopt unsetopt emulate enable disable hash unhash rehash bind bindkey complete compgen compopt mapfile "
    "readarray let declare typeset local readonly read getopts fc history jobs autoload zmodload functions integer float vared sched "
    "compadd comparguments compcall compctl compdescribe compfiles compgroups compquote compset comptags comptry compvalues echotc echoti "
    "let] global compound enum getln private r redirect ttyctl unfunction zformat zregexparse zle zstyle zcompile zparseopts print fg suspend caller logout function coproc select namespace repeat foreach end nohup- nameref".split()
)
"""Builtins of some shell that run text, or change what later words mean."""

_SUBCOMMANDS: Mapping[str, frozenset[str]] = {
    "git": frozenset(
        "status log show diff branch tag fetch pull push clone checkout switch restore add rm mv commit merge rev-parse ls-files ls-tree "
        "ls-remote remote describe stash reset clean blame shortlog cat-file rev-list for-each-ref init gc fsck reflog show-ref symbolic-ref "
        "update-ref worktree archive count-objects cherry-pick revert version upload-pack receive-pack".split()
    ),
    **dict.fromkeys(
        ("docker", "podman", "nerdctl"),
        frozenset("ps images logs inspect stats top version info events port diff pull start stop restart kill rm rmi pause unpause wait history tag push "
        "login logout search rename".split()),
    ),
    **dict.fromkeys(
        ("kubectl", "oc"),
        frozenset("get describe logs top version cluster-info explain api-resources api-versions rollout scale delete apply create cordon uncordon drain taint "
        "label annotate wait diff auth events".split()),
    ),
    "ip": frozenset("addr address a link l route r ro neigh neighbour rule".split()),
    "crictl": frozenset("ps images logs inspect stats info pods version".split()),
    "systemctl": frozenset(
        "status show cat list-units list-unit-files list-timers list-sockets list-dependencies list-jobs is-active is-enabled is-failed "
        "is-system-running start stop restart reload try-restart reload-or-restart enable disable mask unmask reenable preset daemon-reload "
        "daemon-reexec reset-failed kill isolate help show-environment get-default set-default halt poweroff reboot suspend".split()
    ),
}  # fmt: skip
"""The subcommands that run nothing but what they say. Any other, or an option before it, is dynamic."""

_HARMLESS_FLAGS: Mapping[str, frozenset[str]] = {
    "systemctl": frozenset(
        "--no-pager --quiet -q --no-legend --plain --all -a --failed --user --system --full -l --now --no-block".split()
    ),
    "ip": frozenset("-br -brief -s -4 -6 -o -j -d -c".split()),
}
"""Flags that may stand before the subcommand."""

_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "tar": ("-T", "--files-from", "--checkpoint-action", "--to-command", "--use-compress-program", "--rsh-command", "--rmt-command", "--info-script", "--new-volume-script", "-I", "-F"),
    "rsync": ("-e", "--rsh", "--rsync-path", "--config", "--daemon", "--dparam", "-M", "--remote-option", "-s", "--secluded-args", "--protect-args"),
    "scp": ("-S", "-o", "-F", "-J", "-D"),
    "sort": ("--compress-program", "--files0-from"),
    "wc": ("--files0-from",),
    "du": ("--files0-from",),
    "file": ("-f", "--files-from", "-C", "--compile"),
    "date": ("-f", "--file"),
    "xz": ("--files", "--files0"),
    "split": ("--filter",),
    "zip": ("-T", "-TT", "--unzip-command", "--test"),
    "tcpdump": ("-z",),
    "wget": ("--use-askpass", "--config", "-e", "--execute"),
    "curl": ("-K", "--config"),
    "apt": ("-o", "--option", "-c", "--config-file"),
    "apt-get": ("-o", "--option", "-c", "--config-file"),
    "aptitude": ("-o", "--option", "-c", "--config-file"),
    "yum": ("-c", "--config", "--setopt", "shell"),
    "dnf": ("-c", "--config", "--setopt", "shell"),
    "iptables": ("--modprobe", "-M"),
    "ip6tables": ("--modprobe", "-M"),
    "openssl": ("-engine", "-provider", "-provider-path", "engine"),
    "git": ("--config-env", "--exec-path", "--upload-pack", "--receive-pack", "--template", "--config", "--exec", "--ext-diff", "--textconv"),
    "git-upload-pack": ("--exec-path",),
    "printf": ("-v",),
    "wait": ("-p",),
    "time": ("-o", "--output"),
    "systemctl": ("-H", "--host", "-M", "--machine", "edit", "--root", "--image"),
    "journalctl": ("-M", "--machine", "--root", "--image"),
    "mdadm": ("--program", "-p", "--alert"),
    "dmesg": ("-H", "--human"),
    "mount": ("-t", "--types"),
    "sysctl": ("-w", "--write", "-p", "--load", "--system"),
    "kubectl": ("--kubeconfig", "--as", "--editor"),
}  # fmt: skip
"""Options of programs that are harmless without them: with one, the program runs something, or reads files that another one names. Abbreviations count."""

_SAFE_SET = re.compile(r"[-+][eufxCvn]*o?|pipefail|errexit|nounset|noglob|noclobber")
_AWK_DANGER = re.compile(r"system|getline|[|>@&]|close|fflush|include|load|ENVIRON|SYMTAB|FUNCTAB|PROCINFO")
_ADDRESS = r"(?:\d+|\$|/(?:[^/\\\n]|\\.)*/I?)"
_SED = re.compile(
    rf"\s*(?:{_ADDRESS}(?:,{_ADDRESS})?)?\s*!?\s*(?:[pdqPDGHgxn=]|s(?P<mark>[/|,#:@!])(?:(?!(?P=mark))[^\\\n]|\\.)*(?P=mark)(?:(?!(?P=mark))[^\\\n]|\\.)*(?P=mark)[gpiI0-9]*)\s*"
)


def dynamic_kind(run: Invocation) -> str:
    """Why it cannot be told what this program runs, or empty text when it only does what its words say."""
    name = run.program.basename
    if name in BUILTINS:
        return "builtin"
    if evaluates(run):
        return "dialect"
    if name == "set":
        return "" if all(_SAFE_SET.fullmatch(word.text) for word in run.arguments) else "builtin"
    if name in ("test", "["):
        return "builtin" if any(word.text in ("-v", "-R") for word in run.arguments) else ""
    if name in ("awk", "gawk", "mawk", "nawk", "original-awk"):
        return "" if _plain_awk(run) else "interpreter"
    if name == "sed":
        return "" if _plain_sed(run) else "interpreter"
    if (
        name in INTERPRETERS
        or _NUMBERED.sub("", name) in INTERPRETERS
        or _VERSIONED.fullmatch(name)
        or name.startswith(("ld-linux", "ld-musl", "ld-2."))
    ):
        return "interpreter"
    if name in ("service", "invoke-rc.d") and any("/" in word.text for word in run.arguments):
        return "script"
    if name == "crontab":
        return "" if [word.text for word in run.arguments] == ["-l"] else "interpreter"
    if _dangerous_option(name, run) or (name == "git" and _git_option(run)):
        return "option"
    known = _SUBCOMMANDS.get(name)
    return "" if known is None or _subcommand(name, run, known) else "subcommand"


def _dangerous_option(name: str, run: Invocation) -> bool:
    options = _OPTIONS.get(name, ())
    words = [word.text for word in run.arguments]
    server = name == "rsync" and words[:1] == ["--server"]
    if name == "tar" and words:
        # Its oldest style: the letters of the first word need no dash.
        words[0] = "-" + words[0].lstrip("-") if not words[0].startswith("--") else words[0]
    for index, text in enumerate(words):
        for option in options:
            if not option.startswith("-"):
                if text == option:
                    return True
            elif option.startswith("--"):
                given = text.partition("=")[0]
                if len(given) > 2 and option.startswith(given):
                    return True
            elif len(option) > 2:
                if text.lstrip("-") == option[1:]:
                    return True
            elif _has_letter(text, option[1], group=not (server and index <= 2)):
                return True
    return False


def _git_option(run: Invocation) -> bool:
    """Short options of `git clone` that set configuration or name a program, and the transport that runs one."""
    words = [word.text for word in run.arguments]
    return any("::" in text for text in words) or (
        words[:1] == ["clone"] and any(_has_letter(text, letter, group=True) for text in words for letter in "cu")
    )


def _has_letter(text: str, letter: str, *, group: bool) -> bool:
    if not text.startswith("-") or text.startswith("--"):
        return False
    # rsync's own server side gets `-vlogDtpre.iLsfxC`, in which `e.` begins a list of abilities.
    return letter in (text[1:] if group else text[1:].partition("e.")[0])


def _subcommand(name: str, run: Invocation, known: frozenset[str]) -> bool:
    for word in run.arguments:
        if not word.literal:
            return False
        if not word.text.startswith("-"):
            return word.text in known
        if word.text in ("--version", "--help"):
            return True
        if word.text not in _HARMLESS_FLAGS.get(name, ()):
            return False
    return name in _HARMLESS_FLAGS


def _plain_awk(run: Invocation) -> bool:
    """`awk [-F x] 'program' files` with a program that opens nothing and runs nothing."""
    words = list(run.arguments)
    while words and words[0].text.startswith("-"):
        option = words.pop(0)
        if not option.literal or not option.text.startswith("-F"):
            return False
        if option.text == "-F":
            words = words[1:]
    return bool(words) and words[0].literal and not _AWK_DANGER.search(words[0].text)


def _plain_sed(run: Invocation) -> bool:
    """`sed [-n -E -r -i -s -u] 'script' files`, with scripts that only print, delete and substitute."""
    words = list(run.arguments)
    scripts: list[str] = []
    while words and words[0].text.startswith("-"):
        option = words.pop(0)
        if option.text == "-e" and words and words[0].literal:
            scripts.append(words.pop(0).text)
        elif not option.literal or not re.fullmatch(
            r"-[nErsu]+|-i(?:\.[A-Za-z0-9]+)?|-n?i|--quiet|--silent|--in-place", option.text
        ):
            return False
    if not scripts:
        if not words or not words[0].literal:
            return False
        scripts.append(words[0].text)
    # A word that looks like an option anywhere later is one to GNU sed.
    if any(word.text.startswith("-") for word in words):
        return False
    return all(_plain_command(part) for script in scripts for part in _parts(script))


def _plain_command(part: str) -> bool:
    found = _SED.fullmatch(part)
    if found is None:
        return False
    # Implementations differ in whether a delimiter inside of brackets ends the expression.
    marks = "/" + (found["mark"] or "")
    return not any(set(group) & set(marks) for group in re.findall(r"\[[^\]]*\]", part))


def _parts(script: str) -> list[str]:
    """The script itself, or its commands when each is short and they are joined by `;`."""
    parts = script.split(";")
    return parts if all(re.fullmatch(r"\s*[0-9$,]*\s*[pdq]\s*", part) for part in parts) else [script]
