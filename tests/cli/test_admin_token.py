"""`ilp token` against a real node: made for one use, shown once, refused beyond it."""

from __future__ import annotations

from typing import Any


def test_a_token_may_what_it_was_made_for(ilp: Any) -> None:
    made = ilp("token", "create", "grafana", "--may", "read", "--node", "hub")
    assert (made.code, "Token “grafana” may read (" in made.out) == (0, True)
    secret = made.out.split("\n\n")[1].strip()
    token_id = ilp("token", "list", "--node", "hub", "--json").json["items"][0]["id"]
    assert secret not in ilp("token", "list", "--node", "hub").out

    assert ilp("account", "list", "--node", "hub", "--auth", secret).code == 0
    refused = ilp("rate", "set", "USD=1", "EUR=1.2", "--node", "hub", "--auth", secret)
    assert refused.code == 6
    assert refused.err.splitlines() == [
        "✗ The token “grafana” may read, not operate.",
        "  Use one that may:  ilp context use NAME      Make one:  ilp token create --may operate",
    ]
    assert ilp("token", "revoke", token_id, "--node", "hub", "--yes").code == 0
    assert ilp("account", "list", "--node", "hub", "--auth", secret).code == 6
    unnamed = ilp("token", "create", "--may", "money", "--node", "hub")
    assert (unnamed.code, "Token “money” may read and move money (" in unnamed.out) == (0, True)
    assert ilp("token", "create", "x", "--may", "fly", "--node", "hub").code == 2
