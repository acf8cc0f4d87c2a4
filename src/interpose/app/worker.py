"""One worker: everything wired, started and stopped in order.

The one place that knows all floors. It decides nothing about any command.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING

from interpose import __version__
from interpose.analysis.sql.catalog import CatalogCache
from interpose.api.admin import AdminApi
from interpose.api.routes import application
from interpose.app import public_api
from interpose.app.bootstrap import bootstrap, show_first
from interpose.app.confirming import BrowserLogins
from interpose.app.http_server import HttpServer
from interpose.app.interventions import hear_ends, hear_sayings
from interpose.app.lifecycle import Lifecycle
from interpose.app.listeners import ListenedWith, Listeners
from interpose.app.loading import Loaded
from interpose.app.operations import PolicyRights, StoredSessions, WorkerOperations
from interpose.app.protocols import OUTLINES, SPOKEN, relayed
from interpose.app.providers import workload_providers
from interpose.app.reload import Reloader
from interpose.app.secrets import open_secrets
from interpose.app.served_certificates import ServedCertificates
from interpose.app.settings import PublicSettings, Settings
from interpose.app.ssh import SshListeners, rules_of
from interpose.app.ssh_identity import SshIdentity
from interpose.app.state import State
from interpose.app.supervisor import tell_served
from interpose.app.tasks import BackgroundTasks
from interpose.app.telemetry import Telemetry
from interpose.app.token_desk import TokenDesk, delegation
from interpose.engine.admit import DRAINING, Admission, gateway_grant
from interpose.engine.approvals import Approvals
from interpose.engine.authenticate import Authentication
from interpose.engine.catalogs import Catalogs, CatalogWatch
from interpose.engine.directory import TOPIC as DIRECTORY_TOPIC
from interpose.engine.directory import Directory
from interpose.engine.foresight import Foresight
from interpose.engine.gate import Gate
from interpose.engine.release import Release
from interpose.engine.sessions import SessionRegistry
from interpose.engine.snapshot import SnapshotHolder
from interpose.engine.watch import SessionWatch
from interpose.identity.authenticators import ByForm
from interpose.identity.authority import Authority
from interpose.identity.certificates import CertificateIssuer, Certificates
from interpose.identity.tokens import Tokens
from interpose.identity.workload import WorkloadTokens
from interpose.model.connection import Connection
from interpose.model.errors import StoreError
from interpose.model.ids import ConnectionName
from interpose.net.accepting import Acceptor
from interpose.net.admittance import Admittance
from interpose.net.cancels import Cancels
from interpose.net.catalog import UpstreamCatalogs
from interpose.net.certificates import ClientContexts
from interpose.net.listener import Listener
from interpose.net.live import LiveSessions
from interpose.net.login import SessionStarter
from interpose.net.options import DialOptions, SessionOptions
from interpose.net.upstream import Dialer
from interpose.notify.lines import LineNotifier

if TYPE_CHECKING:
    from interpose.app.people import People

RELOAD_TOPIC = "reload"


class Worker:
    """Wires one worker over an open state and runs it."""

    def __init__(self, loaded: Loaded, state: State, telemetry: Telemetry, index: int) -> None:
        """Nothing listens yet. Must be made on the running event loop."""
        self._settings: Settings = loaded.settings
        self._state = state
        self._telemetry = telemetry
        self._index = index
        self._stop = asyncio.Event()
        self._tasks = BackgroundTasks(asyncio.get_running_loop().create_future(), set())
        self._holder = SnapshotHolder(loaded.snapshot)
        audit, clock = telemetry.chain(state.record.chain), state.clock
        self._directory = Directory(self._holder, state.directory, audit, state.bus, clock)
        self._registry = SessionRegistry()
        self._lifecycle = Lifecycle(self._settings.identity.providers, self._registry, self._directory, state, audit)
        logins = self._lifecycle.logins
        self._desk = TokenDesk(self._holder, self._directory, state.tokens, audit, clock, state.ids, logins)
        self._reloader = Reloader(loaded, self._directory, audit, telemetry)
        self._session_options = SessionOptions(write_stall=self._settings.limits.write_stall)
        self._journal = telemetry.journal
        dialer = Dialer(
            ClientContexts(clock.monotonic),
            DialOptions(dial_deadline=self._settings.limits.dial),
            self._session_options,
        )
        secrets = self._secrets = open_secrets(self._settings, self._connections, audit)
        self._catalogs = UpstreamCatalogs(dialer, secrets, relayed(), gateway_grant, self._registry.uses)
        catalogs = Catalogs(self._catalogs, CatalogCache)
        self._catalog_watch = CatalogWatch(catalogs, self._registry, self._settings.catalog_poll, self._with_catalog)
        self._workloads = WorkloadTokens(
            workload_providers(self._settings.identity.providers),
            self._directory,
            lambda: self._holder.current.principals,
            clock,
            telemetry.warn,
        )
        self._reloader.listeners.append(self._use_providers)
        tokens = Tokens(state.tokens, lambda: self._holder.current.principals, clock)
        certificates = Certificates(state.tokens, lambda: self._holder.current.principals, clock)
        self._authentication = Authentication(
            ByForm(tokens, self._workloads), audit, clock, loaded.snapshot.limits, certificates
        )
        self._authority = Authority(self._settings.state, clock, state.ids)
        self._certified = any(listener.client_certificates for listener in self._settings.listeners)
        if self._certified:
            self._authority.ensure()
        self._issuer = CertificateIssuer(self._authority, state.tokens, audit, clock, state.ids)
        self._ssh_identity = SshIdentity(
            self._settings.state, self._holder, self._authentication, state.tokens, audit, clock, state.ids
        )
        self._certificates = ServedCertificates(audit, telemetry.tell, telemetry.warn)
        self._delegation = delegation(self._holder, state, audit)
        self._bootstrap = bootstrap(self._holder, state, audit)
        self._approvals = Approvals(
            state.approvals, self._holder, audit, LineNotifier(telemetry.tell), state.bus, clock, state.ids
        )
        self._browser_logins = BrowserLogins(self._settings, state, self._directory, self._holder, audit)
        self._watch = SessionWatch(self._registry, state.tokens, clock)
        self._holder.listen(catalogs.snapshot_swapped)
        self._holder.listen(self._watch.snapshot_swapped)
        self._admission = Admission(
            self._holder,
            self._registry,
            state.record.recordings,
            audit,
            state.sessions,
            clock,
            state.ids,
            worker=state.worker,
        )
        analysts = {name: spec.analyst() for name, spec in SPOKEN.items()}
        gate = Gate(
            self._holder,
            analysts,
            catalogs,
            self._approvals,
            audit,
            clock,
        )
        judge = telemetry.gate(gate)
        self._cancels = Cancels(dialer, self._journal)
        release = Release(catalogs, state.mask_key)
        self._live = LiveSessions()
        self._starter = SessionStarter(
            judge,
            release,
            self._cancels,
            self._live,
            self._journal,
            telemetry.traffic,
            self._session_options,
            limits=lambda: self._holder.current.limits,
            version=__version__,
        )
        self._admittance = Admittance(
            self._authentication,
            self._admission,
            secrets,
            dialer,
            self._journal,
            self._browser_logins.confirming,
        )
        self._ssh = SshListeners(
            self._settings, state, self._ssh_identity, self._admission, secrets, dialer, judge, release,
            Foresight(self._holder, analysts, catalogs, clock, rules_of), self._live, telemetry,
            self._browser_logins.confirming,
        )  # fmt: skip
        self._ways_in = Listeners(
            self._settings,
            ListenedWith(
                self._admittance,
                self._starter,
                self._cancels,
                self._registry,
                self._ssh,
                self._authority,
                self._journal,
                self._session_options,
                state.bus,
                self._certificates,
            ),
        )
        self._listeners: list[Listener | Acceptor] = []
        self._http: list[HttpServer] = []
        self._people: People | None = None
        telemetry.waiting(lambda: self._approvals.waiting)

    def _use_providers(self, new: Settings) -> None:
        providers = new.identity.providers
        self._workloads.use(workload_providers(providers))
        self._lifecycle.use(providers)
        if self._people is not None:
            self._people.providers.use(providers)

    def _connections(self) -> Mapping[ConnectionName, Connection]:
        return self._holder.current.connections

    def _with_catalog(self) -> Mapping[ConnectionName, Connection]:
        return {name: each for name, each in self._connections().items() if each.protocol in OUTLINES}

    async def run(self) -> int:
        """Serve until a signal, then drain; answers the exit status."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload_soon, "SIGHUP")
        self._state.bus.start()
        try:
            await self._state.close_orphans()
        except StoreError as error:
            self._telemetry.warn("sessions of dead workers still count as live", {"why": str(error)})
        await self._directory.refresh()
        self._background()
        self._listeners = self._ways_in.open()
        if self._index == 0:
            self._http = [self._admin_server()]
            if self._settings.public is not None:
                self._people = self._open_people(self._settings.public)
                self._http.append(self._people.server())
                self._tasks.start(self._people.providers.renewals.run, "renewals")
            for server in self._http:
                if server.certificate is not None:
                    self._certificates.add(server.name, server.certificate)
                server.start()
        await self._ssh.certify()
        self._tasks.start(self._ssh.renew, "host certificates")
        for listener in self._listeners:
            listener.start()
        self._telemetry.tell(
            "gateway serves",
            {
                "addresses": ", ".join(f"{host}:{port}" for each in self._listeners for host, port in each.addresses),
                "snapshot": self._holder.current.digest[:12],
                "recovered": str(len(self._state.record.recovered.sessions)),
            },
        )
        tell_served(self._index)
        if self._index == 0:
            await show_first(self._bootstrap, self._telemetry.tell)
        self._tasks.start(self._until_stopped, "stop")
        await self._tasks.over
        return await self._end()

    async def _until_stopped(self) -> None:
        await self._stop.wait()
        if not self._tasks.over.done():
            self._tasks.over.set_result("")

    async def _end(self) -> int:
        failure = self._tasks.over.result()
        self._telemetry.tell("gateway drains", {"why": failure or "signal", "sessions": str(len(self._live))})
        for listener in self._listeners:
            listener.close()
        self._admission.drain()
        self._approvals.drain()
        self._browser_logins.drain()
        await self._live.drain(DRAINING, 0.0 if failure else self._settings.limits.drain)
        await self._cancels.settle()
        for server in self._http:
            await server.stop()
        if self._people is not None:
            await self._people.close()
        self._catalogs.close()
        await self._workloads.close()
        await self._tasks.stop()
        return 1 if failure else 0

    def _background(self) -> None:
        self._tasks.start(self._approvals.run, "approvals")
        self._tasks.start(self._browser_logins.run, "browser logins")
        self._tasks.start(self._watch.run, "revocations")
        self._tasks.start(self._catalog_watch.run, "catalog watch")
        self._tasks.start(self._directory.run, "directory")
        self._tasks.start(self._hear_directory, "directory changes")
        self._tasks.start(self._lifecycle.logins.hear, "ended logins")
        self._tasks.start(self._state.sessions.run, "session index")
        self._tasks.start(lambda: self._reloader.watch(self._stop), "file watch")
        self._tasks.start(lambda: hear_ends(self._state.bus, self._registry), "session ends")
        self._tasks.start(lambda: hear_sayings(self._state.bus, self._registry), "messages to users")
        self._tasks.start(self._ways_in.hear_cancels, "cancels")
        self._tasks.start(self._certificates.run, "certificates")
        self._tasks.start(self._hear_reloads, "reloads")
        self._tasks.start(lambda: self._state.retain(lambda: self._reloader.loaded.settings), "retention")
        self._tasks.start(self._telemetry.watch, "event loop watch")
        self._tasks.start(self._telemetry.share, "metrics")

    def _reload_soon(self, cause: str) -> None:
        self._tasks.start(lambda: self._reloader.quietly(cause), "reload")

    # --- what other workers ask

    async def _hear_directory(self) -> None:
        async for _ in self._state.bus.listen(DIRECTORY_TOPIC):
            try:
                await self._directory.refresh()
            except StoreError:
                continue  # the directory's own loop looks again

    async def _hear_reloads(self) -> None:
        async for payload in self._state.bus.listen(RELOAD_TOPIC):
            if payload != self._state.worker:
                await self._reloader.quietly("another worker reloaded")

    # --- the admin API

    def _admin_server(self) -> HttpServer:
        operations = WorkerOperations(
            self._reloader,
            self._certificates,
            self._state.record.chain,
            {
                "audit": lambda: self._state.record.chain.state().trouble,
                "recordings": lambda: self._state.record.recordings.state().trouble,
                "tokens": lambda: "" if self._watch.healthy else "the token store does not answer",
            },
            self._telemetry.metrics,
            lambda: self._state.bus.publish(RELOAD_TOPIC, self._state.worker),
        )
        api = AdminApi(
            self._authentication,
            PolicyRights(self._holder, self._state.clock),
            self._approvals,
            self._state.approvals,
            StoredSessions(self._state.sessions, self._state.recorded, self._state.bus),
            operations,
            self._connections,
            self._issuer if self._certified else None,
            self._ssh_identity.issuer,
            self._delegation,
            self._bootstrap,
        )
        admin = self._settings.admin
        return HttpServer("admin api", application(api), admin.address, admin.certificate, admin.key)

    def _open_people(self, public: PublicSettings) -> People:
        # Pages, and what asks providers: a gateway without a public address loads neither.
        from interpose.app.people import People
        from interpose.web.token_exchange import TokenExchange

        # A reload may have come since this worker was made.
        options = self._reloader.loaded.settings.identity.providers
        pages = self._ssh_identity.pages(self._settings)
        exchange = TokenExchange(self._authentication, self._delegation)
        more = [*pages.routes(), *exchange.routes(), public_api.route()]
        state, known, own, limits = self._state, self._directory, self._secrets.own, self._holder.current.limits
        waiting = self._browser_logins.confirming
        return People(public, options, state, self._desk, known, limits, own, self._lifecycle, more, waiting)
