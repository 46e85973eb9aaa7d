"""Checks the money with a model of its own, from what nodes write down and what they say to each other.

Numbers are the invariants of `docs/reliability.md`. A breach stops the run with the seed and the packet. The books of
each node are followed by `books.py`, which shares no code with the ledger; here is what can be seen on the wire, and
what all nodes together must come to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from typing import Final, NamedTuple, final

from interledger.errors import DecodeError
from interledger.ilp.packet import Fulfill, Prepare, Reply, decode_packet
from interledger.ilp.peer import PEER_PREFIX
from interledger.sim.books import Books, BreachError, Packet
from interledger.sim.coverage import Coverage

__all__ = ["Asked", "Auditor", "BreachError", "Pair", "Port", "Station"]

WINDOW_MS: Final = 1_000
"""11: how much earlier the onward packet expires, at least."""

GRACE_MS: Final = 500
MARGIN_MS: Final = 300
"""8: a Fulfill is in time until so long after the onward expiry, and so long before the incoming one."""


@dataclass(slots=True)
class Port:
    """Where a node speaks with one counterpart. `key`: to what request ids belong; `repeats`: answers come again."""

    account: str
    """The name of the counterpart's account in the books."""
    key: str
    repeats: bool = False
    local: bool = False


@dataclass(slots=True)
class Asked:
    """A Prepare that a node received, and what it answered."""

    port: Port
    request_id: int
    octets: bytes
    prepare: Prepare
    life: int
    answer: bytes | None = None
    loose: bool = False
    """The disk was broken, and this was not written down: a repetition after a restart is answered otherwise."""


class Pair(NamedTuple):
    """Two honest neighbours: `left` has the account `right_at_left` for the other one, and the reverse."""

    left: Station
    right_at_left: str
    right: Station
    left_at_right: str


@dataclass(slots=True)
class Station:
    """What the auditor knows of one node. `now`: the node's own clock, wrong as it may be."""

    name: str
    now: Callable[[], int]
    books: Books
    life: int = 0
    broken: bool = False
    """Its store fails: what it fulfills now is written nowhere."""
    asked: dict[tuple[str, int, int], Asked] = field(default_factory=dict)
    by_condition: dict[bytes, list[Asked]] = field(default_factory=dict)
    open: dict[tuple[str, int, int], Asked] = field(default_factory=dict)
    fulfilled_at: dict[bytes, int] = field(default_factory=dict)
    in_hand: set[bytes] = field(default_factory=set)
    unwritten: dict[bytes, Packet | None] = field(default_factory=dict)
    marks: list[tuple[bytes, str, str]] = field(default_factory=list)


