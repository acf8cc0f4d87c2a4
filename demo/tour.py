"""The tour: real psql and ssh sessions through the gateway, each command shown with what came of it."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from demo.host import HOST, LOOKS, RESTART, Ssh
from demo.stage import CONNECTION, Stage

_HELD = re.compile(r"\b(ap-[0-9a-z]+)\b")


class TourError(RuntimeError):
    """The gateway did not do what the tour says that it does."""


class Tour:
    """Runs the steps one after another and checks each of them: a tour that shows a fault fails."""

    def __init__(self, stage: Stage) -> None:
        """`stage` is up and running."""
        self._stage = stage
        self._steps = 0

    def run(self) -> None:
        """All steps; raises `TourError` at the first that does not come out as told."""
        self._title("Support reads customers; policy masks what support may not see")
        shown = self._psql(
            "alice", "select id, name, email, phone, national_id, card_number from customers order by id limit 3"
        )
        self._expect("***" in shown or "•" in shown or "redacted" in shown, "masked values in what alice sees")
        self._title("… whatever SQL is used to reach it")
        shown = self._psql(
            "alice",
            "select upper(email) as shouted, json_build_object('mail', email) as packed from customers order by id limit 1",
        )
        self._expect("redacted" in shown and "@" not in shown, "no e-mail address through an expression")
        shown = self._psql("alice", "select name from customers where card_number like '4000%'")
        self._expect("may only be selected as it is" in shown, "a refusal to ask about what is strict")
        self._title("DROP TABLE is refused before PostgreSQL sees it, and the session goes on")
        shown = self._psql("bob", "drop table customers", "select count(*) as customers_are_still_here from customers")
        self._expect("ERROR" in shown and "2000" in shown, "a refusal and a session that goes on")
        self._title("DELETE without WHERE is refused")
        shown = self._psql("carol", "delete from orders", "delete from orders where true")
        self._expect(shown.count("ERROR") == 2, "two refusals")
        self._title("A risky UPDATE waits for a person; carol approves it from another terminal")
        self._hold("update orders set status = 'returned' where id = 17", approve=True)
        self._title("… or denies it, with a reason that the requester reads")
        self._hold("update orders set status = 'returned' where id = 18", approve=False)
        self._title("An agent reads, masked, with its person and task in the record")
        self._psql("shopbot", "select id, name, email from customers order by id limit 2")
        shown = self._psql("shopbot", "select count(*) from customers where email like 'o%'")
        self._expect("may only be selected as it is" in shown, "a refusal to infer")
        if self._stage.ssh is not None:
            self._host(self._stage.ssh)
        self._title("Every session is recorded and can be replayed")
        self._replay()
        self._title("The audit chain proves that nothing was altered")
        self._interpose("carol", "audit", "verify")

    # --- steps

    def _psql(self, actor: str, *commands: str) -> str:
        gateway = self._stage.gateway
        shown = ""
        for command in commands:
            self._line(f"{actor}@{CONNECTION}=> {command};")
        done = gateway.psql(actor, self._stage.tokens[actor], CONNECTION, *commands)
        shown = done.stdout + done.stderr
        # psql prints results and errors on two streams: told in the order in which a person would read them.
        self._result(done.stdout)
        self._result(done.stderr, error=True)
        return shown

    def _host(self, ssh: Ssh) -> None:
        self._title("SSH through the same gateway: an operator looks at a host with the ssh that she has")
        shown = self._ssh(ssh, "head -n 2 /etc/os-release")
        self._expect("NAME=" in shown, "what the host says of itself")
        self._title("rm -rf /, however it is spelled, is refused before the host hears of it")
        for spelled in (
            "rm -rf /",
            "sudo r''m --recursive -f -- //",
            "find / -delete",
            "$(printf rm) -rf /",
            "sh -c 'rm -rf /*'",
        ):
            shown = self._ssh(ssh, spelled)
            self._expect(shown.startswith("interpose:") and "for show" not in shown, "a refusal by the gateway")
        self._title("A restart waits for whoever is on call, with the ssh open")
        self._line(f"olga@{HOST}$ {RESTART}")
        rest = self._held(
            [*ssh.arguments("olga"), RESTART], ssh.environment(self._stage.tokens["olga"]), "otto", comment="go ahead"
        )
        self._result(rest)
        self._expect("restarted" in rest, "the command ran")

    def _ssh(self, ssh: Ssh, command: str) -> str:
        self._line(f"olga@{HOST}$ {command}")
        done = subprocess.run(
            [*ssh.arguments("olga"), command],
            env=ssh.environment(self._stage.tokens["olga"]),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        self._result(done.stdout)
        self._result(done.stderr, error=True)
        return done.stdout + done.stderr

    def _hold(self, command: str, *, approve: bool) -> None:
        self._line(f"bob@{CONNECTION}=> {command};")
        environment = self._stage.gateway.psql_environment("bob", self._stage.tokens["bob"], CONNECTION)
        comment = "ticket 4711" if approve else "order 18 is still on its way"
        rest = self._held(["psql", "-X", "-c", command], environment, "carol", comment=comment, approve=approve)
        self._result(rest, error=not approve)
        self._expect(("UPDATE 1" in rest) is approve, "the command ran" if approve else "the command did not run")

    def _held(
        self, client: Sequence[str], environment: Mapping[str, str], by: str, *, comment: str, approve: bool = True
    ) -> str:
        """Start a client whose command is held, and vote; answers what it printed afterwards."""
        process = subprocess.Popen(
            client,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_follow, args=(process, lines), daemon=True).start()
        approval = self._until_held(lines)
        time.sleep(0.3)
        self._interpose(by, "approvals", "list")
        self._interpose(by, "approvals", "approve" if approve else "deny", approval, "--comment", comment)
        rest = ""
        while (line := lines.get(timeout=20)) is not None:
            rest += line
        return rest

    def _until_held(self, lines: queue.Queue[str | None]) -> str:
        while (line := lines.get(timeout=20)) is not None:
            self._result(line)
            found = _HELD.search(line)
            if found:
                return found[1]
        raise TourError("the statement was not held")

    def _replay(self) -> None:
        self._interpose("carol", "sessions", "list", "--limit", "8")
        found = self._stage.gateway.interpose(
            "sessions", "search", "drop table customers", "--json", token=self._stage.tokens["carol"]
        )
        match = re.search(r'"session":\s*"([^"]+)"', found.stdout)
        self._expect(match is not None, "the search finds the session with the DROP")
        if match is not None:
            self._interpose("carol", "sessions", "replay", match[1], "--speed", "20")

    # --- showing

    def _interpose(self, actor: str, *arguments: str) -> None:
        self._line(f"{actor}$ interpose {' '.join(arguments)}")
        done = self._stage.gateway.interpose(*arguments, token=self._stage.tokens[actor])
        self._result(done.stdout)

    def _title(self, text: str) -> None:
        self._steps += 1
        print(f"\n\033[1m{self._steps}. {text}\033[0m\n", flush=True)

    def _line(self, text: str) -> None:
        print(f"  \033[36m{text}\033[0m", flush=True)

    def _result(self, text: str, *, error: bool = False) -> None:
        for line in text.rstrip("\n").splitlines():
            print(f"    \033[33m{line}\033[0m" if error else f"    {line}", flush=True)

    def _expect(self, condition: bool, what: str) -> None:
        if not condition:
            raise TourError(f"expected {what}")


def _follow(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    process.wait()
    lines.put(None)


def invitation(stage: Stage) -> str:
    """What a person can paste: the exact line for each actor, what to try, and what will happen."""
    gateway = stage.gateway
    program = os.path.relpath(Path(sys.executable).parent / "interpose")

    def line(actor: str) -> str:
        return (
            f"  PGPASSWORD={stage.tokens[actor]} PGSSLROOTCERT={stage.authority} \\\n"
            f"    psql 'host=localhost port={gateway.port} user={actor} dbname={CONNECTION} sslmode=verify-full'"
        )

    admin = f"INTERPOSE_SERVER=http://127.0.0.1:{gateway.admin_port} INTERPOSE_TOKEN={stage.tokens['carol']}"
    return f"""
