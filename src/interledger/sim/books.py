"""What the auditor makes of one node's journal: its own accounts, holds and outcomes, and invariants 1 to 6 and 12.

Nothing here is the node's: no ledger, no decoder, no rate of it. Breaches begin with the number of the invariant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from typing import Final, final

from interledger.sim.journal import Entry, read_journal

__all__ = ["BookAccount", "Books", "BreachError", "Packet"]

PEER: Final = "peer/"


class BreachError(AssertionError):
    """An invariant does not hold. The text begins with its number."""


@dataclass(slots=True)
class BookAccount:
    """One account, by the auditor's own addition."""

    name: str
    code: str
    scale: int
    debits: int = 0
    credits: int = 0
    debits_pending: int = 0
    credits_pending: int = 0

    @property
    def net(self) -> int:
        """Above zero: the counterpart owes this node."""
        return self.debits - self.credits


@dataclass(slots=True)
class Packet:
    """One packet of one node. `outcome`: held, executed, released or unknown; `resolved`: what became of an unknown."""

    number: int
    condition: bytes
    incoming: str
    outgoing: str
    amount_in: int
    amount_out: int
    expires_at: int
    remote: bool
    legs: tuple[tuple[int, int, int], ...]
    outcome: str = "held"
    resolved: str = ""
    fulfillment: bytes = b""


@dataclass(slots=True)
class Rates:
    """What whole units of each currency are worth at a node, and its spread; None: too old to be used."""

    values: dict[str, Fraction] | None
    spread: Fraction


