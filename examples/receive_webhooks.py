"""A program that a node tells of payments: it checks each signature, and takes each delivery once.

python examples/receive_webhooks.py
"""

import json
import sqlite3
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from interledger.application.webhook_signature import sign, verify
from interledger.clock import SystemClock

SECRET = "whsec_the-one-that-was-shown-when-the-webhook-was-made"  # noqa: S105  # an example

taken = sqlite3.connect(":memory:", check_same_thread=False)  # a file, in earnest
taken.execute("CREATE TABLE delivery (id TEXT PRIMARY KEY)")


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to what it took, now or before, and 403 to what nobody with the secret sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not verify(self.headers.get("Interledger-Signature", ""), SECRET, body, SystemClock().now()):
            self._answer(403)
            return
        with taken:  # what is done about it belongs into the same transaction
            new = taken.execute(
                "INSERT OR IGNORE INTO delivery VALUES (?)", (self.headers["Interledger-Delivery"],)
            ).rowcount
            if new:
                event = json.loads(body)
                print(event["type"], event["data"]["payment"])
        self._answer(204)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def send_as_a_node_does(port: int, secret: str) -> int:
    """What a node sends, for this example. Returns the status of the answer."""
    from http.client import HTTPConnection

    data = {"kind": "payment.finished", "payment": "pay_7QX4MM2K", "state": "delivered"}
    body = json.dumps({"id": "evt_1", "type": "outgoing_payment.completed", "data": data}).encode()
    headers = {
        "Interledger-Delivery": "dlv_1",
        "Interledger-Signature": sign(secret, body, SystemClock().now()),
    }
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


if __name__ == "__main__":
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        print([send_as_a_node_does(server.server_port, secret) for secret in (SECRET, SECRET, "another")])
        server.shutdown()
    taken.close()
