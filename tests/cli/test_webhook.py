"""`ilp webhook` against a real node: made, tried, looked at, sent again, ended."""

from __future__ import annotations

from typing import Any


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