@final
class Books:
    """`follow` what the node `name` has written, commit by commit."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.accounts: list[BookAccount] = []
        self.packets: dict[int, Packet] = {}
        self.by_condition: dict[bytes, list[Packet]] = {}
        self.held: dict[int, Packet] = {}
        self.unknown: dict[int, Packet] = {}
        self.claims: dict[int, tuple[BookAccount, int, bytes]] = {}
        """What peers do not count: of which account, how much, the fulfillment."""
        self.limits: dict[str, int | None] = {}
        """The most that each counterpart may owe; of accounts that are not here nothing is limited."""
        self.highest: dict[str, int] = {}
        """The highest limit that each ever had."""
        self.rates: list[Rates] = []
        """Those that a packet may have been converted by: the present ones, and those before until they are gone."""
        self.commits: list[bytes] = []
        self.counts = {"held": 0, "executed": 0, "released": 0, "unknown": 0}
        self._declared: dict[int, tuple[int, int]] = {}
        self._sums: dict[tuple[str, int], int] = {}

    def breach(self, number: str, text: str) -> BreachError:
        """To be raised."""
        return BreachError(f"{number} {self.name} {text}")

    # ------------------------------------------------------------------ what was written

    def follow(self, records: bytes) -> list[Packet]:
        """One commit. Returns the packets that have an outcome by it. Raises `BreachError`."""
        self.commits.append(records)
        try:
            entries = list(read_journal(records))
        except ValueError as error:
            raise self.breach("4", f"wrote what cannot be read: {error}") from error
        ended = []
        for entry in entries:
            packet = self._follow(entry)
            if packet is not None:
                ended.append(packet)
        for (code, scale), total in self._sums.items():
            if total:
                raise self.breach("1", f"says of all accounts in {code}/{scale} that they sum up to {total}")
        return ended

    def _follow(self, entry: Entry) -> Packet | None:
        match entry.kind:
            case "opened":
                self._opened(entry)
            case "held":
                self._held(entry)
            case "executed" | "released" | "gave up":
                return self._ended(entry)
            case "resolved":
                self._resolved(entry)
            case "evidence":
                self._proved(entry)
            case "set aside":
                self._claimed(entry)
            case "closed":
                self._closed(entry)
            case "posted":
                self._post(entry.legs, -1)
                self._post(entry.legs, 1)
            case "counters":
                self._compare(entry)
        return None

    def _opened(self, entry: Entry) -> None:
        if entry.number != len(self.accounts):
            raise self.breach("5", f"opened account {entry.number} after {len(self.accounts)} others")
        self.accounts.append(BookAccount(entry.name, entry.code, entry.scale))

    def _held(self, entry: Entry) -> None:
        legs = entry.legs
        if entry.number in self.packets:
            raise self.breach("5", f"used the number {entry.number} for two packets")
        self._check_legs(legs)
        for debited, credited, amount in legs:
            one, other = self.accounts[debited], self.accounts[credited]
            one.debits_pending += amount
            other.credits_pending += amount
            limit = self.limits.get(one.name)
            beside = 0 if limit is None else self.unproven(one.name)
            if limit is not None and one.debits + one.debits_pending - one.credits + beside > limit:
                raise self.breach("3", f"holds more of {one.name} than its limit of {limit}")
        source, target = legs[0][0], legs[-1][1]
        amount_in = sum(amount for debited, _, amount in legs if debited == source)
        packet = Packet(
            entry.number, entry.octets, self.accounts[source].name, self.accounts[target].name, amount_in, legs[-1][2],
            entry.expires_at, entry.remote, legs,
        )  # fmt: skip
        self._check_rate(packet, self.accounts[source], self.accounts[target])
        self.packets[entry.number] = self.held[entry.number] = packet
        self.by_condition.setdefault(entry.octets, []).append(packet)
        self.counts["held"] += 1

    def _check_legs(self, legs: Sequence[tuple[int, int, int]]) -> None:
        if not legs:
            raise self.breach("5", "holds a packet without legs")
        for debited, credited, _ in legs:
            if debited >= len(self.accounts) or credited >= len(self.accounts):
                raise self.breach("5", "uses an account that was never opened")
            one, other = self.accounts[debited], self.accounts[credited]
            if (one.code, one.scale) != (other.code, other.scale):
                raise self.breach("1", f"debits {one.name} in {one.code} and credits {other.name} in {other.code}")

    def _check_rate(self, packet: Packet, source: BookAccount, target: BookAccount) -> None:
        if not self.rates:
            return
        most = max((self._worth(rates, packet.amount_in, source, target) for rates in self.rates), default=-1)
        if packet.amount_out > most:
            what = (
                f"{packet.amount_out} {target.code}/{target.scale} for {packet.amount_in} {source.code}/{source.scale}"
            )
            raise self.breach("12", f"forwarded {what}: at most {most} are fair")

    def _worth(self, rates: Rates, amount: int, source: BookAccount, target: BookAccount) -> int:
        """What `amount` is worth at a node's rate and spread, rounded down; -1 where there is no rate."""
        rate = Fraction(10**target.scale, 10**source.scale)
        if source.code != target.code:
            if rates.values is None:
                return -1
            rate *= rates.values[source.code] / rates.values[target.code] * (1 - rates.spread)
        return int(amount * rate)

    def _ended(self, entry: Entry) -> Packet:
        packet = self.packets.get(entry.number)
        if packet is None:
            raise self.breach("5", f"gave an outcome to packet {entry.number}, which it never held")
        if packet.outcome != "held":
            raise self.breach("5", f"gave packet {entry.number} two outcomes: {packet.outcome}, then {entry.kind}")
        del self.held[entry.number]
        for debited, credited, amount in packet.legs:
            self.accounts[debited].debits_pending -= amount
            self.accounts[credited].credits_pending -= amount
        if entry.kind == "executed":
            if sha256(entry.octets).digest() != packet.condition:
                raise self.breach("7", f"executed packet {entry.number} without its fulfillment")
            packet.fulfillment = entry.octets
            self._post(packet.legs, 1)
        packet.outcome = "unknown" if entry.kind == "gave up" else entry.kind
        if packet.outcome == "unknown":
            self.unknown[packet.number] = packet
            self._suspend(packet, 1)
        self.counts[packet.outcome] += 1
        return packet

    def _post(self, legs: Sequence[tuple[int, int, int]], sign: int) -> None:
        """Posted for 1; for -1 only checked."""
        if sign < 0:
            self._check_legs(legs)
            return
        for debited, credited, amount in legs:
            self.accounts[debited].debits += amount
            self.accounts[credited].credits += amount

    def _suspend(self, packet: Packet, sign: int) -> None:
        """An unknown amount stands pending beside its account, against the losses."""
        target = self.accounts[packet.legs[-1][1]]
        suspense = self._find(f"{target.name}/suspense", target)
        loss = self._find(f"loss/{target.code}/{target.scale}", target)
        loss.debits_pending += sign * packet.amount_out
        suspense.credits_pending += sign * packet.amount_out

    def _find(self, name: str, like: BookAccount) -> BookAccount:
        for account in self.accounts:
            if account.name == name and (account.code, account.scale) == (like.code, like.scale):
                return account
        raise self.breach("5", f"uses {name}, which was never opened")

    def _resolved(self, entry: Entry) -> None:
        packet = self.unknown.pop(entry.number, None)
        if packet is None:
            raise self.breach("5", f"resolved item {entry.number}, which is not unknown")
        if packet.fulfillment and not entry.delivered:
            raise self.breach(
                "5", f"says of item {entry.number}, whose fulfillment it knows, that it was not delivered"
            )
        self._suspend(packet, -1)
        packet.resolved = "delivered" if entry.delivered else "not delivered"
        if entry.delivered:
            target = self.accounts[packet.legs[-1][1]]
            target.credits += packet.amount_out
            self._find(f"loss/{target.code}/{target.scale}", target).debits += packet.amount_out

    def _proved(self, entry: Entry) -> None:
        packet = self.unknown.get(entry.number)
        if packet is None or sha256(entry.octets).digest() != packet.condition:
            raise self.breach("5", f"keeps a proof of item {entry.number} that proves nothing")
        packet.fulfillment = entry.octets

    def _claimed(self, entry: Entry) -> None:
        """Out of what a peer owes; it was fulfilled for that peer, and is nobody's claim twice."""
        index, _, amount = entry.legs[0]
        account = self.accounts[index]
        packets = [p for p in self.by_condition.get(sha256(entry.octets).digest(), ()) if p.incoming == account.name]
        executed = sum(p.outcome == "executed" and p.amount_in == amount for p in packets)
        same = sum(claim == (account, amount, entry.octets) for claim in self.claims.values())
        if not account.name.startswith(PEER) or executed <= same or entry.number in self.claims:
            raise self.breach("5", f"sets aside a claim of {amount} on {account.name} for no packet that it fulfilled")
        account.credits += amount
        self._find(f"{account.name}/unproven", account).debits += amount
        self.claims[entry.number] = (account, amount, entry.octets)

    def _closed(self, entry: Entry) -> None:
        if entry.number not in self.claims:
            raise self.breach("5", f"closes the claim {entry.number}, which is not open")
        account, amount, _ = self.claims.pop(entry.number)
        self._find(f"{account.name}/unproven", account).credits += amount
        other = account if entry.delivered else self._find(f"loss/{account.code}/{account.scale}", account)
        other.debits += amount

    def unknown_of(self, name: str, *, proven: bool) -> int:
        """How many items sent to that peer are unknown, with a proof or without."""
        return sum(p.outgoing == name and bool(p.fulfillment) == proven for p in self.unknown.values())

    def unproven(self, name: str) -> int:
        """What that peer does not count: it goes on using its credit."""
        return sum(amount for account, amount, _ in self.claims.values() if account.name == name)

    def _compare(self, entry: Entry) -> None:
        """What the node says an account has come to: 4 by our addition, 2 never less than before, 1 in sum."""
        account = self.accounts[entry.number]
        if (account.debits, account.credits) != (entry.debits, entry.credits):
            raise self.breach("4", f"says of {account.name} {entry.debits}/{entry.credits}, it is {account.debits}/"
                                   f"{account.credits}")  # fmt: skip
        before = self._declared.get(entry.number, (0, 0))
        if entry.debits < before[0] or entry.credits < before[1]:
            raise self.breach("2", f"has posted less of {account.name} than before")
        self._declared[entry.number] = entry.debits, entry.credits
        key = (account.code, account.scale)
        change = entry.debits - before[0] - (entry.credits - before[1])
        self._sums[key] = self._sums.get(key, 0) + change

    # ------------------------------------------------------------------ what the node has in memory

    def compare_memory(self, accounts: Sequence[tuple[str, tuple[int, int, int, int]]]) -> None:
        """4: (name, the four counters) of every account of a node that has written all it decided."""
        if len(accounts) != len(self.accounts):
            raise self.breach("4", f"has {len(accounts)} accounts in memory, {len(self.accounts)} in the journal")
        for (name, found), own in zip(accounts, self.accounts, strict=True):
            counters = (own.debits, own.debits_pending, own.credits, own.credits_pending)
            if name != own.name or found != counters:
                raise self.breach("4", f"has {found} for {name} in memory, the journal makes {counters} of {own.name}")
            if min(found) < 0:
                raise self.breach("2", f"has a counter of {name} below zero: {found}")

    def check_age(self, now: int, slack_ms: int) -> None:
        """6: no hold outlives the expiry of its packet by more than the grace and `slack_ms`."""
        for packet in self.held.values():
            if packet.expires_at + slack_ms < now:
                raise self.breach(
                    "6", f"still holds packet {packet.number}, {now - packet.expires_at} ms after it expired"
                )

    def net_of_packets(self, name: str) -> int:
        """The same, without what settlements moved: debited to be settled, credited as it came in."""
        external = "external/" + name.removeprefix(PEER)
        debited = sum(account.credits for account in self.accounts if account.name == f"{name}/transit")
        return self.net(name) - debited + sum(account.debits for account in self.accounts if account.name == external)

    def net(self, name: str) -> int:
        """What that counterpart owes, over its assets."""
        return sum(account.net for account in self.accounts if account.name == name)
