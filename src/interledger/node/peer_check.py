"""Checks the link to a peer, as somebody who has just set it up wants to know it: question by question."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple, final

from interledger.accounts.account import Account, Relation
from interledger.accounts.asset import format_amount
from interledger.application.peering.exchange import PEER_DOCUMENT_OCTETS_MAX, PeerEcho
from interledger.application.peering.report import CheckItem, CheckReport, Verdict
from interledger.codec.oer import UINT64_MAX
from interledger.errors import DecodeError, LinkError
from interledger.ilp.error_codes import ErrorCode
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import fetch
from interledger.link.http.urls import parse_url
from interledger.node.views import PingResult

if TYPE_CHECKING:
    from interledger.node.node import Node

__all__ = ["ECHO_PATH", "PeerCheck", "answer_echo"]

ECHO_PATH: Final = "/api/peers/echo"

LINK_UP_MS: Final = 5_000
"""How long a link may take to come up: name, TCP, TLS, authentication."""

ECHO_TIMEOUT_MS: Final = 5_000
ECHO_TRIES: Final = 3
ECHO_PAUSE_MS: Final = 600
"""A link by HTTP that failed does not try again for a second, and a peer that has just started may meet that."""

SKEW_WARNING_MS: Final = 1_000
"""As much as a hop shortens an expiry by: with more, packets expire on the way (reliability J7)."""

SKEW_MAX_MS: Final = 5_000

_OWN_FAILURES: Final = frozenset(("T01", "T02", "R00", "F00"))
"""What our own end says when the peer was not reached; F00 when it does not take our token."""


class _Told(NamedTuple):
    """What the peer told, and when by our clock it did."""

    echo: PeerEcho
    skew_ms: int


@final
class PeerCheck:
    """One run over one account."""

    def __init__(self, node: Node, account: Account) -> None:
        self._node = node
        self._account = account
        self._items: list[CheckItem] = []

    async def run(self) -> CheckReport:
        """All questions. Never raises for what a peer does."""
        if not self._node.links.has_link(self._account):
            self._say("link", Verdict.FAILED, "no link is set: it has neither a URL nor a token of its own")
        elif await self._is_up():
            # Before the echo, which comes back to the address that the parent gives us.
            if self._account.relation is Relation.PARENT:
                await self._config()
            if await self._echo():
                await self._ask_peer()
        return CheckReport(self._account.id, tuple(self._items))

    def _say(self, name: str, verdict: Verdict, detail: str) -> None:
        self._items.append(CheckItem(name, verdict, detail))

    async def _is_up(self) -> bool:
        """The link. BTP proves the token too, because the other end closes where it is wrong; HTTP has to be tried."""
        node, link = self._node, self._account.link
        loop = asyncio.get_running_loop()
        start = loop.time()
        while not node.links.status(self._account).up and loop.time() - start < LINK_UP_MS / 1000:  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # what is waited for is any of several kinds of link
        status = node.links.status(self._account)
        if status.up:
            where = f"{status.kind}, called at {link.http_url}" if link.http_url else f"{status.kind} is up"
            peer = f", {link.btp_url}" if link.btp_url else ", the peer connects to us"
            self._say("link", Verdict.OK, where if link.http_url else where + peer)
            return True
        why = "does the other node run, is the token right?"
        if link.http_url is None and link.btp_url is None:
            why = "the peer has to connect to us, for we have no URL of it"
        self._say("link", Verdict.FAILED, f"{status.kind} is down: {why}")
        return False

    async def _echo(self) -> bool:
        """There and back. Whether the peer answered at all."""
        node, account = self._node, self._account
        try:
            result = await _ping(node, account)
        except TimeoutError:
            self._say("echo", Verdict.FAILED, f"no answer within {ECHO_TIMEOUT_MS // 1000} s")
            return False
        took = _ms(result.round_trip_ms)
        if result.code is None:
            self._say("echo", Verdict.OK, f"we → {account.id} → we in {took}")
            return True
        if _was_not_sent(node, result):
            self._say("echo", Verdict.FAILED, f"{result.message} ({result.code})")
            return False
        # A Rafiki knows no echo: that it refuses shows that it takes our token and our packets.
        said = f"{result.code} {result.message}".strip()
        self._say("echo", Verdict.WARNING, f"answers in {took}, but gives no echo ({said}), as Rafiki nodes do")
        return True

    async def _config(self) -> None:
        node, account = self._node, self._account
        try:
            async with asyncio.timeout(ECHO_TIMEOUT_MS / 1000):
                config = await node.requests.fetch_config(account.id)
        except (LinkError, TimeoutError) as error:
            self._say("address", Verdict.FAILED, str(error) or "the parent does not tell our address (ILDCP)")
            return
        if (config.asset_code, config.asset_scale) != account.asset:
            theirs = f"{config.asset_code}/{config.asset_scale}"
            self._say("asset", Verdict.FAILED, f"the parent counts in {theirs}, we in {account.asset}")
            return
        if config.address != node.address:
            await node.set_address(config.address)
        self._say("address", Verdict.OK, f"the parent calls us {config.address} (ILDCP)")

    async def _ask_peer(self) -> None:
        """The other direction, clocks and limits: what only the peer can tell."""
        try:
            told = await self._fetch_echo()
        except (LinkError, DecodeError) as error:
            self._say("its view", Verdict.SKIPPED, f"its echo, clock and limits cannot be asked from here: {error}")
            return
        echo = told.echo
        if echo.code is None and echo.round_trip_us is not None:
            self._say(
                "echo back", Verdict.OK, f"{self._account.id} → we → {self._account.id} in {_us(echo.round_trip_us)}"
            )
        else:
            self._say("echo back", Verdict.FAILED, f"its echo did not come back from us: {echo.code}")
        self._say_skew(told.skew_ms)
        self._say_limits(echo)

    def _say_skew(self, skew_ms: int) -> None:
        size = abs(skew_ms)
        verdict = Verdict.FAILED if size > SKEW_MAX_MS else Verdict.WARNING if size > SKEW_WARNING_MS else Verdict.OK
        if size < 50:
            self._say("clocks", verdict, "agree to 50 ms")
        else:
            side = "ahead of" if skew_ms > 0 else "behind"
            hint = "" if verdict is Verdict.OK else ". Packets may expire on the way: set both by NTP"
            self._say("clocks", verdict, f"{self._account.id} is {size} ms {side} us{hint}")

    def _say_limits(self, echo: PeerEcho) -> None:
        account = self._account
        if echo.asset != account.asset:
            text = f"{account.id} counts in {echo.asset}, we in {account.asset}: amounts would be wrong"
            self._say("asset", Verdict.FAILED, text)
            return
        self._say("asset", Verdict.OK, f"both count in {account.asset}")
        ours = None if account.packet_amount_max == UINT64_MAX else account.packet_amount_max
        packets = "packets of any size"
        if echo.packet_amount_max is not None or ours is not None:
            packets = (
                f"a packet of ours may have {self._money(echo.packet_amount_max)}, one of theirs {self._money(ours)}"
            )
        they_trust, we_trust = self._money(echo.owes_us_max), self._money(account.owes_us_max)
        text = f"we may owe {they_trust} at most, {account.id} {we_trust}; {packets}"
        nothing = echo.owes_us_max == 0 and account.owes_us_max == 0
        if nothing:
            text += ". Nothing can be paid before one of them is raised"
        self._say("limits", Verdict.WARNING if nothing else Verdict.OK, text)

    def _money(self, amount: int | None) -> str:
        asset = self._account.asset
        return "any amount" if amount is None else f"{format_amount(amount, asset)} {asset.code}"

    async def _fetch_echo(self) -> _Told:
        node, link = self._node, self._account.link
        base = base_of(link.http_url or link.btp_url)
        token = link.http_outgoing_token or link.btp_outgoing_token
        if base is None or token is None:
            raise LinkError("it calls us, not we it. It can run the same check")
        url = parse_url(base + ECHO_PATH)
        is_their_word = link.btp_public_only if link.http_url is None else link.http_public_only
        allowed = frozenset() if is_their_word else frozenset({url.authority})
        before = node.clock.now()
        response = await fetch(
            "POST",
            str(url),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            body=b"{}",
            timeout_ms=ECHO_TIMEOUT_MS + 3_000,
            limit_octets=PEER_DOCUMENT_OCTETS_MAX,
            egress=EgressPolicy(development=node.settings.development, allowed=allowed),
            tls=node.links.tls.client() if url.is_tls else None,
        )
        if response.status != 200:
            raise LinkError(f"it does not offer one (HTTP {response.status})")
        echo = PeerEcho.decode(response.body)
        after = node.clock.now()
        return _Told(echo, _skew(before, after, echo))


def _skew(before: int, after: int, echo: PeerEcho) -> int:
    """How far the peer's clock is ahead. It read it at the end of its own echo, half a way before `after`."""
    way = max(after - before - (echo.round_trip_us or 0) // 1000, 0) // 2
    return echo.now - (after - way)


async def _ping(node: Node, account: Account) -> PingResult:
    """An echo over the account's link; once more where our own end could not send it. Raises `TimeoutError`."""
    for _ in range(ECHO_TRIES - 1):
        result = await node.requests.ping(account.ilp_address, ECHO_TIMEOUT_MS, over=account.id)
        if result.code != ErrorCode.T01_PEER_UNREACHABLE or not _was_not_sent(node, result):
            return result
        await asyncio.sleep(ECHO_PAUSE_MS / 1000)
    return await node.requests.ping(account.ilp_address, ECHO_TIMEOUT_MS, over=account.id)


def _was_not_sent(node: Node, result: PingResult) -> bool:
    return result.code in _OWN_FAILURES and result.triggered_by in ("", node.address)


async def answer_echo(node: Node, account: Account) -> PeerEcho:
    """What we tell an account that checks its link to us: our own echo over it, our clock, its terms."""
    took: int | None = None
    try:
        result = await _ping(node, account)
        code = result.code
        took = int(result.round_trip_ms * 1000) if code is None else None
    except TimeoutError:
        code = "timeout"
    return PeerEcho(
        now=node.clock.now(),
        address=node.address,
        asset=account.asset,
        packet_amount_max=None if account.packet_amount_max == UINT64_MAX else account.packet_amount_max,
        owes_us_max=account.owes_us_max,
        we_owe_max=account.we_owe_max,
        round_trip_us=took,
        code=code,
    )


def base_of(url: str | None) -> str | None:
    """Where a node's HTTP API is, by the URL of its ILP or BTP endpoint; None where that tells nothing."""
    if url is None:
        return None
    if url.startswith("ws"):
        url = "http" + url.removeprefix("ws")
    head, slash, rest = url.partition("/accounts/")
    if slash and rest.partition("/")[2] in ("ilp", "ilp/btp"):
        return head
    for end in ("/ilp/btp", "/ilp"):
        if url.endswith(end):
            return url.removesuffix(end)
    return None


def _ms(milliseconds: float) -> str:
    return _us(int(milliseconds * 1000))


def _us(microseconds: int) -> str:
    return f"{microseconds // 1000}.{microseconds % 1000 // 100} ms"