@final
class Auditor:
    """`station` for each node, then `received` and `sent` for what passes its ports, `committed` for what it writes."""

    def __init__(self) -> None:
        self.stations: dict[str, Station] = {}
        self.pairs: list[Pair] = []
        self.coverage = Coverage()
        self.canaries: list[bytes] = []
        """26: octets that nobody but their owners may ever see."""
        self.first: BreachError | None = None
        self.at_end: list[Callable[[Auditor], None]] = []
        """Further checks, once all is quiet: for what is no packet, as settlements are (14, 15, 16)."""
        self.forbidden: set[bytes] = set()
        """27: conditions of packets of those who have no right to send any."""
        self.counts = {"fulfills": 0, "rejects": 0, "exposed": 0, "unwritten": 0}

    def station(self, name: str, now: Callable[[], int]) -> Station:
        """Watch one more node."""
        found = self.stations[name] = Station(name, now, Books(name))
        return found

    def _note(self, breach: BreachError) -> BreachError:
        """Remember the first: what is raised inside of a node may be caught there."""
        self.first = self.first or breach
        return breach

    # ------------------------------------------------------------------ what is written

    def committed(self, station: Station, records: bytes) -> None:
        """The node was told that these records are durable."""
        try:
            self._follow(station, records)
        except BreachError as breach:
            raise self._note(breach) from None

    def _follow(self, station: Station, records: bytes) -> None:
        for canary in self.canaries:
            if canary in records:
                raise BreachError(f"26 {station.name} wrote a secret into its journal")
        station.books.follow(records)
        for condition in self.forbidden:
            if condition in station.books.by_condition:
                raise BreachError(f"27 {station.name} has a packet of an intruder in its books")

    def restarted(self, station: Station, commits: list[bytes]) -> None:
        """All that a start finds: what was durable before it, and at most what was being written besides."""
        station.life += 1
        station.broken = False
        station.in_hand.clear()
        for asked in station.open.values():
            if not asked.port.repeats:
                asked.life = -1  # nobody can answer it any more
        station.open = {key: asked for key, asked in station.open.items() if asked.port.repeats}
        known = station.books.commits
        if commits[: len(known)] != known:
            raise BreachError(f"4 {station.name} lost {len(known)} commits or some of them: it finds {len(commits)}")
        for records in commits[len(known) :]:
            self.committed(station, records)

    # ------------------------------------------------------------------ what is said

    def received(self, station: Station, port: Port, request_id: int, octets: bytes) -> None:
        """ILP octets from the counterpart at `port`, with the request id of that port."""
        try:
            packet = decode_packet(octets)
        except DecodeError:
            return
        if isinstance(packet, Prepare):
            key = (port.key, 0 if port.repeats else station.life, request_id)
            if key in station.asked:
                return  # a repetition, or refused by the link
            asked = station.asked[key] = Asked(port, request_id, octets, packet, station.life)
            station.open[key] = asked
            station.by_condition.setdefault(packet.execution_condition, []).append(asked)
        elif isinstance(packet, Fulfill):
            condition = sha256(packet.fulfillment).digest()
            now = station.now()
            station.fulfilled_at.setdefault(condition, now)
            held = [p for p in self._packets(station, condition) if p.outcome == "held"]
            asked_for = station.by_condition.get(condition, ())
            in_time = all(now < p.expires_at + GRACE_MS for p in held) and all(
                now < asked.prepare.expires_at - MARGIN_MS and not asked.port.repeats for asked in asked_for
            )
            if held and in_time and len(asked_for) == 1:
                station.in_hand.add(condition)

    def _packets(self, station: Station, condition: bytes) -> list[Packet]:
        return station.books.by_condition.get(condition, [])

    def sent(self, station: Station, port: Port, request_id: int, octets: bytes) -> None:
        """ILP octets that leave the node at `port`."""
        try:
            self._sent(station, port, request_id, octets)
        except BreachError as breach:
            raise self._note(breach) from None

    def _sent(self, station: Station, port: Port, request_id: int, octets: bytes) -> None:
        for canary in self.canaries:
            if canary in octets:
                raise BreachError(f"26 {station.name} sent a secret to {port.account}")
        packet = decode_packet(octets)
        if isinstance(packet, Prepare):
            self._forwarded(station, port, packet)
        else:
            self._answered(station, port, request_id, octets, packet)

    def _forwarded(self, station: Station, port: Port, prepare: Prepare) -> None:
        if prepare.destination.startswith(PEER_PREFIX):
            return  # the node's own word to a neighbour
        condition = prepare.execution_condition
        asked = [
            one for one in station.by_condition.get(condition, ())
            if (one.prepare.destination, one.prepare.data) == (prepare.destination, prepare.data)
        ]  # fmt: skip
        if not asked:
            raise BreachError(f"11 {station.name} sent a packet to {prepare.destination} that it was not given so")
        if all(prepare.expires_at > one.prepare.expires_at - WINDOW_MS for one in asked):
            raise BreachError(f"11 {station.name} left itself less than {WINDOW_MS} ms to pass a Fulfill on")
        if prepare.amount and not port.local:
            held = [p for p in self._packets(station, condition) if p.outgoing == port.account]
            if not any(packet.amount_out == prepare.amount for packet in held):
                raise BreachError(f"17 {station.name} sent a Prepare over {prepare.amount} before its hold was written")

    def _answered(self, station: Station, port: Port, request_id: int, octets: bytes, reply: Reply) -> None:
        key = (port.key, 0 if port.repeats else station.life, request_id)
        asked = station.asked.get(key)
        if asked is None:
            raise BreachError(f"13 {station.name} answered a request at {port.account} that it never got there")
        if asked.answer is not None:
            if port.repeats and (asked.answer == octets or asked.loose or not asked.prepare.amount):
                return
            condition = asked.prepare.execution_condition.hex()
            raise BreachError(f"13 {station.name} answered a request at {port.account} twice: {condition}")
        asked.answer = octets
        packets = self._packets(station, asked.prepare.execution_condition)
        asked.loose = station.broken and (not packets or isinstance(reply, Fulfill))
        station.open.pop(key, None)
        if isinstance(reply, Fulfill):
            self.counts["fulfills"] += 1
            self._check_fulfill(station, asked, reply)
        else:
            self.counts["rejects"] += 1
            self._check_reject(station, asked)

    def _check_fulfill(self, station: Station, asked: Asked, fulfill: Fulfill) -> None:
        prepare = asked.prepare
        if prepare.destination.startswith(PEER_PREFIX):
            return
        condition = sha256(fulfill.fulfillment).digest()
        if condition != prepare.execution_condition:
            raise BreachError(f"7 {station.name} relayed a Fulfill that does not fit the condition")
        if station.fulfilled_at.get(condition, 0) >= prepare.expires_at:
            raise BreachError(f"9 {station.name} relayed a Fulfill that came after the packet had expired")
        station.in_hand.discard(condition)
        if not prepare.amount:
            return
        executed = [p for p in self._packets(station, condition) if p.outcome == "executed"]
        if not executed:
            if not station.broken:
                raise BreachError(
                    f"7 {station.name} relayed a Fulfill before its fulfillment was written: {condition.hex()}"
                )
            self.counts["unwritten"] += 1
            station.unwritten[condition] = next(iter(self._packets(station, condition)), None)
        elif all(packet.incoming != asked.port.account for packet in executed):
            raise BreachError(f"10 {station.name} relayed a Fulfill to {asked.port.account} and charged somebody else")

    def _check_reject(self, station: Station, asked: Asked) -> None:
        condition = asked.prepare.execution_condition
        if condition in station.in_hand and len(station.by_condition[condition]) == 1:
            raise BreachError(f"8 {station.name} had the fulfillment in time and rejected upstream: {condition.hex()}")
        executed = sum(packet.outcome == "executed" for packet in self._packets(station, condition))
        if not executed:
            return
        received = station.by_condition[condition]
        rejected = sum(one.answer is not None and one.answer[0] == 14 for one in received)
        if executed + rejected > len(received):
            raise BreachError(f"8 {station.name} had written the fulfillment and rejected upstream: {condition.hex()}")

    # ------------------------------------------------------------------ coverage

    def state_of(self, station: Station, condition: bytes) -> str:
        """Of the node's latest packet of that condition: see `coverage.STATES`."""
        packets = self._packets(station, condition)
        if not packets:
            return "deciding"
        return {"held": "in flight"}.get(packets[-1].outcome, "executed")

    def strike(self, station: Station, fault: str) -> None:
        """A fault hits a node: it meets every packet that has no answer yet."""
        self.coverage.events[fault] += 1
        for asked in station.open.values():
            if asked.prepare.amount and asked.life == station.life:
                condition = asked.prepare.execution_condition
                station.marks.append((condition, fault, self.state_of(station, condition)))

    def mark(self, station: Station, condition: bytes, fault: str, state: str) -> None:
        """A fault meets one packet of a node."""
        station.marks.append((condition, fault, state))

    def count_marks(self) -> None:
        """At the end: how the marked packets ended."""
        for station in self.stations.values():
            for condition, fault, state in station.marks:
                packets = self._packets(station, condition)
                self.coverage.cells[fault, state, packets[-1].outcome if packets else "never held"] += 1

    # ------------------------------------------------------------------ all nodes together

    def hops(self, pair: Pair) -> Iterator[tuple[Station, list[Packet], Station, list[Packet]]]:
        """Both directions of a pair, condition by condition: what the sending and the receiving side have of it."""
        for up, up_name, down, down_name in (pair, Pair(pair.right, pair.left_at_right, pair.left, pair.right_at_left)):
            conditions = {p.condition: None for p in up.books.packets.values() if p.outgoing == up_name}
            conditions |= {p.condition: None for p in down.books.packets.values() if p.incoming == down_name}
            for condition in conditions:
                yield (
                    up,
                    [p for p in self._packets(up, condition) if p.outgoing == up_name],
                    down,
                    [p for p in self._packets(down, condition) if p.incoming == down_name],
                )

    def check_hops(self, *, faultless: bool) -> None:
        """17: no hop is void on one side and posted on the other. 19: without a fault of nature nothing is exposed."""
        for pair in self.pairs:
            for up, sent, down, got in self.hops(pair):
                self._check_hop(up, sent, down, got, faultless)

    def _check_hop(self, up: Station, sent: list[Packet], down: Station, got: list[Packet], faultless: bool) -> None:
        posted_up, posted_down = _executed(sent), _executed(got)
        unknown_up = sum(packet.outcome == "unknown" for packet in sent)
        if posted_down > posted_up + unknown_up:
            raise BreachError(
                f"17 {down.name} was fulfilled by {up.name}'s packet, which says {_outcomes(sent)}: "
                f"{(got or sent)[0].condition.hex()}"
            )
        if posted_up > posted_down:
            condition = sent[0].condition
            if condition not in down.unwritten:
                raise BreachError(f"17 {up.name} owes {down.name} for a packet of which that one says {_outcomes(got)}")
        if posted_down > posted_up:
            self.counts["exposed"] += 1
            if faultless:
                raise BreachError(f"19 {up.name} is exposed to {down.name}, and neither of them nor the link failed")

    def check_sums(self) -> None:
        """18: after all unknown amounts are resolved and all losses corrected, the books of each pair agree."""
        for left, right_at_left, right, left_at_right in self.pairs:
            difference = left.books.net_of_packets(right_at_left) + right.books.net_of_packets(left_at_right)
            if difference:
                raise BreachError(f"18 {left.name} and {right.name} differ by {difference}")

    def check_quiet(self) -> None:
        """6, 28: nothing is held, nothing waits for an answer, when all is quiet."""
        for station in self.stations.values():
            if station.books.held:
                raise BreachError(f"28 {station.name} still holds {len(station.books.held)} packets")

        for check in self.at_end:
            check(self)

    def check_rate(self, sent: int, delivered: int, packets: int, minimum: Fraction) -> None:
        """20: a payment brings what its quote promised at least, whoever keeps too much on the way; each of its packets
        is rounded down."""
        if delivered + packets < sent * minimum:
            raise BreachError(f"20 a payment of {sent} brought {delivered}, its minimum is {float(minimum)} each")

    def check_payment(self, sent: int, maybe_sent: int, limit: int) -> None:
        """20: a sender never spends more than it was allowed, counting what may have been delivered."""
        if sent + maybe_sent > limit:
            raise BreachError(f"20 a payment sent {sent}, maybe {maybe_sent} more, of {limit}")

    def check_received(self, station: Station, account: str, total: int, *, exact: bool) -> None:
        """21: a receiver has counted what its account was credited with, and without crashes nothing besides."""
        fulfilled = sum(
            packet.amount_out
            for packet in station.books.packets.values()
            if packet.outgoing == account and packet.outcome == "executed"
        )
        if fulfilled > total or (exact and fulfilled != total):
            raise BreachError(f"21 {account} at {station.name} was credited {fulfilled} and counted {total}")

    def check_colluders(self, accounts: list[tuple[Station, str]]) -> None:
        """22: those who mean harm owe no more, together, than the credit they were given."""
        owed = sum(max(station.books.net(name) + station.books.unproven(name), 0) for station, name in accounts)
        granted = sum(station.books.highest.get(name, 0) for station, name in accounts)
        if owed > granted:
            raise BreachError(f"22 adversaries owe {owed} together, and were given credit for {granted}")


def _executed(packets: list[Packet]) -> int:
    return sum(packet.outcome == "executed" for packet in packets)


def _outcomes(packets: list[Packet]) -> str:
    return ", ".join(packet.outcome for packet in packets) or "nothing"