\033[1malice\033[0m is in support: she reads, with personal data masked.
{line("alice")}
    try   select name, email, phone, national_id from customers limit 5;
    and   select body from support_notes limit 5;                  -- found by content
    and   select name from customers where card_number like '4%';  -- refused: card numbers are strict, nothing may be inferred
    and   select customer_contact(1);                              -- code that policy cannot see into: refused
    and   create table mine as select email from customers;        -- refused, it would store what is hidden

\033[1mbob\033[0m is a developer: he reads and writes, and what is risky waits for a DBA.
{line("bob")}
    try   update orders set status = 'returned' where id = 17;     -- held until carol approves; Ctrl-C voids it
    and   drop table customers;                                    -- refused
    and   delete from orders;                                      -- refused: no WHERE

\033[1mcarol\033[0m is a DBA: she approves, from a second terminal.
  export {admin}
    {program} approvals list
    {program} approvals approve ap-…
    {program} sessions list
    {program} sessions replay s_…
{line("carol")}

\033[1mshopbot\033[0m is an agent that acts for bob: it reads a little, masked, and every refusal tells it what to do instead.
{line("shopbot")}
    try   select name, email from customers limit 3;
    and   select id from customers where email like 'a%';          -- refused: agents do not infer what is hidden
    and   update orders set status = 'paid' where id = 1;
{_on_the_host(stage)}
Afterwards: {program} audit verify --config {gateway.config}
"""


def _on_the_host(stage: Stage) -> str:
    if stage.ssh is None:
        return ""
    return f"""
\033[1molga\033[0m is an operator: she looks at hosts, and restarts services when whoever is on call says yes. (The host is for show: it runs no more than these.)
  {stage.ssh.line("olga")} COMMAND
    password  {stage.tokens["olga"]}
    try   {", ".join(LOOKS)}
    and   rm -rf /                                                 -- refused, and in every other spelling
    and   {RESTART}                                  -- held until otto approves
\033[1motto\033[0m is on call: INTERPOSE_TOKEN={stage.tokens["otto"]}
"""
