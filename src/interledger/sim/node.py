"""A simulated node: the real connector and ledger, over a disk that takes its time and a process that can die."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import final

from interledger.accounts.account import Account, AccountId
from interledger.accounts.ledger import Batch, Ledger
from interledger.accounts.records import decode_records
from interledger.clock import Timestamp
from interledger.connector.forward import Connector, Limits
from interledger.connector.guards import Refused
from interledger.ilp.address import Address
from interledger.ilp.error_codes import ErrorCode
from interledger.link.base import Link
from interledger.routing.exchange import ExchangeTable, Quotes
from interledger.routing.table import Origin, RoutingTable
from interledger.sim.world import World

__all__ = ["SimNode"]

TIMER_MS = 100


class _Receivers:
    """Own receivers by name: `test.n3.wallet.*` is the local account `wallet`."""

    def __init__(self, node: SimNode) -> None:
        self._node = node

    def find(self, destination: str) -> AccountId | Refused:
        name = AccountId(destination.removeprefix(self._node.address + ".").partition(".")[0] + "/local")
        if name in self._node.connector.peers:
            return name
        return Refused(ErrorCode.F02_UNREACHABLE, "nobody of that name here")


@final
class SimNode:
    """Attach accounts with `attach`; `crash` and `restart` keep exactly what was written."""

    def __init__(
        self, world: World, address: Address, rates: dict[str, str], spread: Fraction, disk_ms: tuple[int, int]
    ):
        self.world = world
        self.address = address
        self.exchange = ExchangeTable()
        values = {code: Fraction(text) for code, text in rates.items()}
        self.exchange.update(Quotes("static", values, None, world.now()), world.now())
        self.rates = rates
        self.spread = spread
        self.disk_ms = disk_ms
        self.journal: list[bytes] = []
        self.on_commit: Callable[[bytes], None] = lambda records: None
        self.alive = True
        self.life = 0
        self._attached: list[tuple[AccountId, Account, Link, bool, dict[str, AccountId]]] = []
        self._writing = False
        self._start()

    def _start(self) -> None:
        self.ledger = Ledger()
        for records in self.journal:
            for record in decode_records(records):
                self.ledger.apply(record)
        self.routes = RoutingTable()
        self.routes.replace(Origin.OWN, {self.address: AccountId("")})
        self.connector = Connector(
            self.address,
            ledger=self.ledger,
            routes=self.routes,
            exchange=self.exchange,
            receivers=_Receivers(self),
            spread=self.spread,
            limits=Limits(),
        )
        self._writing = False
        self.ledger.on_dirty = self._write_soon
        self.ledger.recover()
        for peer_id, account, link, is_local, _ in self._attached:
            self._attach(peer_id, account, link, is_local)
        self._set_routes()
        self._tick(self.life)

    # ------------------------------------------------------------------ accounts

    def attach(
        self, peer_id: AccountId, account: Account, link: Link, *, is_local: bool = False, routes: tuple[str, ...] = ()
    ) -> None:
        """Attach an account's link, now and after every restart; `routes` are the prefixes that lead there."""
        self._attached.append((peer_id, account, link, is_local, dict.fromkeys(routes, peer_id)))
        self._attach(peer_id, account, link, is_local)
        self._set_routes()

    def _attach(self, peer_id: AccountId, account: Account, link: Link, is_local: bool) -> None:
        first = int.from_bytes(self.world.octets(4), "big")
        peer = self.connector.attach(peer_id, account, link, is_local=is_local, first_request_id=first)
        if account.owes_us_max is not None:
            peer.ledger_account.debit_max = account.owes_us_max

    def _set_routes(self) -> None:
        merged: dict[str, AccountId] = {}
        for *_, routes in self._attached:
            merged.update(routes)
        self.routes.replace(Origin.STATIC, merged)
        self.connector.routes_changed()

    # ------------------------------------------------------------------ time and disk

    def _tick(self, life: int) -> None:
        if self.alive and life == self.life:
            self.connector.handle_timer(Timestamp(self.world.now()))
            self.world.after(TIMER_MS, lambda: self._tick(life))

    def _write_soon(self) -> None:
        if not self._writing:
            self._writing = True
            self.world.soon(lambda life=self.life: self._write(life))  # type: ignore[misc]  # bound now, not when run

    def _write(self, life: int) -> None:
        if not self.alive or life != self.life:
            return
        batch = self.ledger.take_batch()
        if batch is None:
            self._writing = False
            return
        self.world.after(self.world.dice.randint(*self.disk_ms), lambda: self._written(life, batch))

    def _written(self, life: int, batch: Batch) -> None:
        if not self.alive or life != self.life:
            return  # the process died before the disk answered: nothing was written, nothing leaves
        if batch.records:
            self.journal.append(b"".join(batch.records))
            self.on_commit(self.journal[-1])
        for send, request_id, reply in batch.replies:
            send(request_id, reply)
        for send_prepare, _, request_id, prepare in batch.prepares:
            send_prepare(request_id, prepare)
        self._write(life)

    # ------------------------------------------------------------------ faults

    def crash(self) -> None:
        """`kill -9`: memory is gone, what was written stays."""
        self.alive = False
        self.life += 1

    def restart(self) -> None:
        """Replay the journal, recover, go on."""
        self.alive = True
        self._start()

    def handler(self) -> Connector | None:
        """Who answers on this node's links, or None while it is dead."""
        return self.connector if self.alive else None
