"""`ilp peer` against two real nodes, as two operators type it."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from interledger.accounts.asset import parse_asset
from interledger.api.app import create_app
from interledger.cli.main import run
from interledger.node.node import Node
from interledger.node.settings import Settings


class TwoNodes:
    """A hub that lets others in, and a newcomer, in a thread of their own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._main()))
        self.urls: dict[str, str] = {}

    def __enter__(self) -> TwoNodes:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    async def _main(self) -> None:
        common: dict[str, Any] = {
            "admin_auth_token": "admin",
            "secret_seed": bytes(32),
            "http_bind_address": "127.0.0.1:0",
            "durability": "memory",
            "development": True,
        }
        offers = {"auto_peering_enabled": True, "auto_peering_assets": {parse_asset("USD/2"): 5_000}}
        nodes = {
            "hub": Node(Settings(ilp_address="test.hub", **common, **offers)),
            "carol": Node(Settings(ilp_address="test.carol", **common)),
        }
        for name, node in nodes.items():
            await node.start(create_app(node))
            self.urls[name] = f"http://127.0.0.1:{node.port}"
        self._ready.set()
        await self._stop.wait()
        for node in nodes.values():
            await node.stop()


Ilp = Callable[..., Any]


@pytest.fixture(scope="module")
def nodes() -> Iterator[TwoNodes]:
    with TwoNodes() as both:
        yield both


@pytest.fixture
def ilp(nodes: TwoNodes, capsys: pytest.CaptureFixture[str]) -> Ilp:
    """`ilp(node, *args)` -> (code, out, err)"""

    def call(node: str, *args: str) -> tuple[int, str, str]:
        code = run(["peer", *args, "--node", nodes.urls[node], "--auth", "admin"], {})
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_an_invitation_is_made_shown_accepted_and_checked(ilp: Ilp) -> None:
    code, out, _ = ilp("hub", "invite", "--asset", "USD:9", "--max-balance", "100 USD", "--name", "carol")
    assert code == 0
    text = next(line.strip() for line in out.splitlines() if "ilpeer1:" in line)
    assert out.startswith("  Send this to carol over a channel you trust. It works once, until tomorrow")
    assert "carol may owe us at most 100.00 USD. We may owe carol at most 100.00 USD." in out
    assert "so it works on this machine only. Set  public_url" in out
    fingerprint = out.partition("Fingerprint ")[2].partition(":")[0]

    code, out, err = ilp("carol", "accept", text, "--dry-run")
    assert (code, out) == (0, "  Would accept this invitation.\n  Nothing was changed.\n")
    assert f"fingerprint {fingerprint}" in err
    assert "Relation  hub becomes our parent, and gives us our ILP address" in err
    assert "We may owe hub at most 100.00 USD; hub may owe us at most 100.00 USD" in err

    code, _, err = ilp("carol", "accept", text)
    assert (code, "Answer before:  --yes" in err) == (2, True)

    code, out, _ = ilp("carol", "accept", text, "--owes-us-max", "5 USD", "--yes")
    assert (code, out.splitlines()[0]) == (0, "✓ Account hub is there, and the link is good.")
    assert "  ✓ address    the parent calls us test.hub.carol (ILDCP)" in out
    assert "we may owe 100.00 USD at most, hub 5.00 USD; packets of any size" in out
    assert ilp("carol", "accept", text, "--yes")[0] == 0
    assert ilp("carol", "check", "hub")[1].startswith("✓ The link to hub is good.")
    code, out, _ = ilp("hub", "check", "carol")
    assert (code, "its view" in out) == (0, True)
    code, out, _ = ilp("hub", "invites")
    assert ("spent" in out, "account carol, today" in out) == (True, True)


def test_what_is_refused_says_why_and_what_to_do(ilp: Ilp) -> None:
    code, out, _ = ilp("hub", "invite", "--asset", "USD/9", "-q")
    text = out.strip()
    assert (code, text.startswith("ilpeer1:")) == (0, True)
    _, out, _ = ilp("hub", "invites", "-q")
    code, out, _ = ilp("hub", "invite", "--revoke", out.splitlines()[0])
    assert (code, out.startswith("✓ Revoked inv_")) == (0, True)
    code, _, err = ilp("carol", "accept", text, "--yes")
    assert (code, "✗" in err) == (1, True)
    for args, exit_code, words in (
        (("invite",), 2, "--asset is missing"),
        (("invite", "--asset", "USD/9", "--expires", "soon"), 2, "Write  30m  24h  or  7d"),
        (("invite", "--asset", "USD/9", "--max-balance", "5 EUR"), 2, "is in EUR, the account is in USD"),
        (("invite", "--revoke", "nothing"), 4, "There is no invitation “nothing”."),
        (("accept", text[:-3], "--yes"), 2, "This invitation is damaged"),
        (("accept", "hello", "--yes"), 2, "This is not an invitation"),
        (("check", "nobody"), 4, "nobody"),
    ):
        code, _, err = ilp("hub", *args)
        assert (code, words in err) == (exit_code, True), (args, err)


def test_an_invitation_without_limits_says_that_nothing_can_be_paid(ilp: Ilp) -> None:
    _, out, _ = ilp("hub", "invite", "--asset", "EUR/9", "--expires", "30m", "--relation", "peer")
    assert "Send this to the other node's operator" in out
    assert "The other node may owe us at most 0.00 EUR" in out
    assert "So nothing can be paid yet. Allow something:  --max-balance '100 EUR'" in out


def test_an_invitation_can_come_from_the_input(
    ilp: Ilp, nodes: TwoNodes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = ilp("hub", "invite", "--asset", "USD/9", "-q")
    monkeypatch.setattr("sys.stdin", io.StringIO(out))
    code, out, _ = ilp("carol", "accept", "-", "--dry-run")
    assert (code, "Nothing was changed." in out) == (0, True)


def test_a_rafiki_is_added_by_its_url(ilp: Ilp, nodes: TwoNodes) -> None:
    url = nodes.urls["carol"] + "/auto-peering"
    code, _, err = ilp("hub", "add", url, "--asset", "USD/2")
    assert (code, "takes no peers there: it answers with HTTP 404" in err) == (1, True)
    code, _, err = ilp("hub", "add", "http://127.0.0.1:1/", "--asset", "USD/2")
    assert (code, "cannot be reached" in err) == (1, True)
