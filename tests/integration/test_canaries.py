"""J6: planted secrets are found nowhere but where they were planted.

A real node, a process of its own with the most talkative log, has a canary in every place where a secret can stand. It
pays, is paid, and is asked for all that goes wrong. Then everything it said and kept is searched: log, answers, error
pages, commands, its data directory, its command line.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from loopback import account, pointer, running, settings, until
from raw_peers import raw_btp

from interledger.accounts.account import LinkSettings, Relation, token_digest
from interledger.accounts.credentials import TokenUse
from interledger.api.app import all_operations
from interledger.link.btp.auth import auth_message
from interledger.link.http.egress import EgressPolicy
from interledger.link.http.fetch import Response, fetch
from interledger.node.node import Node

SEED = "ca11ab1e" * 8
CANARIES = {
    name: f"CANARY-{name}-0123456789abcdefghijklmnop"
    for name in (
        "admin", "alice-token", "bob-in", "bob-out", "btp-in", "btp-out", "jwt-in", "jwt-out", "guess", "child",
    )
}  # fmt: skip

CONFIG = """
ilp_address = "test.hub"
http_bind_address = "127.0.0.1:0"
data_dir = "data"
development = true
log_level = "debug"
log_format = "json"
admin_auth_token = "{admin}"
secret_seed = "{seed}"
[btp]
children = "kids"
[rates]
USD = "1"
[accounts.alice]
asset = "USD/9"
http_incoming_token = "{alice-token}"
[accounts.bob]
asset = "USD/9"
relation = "peer"
ilp_address = "test.bob"
owes_us_max = "100 USD"
http_url = "http://127.0.0.1:{port}/accounts/hub/ilp"
http_outgoing_token = "{bob-out}"
http_incoming_token = "{bob-in}"
[accounts.carl]
asset = "USD/9"
relation = "child"
btp_incoming_token = "{btp-in}"
[accounts.dora]
asset = "USD/9"
relation = "peer"
ilp_address = "test.dora"
btp_url = "ws://127.0.0.1:{port}/accounts/nobody/ilp/btp"
btp_outgoing_token = "{btp-out}"
[accounts.erin]
asset = "USD/9"
relation = "peer"
ilp_address = "test.erin"
http_url = "http://127.0.0.1:{port}/accounts/nobody/ilp"
http_incoming_jwt_secret = "{jwt-in}"
http_outgoing_jwt_secret = "{jwt-out}"
[accounts.kids]
asset = "USD/9"
relation = "child"
"""


class Hub:
    """The node under test, and all that was heard of it."""

    def __init__(self, place: Path, port: int) -> None:
        self.place = place
        self.port = port
        self.heard: list[tuple[str, bytes]] = []

    async def ask(self, method: str, path: str, body: Any = None, *, of: str = "admin", keep: bool = True) -> Response:
        """As the holder of the token `of`, or of none. `keep`: the answer is searched later."""
        headers = {"Authorization": f"Bearer {CANARIES[of]}"} if of else {}
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        answer = await fetch(
            method, f"http://127.0.0.1:{self.port}{path}", headers=headers, body=data,
            egress=EgressPolicy(development=True), limit_octets=1_000_000,
        )  # fmt: skip
        if keep:
            self.heard.append((f"{method} {path} as {of or 'nobody'}", answer.body))
        return answer

    async def command(self, *words: str) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "interledger", *words, cwd=self.place,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        assert out, words
        self.heard.append((f"ilp {' '.join(words)}", out))


@asynccontextmanager
async def hub_of(place: Path, bob: Node) -> AsyncIterator[Hub]:
    text = re.sub(r"\{([\w-]+)\}", lambda m: str({**CANARIES, "port": bob.port, "seed": SEED}[m[1]]), CONFIG)
    (place / "ilp.toml").write_text(text)
    (place / "ilp.toml").chmod(0o600)
    log = place / "log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-X", "dev", "-m", "interledger", "node", "run", cwd=place, stdout=out, stderr=out
        )
        try:
            await until((place / "data" / "node.json").exists, 30)
            port = int(json.loads((place / "data" / "node.json").read_text())["url"].rpartition(":")[2])
            hub = Hub(place, port)
            hub.heard.append(("process list", command_line(process.pid)))
            yield hub
        finally:
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 20)
    hub.heard.append(("log", log.read_bytes()))


def command_line(pid: int) -> bytes:
    """What everybody on the machine sees of a process."""
    place = Path(f"/proc/{pid}/cmdline")
    return place.read_bytes() if place.exists() else b""


def forms(secret: str) -> list[bytes]:
    """A secret as text, hex and base64: what a careless program could write."""
    raw = secret.encode()
    found = [raw, raw.hex().encode(), base64.b64encode(raw)[: 4 * (len(raw) // 3)]]
    return [*found, found[-1].replace(b"+", b"-").replace(b"/", b"_")]


async def wrong_things(hub: Hub) -> None:
    """Every kind of mistake, with a canary in it."""
    for token in ("", "guess", "alice-token"):  # few: wrong tokens are answered later and later
        for path in ("/api/accounts", "/api/accounts/bob", "/api/status", "/accounts/bob/ilp"):
            await hub.ask("GET", path, of=token)
    for path, token in (("bob", "guess"), ("bob", "bob-in"), ("erin", "jwt-in"), ("nobody", "bob-in")):
        await hub.ask("POST", f"/accounts/{path}/ilp", b"\x0c\x05wrong", of=token)
    bodies: list[tuple[str, str, Any]] = [
        ("PATCH", "/api/accounts/bob", {"link": {"http_outgoing_token": CANARIES["guess"] + " with space"}}),
        ("PATCH", "/api/accounts/bob", {"link": {"http_outgoing_token": 5, "btp_outgoing_token": CANARIES["guess"]}}),
        ("PATCH", "/api/accounts/bob", {"link": {"http_incoming_jwt_secret": CANARIES["guess"][:20]}}),
        ("PATCH", "/api/accounts/bob", {"link": {"btp_url": f"gopher://x:{CANARIES['guess']}@h/"}}),
        ("PATCH", "/api/accounts/carl", {"link": {"btp_url": f"btp+ws://hub:{CANARIES['guess']}@127.0.0.1:9/"}}),
        ("POST", "/api/accounts/bob/tokens", {"use": "http", "token": CANARIES["guess"][:9]}),
        ("POST", "/accounts", {"username": "x", "ilp_over_http_incoming_token": CANARIES["guess"]}),
        ("POST", "/api/accounts", {"id": "bob", "asset_code": "USD", "asset_scale": 9}),
        ("POST", "/api/peers/accept", {"invite": CANARIES["guess"]}),
        ("POST", "/api/payments", {"account": "alice", "receiver": "$127.0.0.1:9/x", "send": "1"}),
        ("POST", "/api/quotes", {"account": "alice", "receiver": "$u:p@h/", "send": "1"}),
        ("PUT", "/api/routes", b"{"),
    ]
    for method, path, body in bodies:
        await hub.ask(method, path, body)
    for username, token in (("carl", "guess"), ("", "child"), ("carl", "btp-in"), ("child-x", "child")):
        async with raw_btp(hub, "", None, "/btp") as peer:  # type: ignore[arg-type] # it has a port
            await peer.send(auth_message(9, username, CANARIES[token]))
            hub.heard.append((f"BTP as {username}", repr(await peer.receive()).encode()))


@pytest.mark.slow
async def test_J6_canaries_are_found_nowhere(tmp_path: Path) -> None:
    secrets: dict[str, str] = dict(CANARIES)
    async with running(settings("test.bob")) as bob:
        link = LinkSettings(http_incoming_token_digest=token_digest(CANARIES["bob-out"]))
        await bob.create_account(account("bob", "USD/9", "test.bob.bob"))
        await bob.create_account(account("hub", "USD/9", "test.hub", Relation.PEER, link))
        handed_out: list[bytes] = []
        new_connection = bob.wallets.new_connection
        bob.wallets.new_connection = lambda *of: _noted(new_connection(*of), handed_out)  # type: ignore[method-assign]
        async with hub_of(tmp_path, bob) as hub:
            back = LinkSettings(
                http_url=f"http://127.0.0.1:{hub.port}/accounts/bob/ilp",
                http_outgoing_token=CANARIES["bob-in"],
                http_incoming_token_digest=token_digest(CANARIES["bob-out"]),
            )
            await bob.replace_account(account("hub", "USD/9", "test.hub", Relation.PEER, back))
            body = {"account": "alice", "receiver": pointer(bob, "bob"), "send": "0.001 USD"}
            paid = json.loads((await hub.ask("POST", "/api/payments", body, of="alice-token")).body)
            assert paid["state"] == "delivered", paid
            back_paid = await bob.pay("bob", f"$127.0.0.1:{hub.port}/accounts/alice/spsp", send=10).done()
            assert back_paid.started_at
            # What is shown once, to the operator or to a payer, is a secret from then on.
            made = await hub.ask("POST", "/api/accounts/bob/tokens", {"use": TokenUse.HTTP.value}, keep=False)
            secrets["made token"] = json.loads(made.body)["token"]
            invite = await hub.ask(
                "POST", "/api/peers/invites", {"asset_code": "USD", "asset_scale": 9, "link": "http"}, keep=False
            )
            assert invite.status == 201, invite.body
            secrets["invitation"] = json.loads(invite.body)["invite"][-40:]
            named = await hub.ask("POST", "/api/tokens", {"label": "grafana", "may": ["read"]}, keep=False)
            secrets["named token"] = json.loads(named.body)["token"]
            hook = {"url": f"http://127.0.0.1:{bob.port}/hook", "private": True}
            hooked = await hub.ask("POST", "/api/webhooks", hook, keep=False)
            secrets["secret of a webhook"] = json.loads(hooked.body)["secret"]
            tried = f"/api/webhooks/{json.loads(hooked.body)['id']}"
            assert (await hub.ask("POST", f"{tried}/test", {})).status < 300
            login = await hub.ask("POST", "/api/logins", {}, keep=False)
            secrets["login"] = json.loads(login.body)["code"]
            assert (await hub.ask("GET", f"/ui/?code={secrets['login']}", of="", keep=False)).status == 200
            for path in (tried, f"{tried}/deliveries", "/api/webhooks", "/api/tokens", "/api/packets", "/api/settings"):
                assert (await hub.ask("GET", path)).status == 200, path
            for packet in json.loads((await hub.ask("GET", "/api/packets")).body)["items"]:
                await hub.ask("GET", f"/api/packets/{packet['condition']}")
            details = await hub.ask("GET", "/accounts/alice/spsp", of="", keep=False)
            secrets["SPSP of the hub"] = json.loads(details.body)["shared_secret"].rstrip("=")
            await wrong_things(hub)
            for operation in all_operations():
                if operation.method == "GET" and "spsp" not in operation.path and "pay" not in operation.path:
                    for name in ("bob", "erin", "alice"):
                        path = re.sub(r"\{account(:\w+)?\}", name, operation.path)
                        for token in ("admin", "alice-token"):  # who shows none was asked for one above
                            await hub.ask("GET", re.sub(r"\{\w+(:\w+)?\}", "x", path), of=token)
            for words in (("config", "show"), ("config", "check"), ("account", "list"), ("account", "show", "bob"),
                          ("account", "show", "erin", "--json"), ("account", "token", "list", "bob"), ("status",),
                          ("peer", "check", "bob"), ("payments",), ("token", "list"),
                          ("events", "list")):  # fmt: skip
                await hub.command(*words)
    secrets |= {f"SPSP {n}": base64.b64encode(s).decode() for n, s in enumerate(handed_out)}
    assert handed_out
    kept = [(str(path.relative_to(tmp_path)), path.read_bytes()) for path in (tmp_path / "data").rglob("*")]
    assert any(name.endswith("ledger.db") for name, _ in kept)
    found = [
        (name, where)
        for name, secret in (*secrets.items(), ("seed", SEED))
        for where, octets in (*hub.heard, *kept)
        if any(form in octets for form in forms(secret))
    ]
    assert found == []
    assert all(bytes.fromhex(SEED) not in octets for _, octets in (*hub.heard, *kept))
    log = dict(hub.heard)["log"].decode()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {"debug", "info"} & {line["level"] for line in lines}
    assert not any("error" in line for line in lines), log
    assert "Traceback" not in log, log


def _noted(details: Any, noted: list[bytes]) -> Any:
    noted.append(details.shared_secret)
    return details
