"""`ilp webhook` against a real node: made, tried, looked at, sent again, ended."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from interledger.application.webhook_signature import verify
from interledger.clock import SystemClock


def test_from_create_to_delete(ilp: Any) -> None:
    hub = ("--node", "hub")
    assert ilp("webhook", "list", *hub).out == "  Nobody is told of events. Tell a program:  ilp webhook create URL\n"
    made = ilp("webhook", "create", "http://127.0.0.1:9/hook", "--private", "--event", "limit.near", *hub)
    assert (made.code, " sends limit.near to http://127.0.0.1:9/hook" in made.out) == (0, True)
    secret = made.out.split("\n\n")[1].strip()
    assert secret.startswith("whsec_")

    (hook,) = ilp("webhook", "list", *hub, "--json").json["items"]
    assert secret not in ilp("webhook", "list", *hub, "--json").out
    sent = ilp("webhook", "test", hook["id"], *hub, "-o", "json").json
    assert sent["type"] == "webhook.test"
    again = ilp("webhook", "replay", hook["id"], sent["id"], *hub)
    assert (again.code, again.out) == (0, f"✓ {sent['id']} is sent again.\n")
    shown = ilp("webhook", "deliveries", hook["id"], *hub)
    assert sent["id"] in shown.out
    assert ilp("webhook", "deliveries", hook["id"], *hub, "--state", "failed").out == "  Nothing was sent there.\n"
    gone = ilp("webhook", "delete", hook["id"], *hub, "--yes")
    assert gone.out == "✓ Nothing more is sent to http://127.0.0.1:9/hook.\n"


def test_what_cannot_be(ilp: Any) -> None:
    assert ilp("webhook", "create", "ftp://example.com", "--node", "hub").code == 2
    flying = ilp("webhook", "create", "https://example.com", "--event", "flying", "--node", "hub")
    assert (flying.code, "“flying” is no kind of event" in flying.err) == (2, True)
    for words in (("deliveries", "whk_none"), ("test", "whk_none"), ("delete", "whk_none", "--yes")):
        assert ilp("webhook", *words, "--node", "hub").code == 4
    tried = ilp("webhook", "create", "https://example.com", "--dry-run", "--node", "hub")
    assert (tried.code, "send events to https://example.com" in tried.out) == (0, True)


# ---------------------------------------------------------------------- listening


class Receiver(HTTPServer):
    """A program that somebody is writing: it keeps what came with a good signature, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.came: list[dict[str, Any]] = []
        self.status = 204
        self.url = f"http://127.0.0.1:{self.server_port}/ilp"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if verify(self.headers["Interledger-Signature"], "whsec_x", body, SystemClock().now()):
            self.server.came.append(json.loads(body) | {"delivery": self.headers["Interledger-Delivery"]})
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_program_is_sent_what_a_webhook_would_be(ilp: Any, receiver: Receiver) -> None:
    hub = ("--node", "hub")
    latest = ilp("events", "list", *hub, "-o", "json", "--limit", "1").json["items"][0]["id"]
    for words in (("create", "wendy", "--asset", "USD/9"), ("delete", "wendy", "--yes")):
        assert ilp("account", *words, *hub, "-q").code == 0
    listen = ("webhook", "listen", *hub, "--event", "account", "--since", str(latest), "--limit", "2")
    seen = ilp(*listen)
    assert (seen.code, len(seen.out.splitlines()), "wendy" in seen.out, "· account" in seen.out) == (0, 2, True, True)

    sent = ilp(*listen, "--forward-to", receiver.url, "--secret", "whsec_x")
    assert (sent.code, sent.out.count("✓ account"), sent.out.count("204 in ")) == (0, 2, 2)
    ids = ilp(*listen, "-o", "ndjson", "-q").out.split()
    assert [one["id"] for one in receiver.came] == ids
    assert latest < int(ids[0].removeprefix("evt_")) < int(ids[1].removeprefix("evt_"))
    assert len({one["delivery"] for one in receiver.came}) == 2
    assert receiver.came[0]["data"]["kind"] == receiver.came[0]["type"]

    receiver.status = 500
    refused = ilp(*listen, "--forward-to", receiver.url, "--secret", "whsec_x", "-o", "ndjson")
    assert [json.loads(line)["forwarded"]["status"] for line in refused.out.splitlines()] == [500, 500]
    nobody = ilp(*listen, "--forward-to", "http://127.0.0.1:9/")
    assert (nobody.out.count("✗ account"), "Signed with  whsec_" in nobody.err) == (2, True)
    assert ilp(*listen, "--forward-to", "ftp://x").code == 2
