"""`ilp account token` against a real node: made and shown once, listed, revoked."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def test_a_token_is_added_listed_and_revoked(ilp: Any) -> None:
    made = ilp("account", "token", "add", "alice", "--node", "hub", "--label", "spring")
    assert made.code == 0
    assert "Give it to the peer now: it is not kept." in made.out
    token_id = made.out.split("has token ")[1][:8]
    secret = made.out.split("\n\n")[1].strip()
    assert len(secret) == 43

    listed = ilp("account", "token", "list", "alice", "--node", "hub")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["btp_incoming_token", token_id]
    assert "spring" in listed.out
    assert secret not in listed.out
    shown = ilp("account", "token", "list", "alice", "--node", "hub", "--json").json["items"][1]
    assert (shown["id"], shown["use"], shown["label"]) == (token_id, "btp", "spring")

    asked = ilp("account", "token", "revoke", "alice", token_id, "--node", "hub")
    assert (asked.code, "nobody can be asked" in asked.err) == (2, True)
    revoked = ilp("account", "token", "revoke", "alice", token_id, "--node", "hub", "--yes")
    assert (revoked.code, f"Revoked {token_id}" in revoked.out) == (0, True)
    assert "has no token" in ilp("account", "token", "revoke", "alice", token_id, "--node", "hub", "--yes").err


def test_a_token_from_a_file(ilp: Any, tmp_path: Path) -> None:
    place = tmp_path / "token"
    place.write_text("a-token-that-the-peer-has-made-itself\n")
    made = ilp("account", "token", "add", "bob", "--node", "hub", "--token-file", str(place), "--json")
    assert made.json["use"] == "http"
    again = ilp("account", "token", "add", "bob", "--node", "hub", "--token-file", str(place))
    assert again.code != 0
    assert ilp("account", "token", "add", "bob", "--node", "hub", "--token-file", str(tmp_path / "none")).code == 2
    assert ilp("account", "token", "revoke", "bob", made.json["id"], "--node", "hub", "--yes", "-q").code == 0


def test_an_account_without_a_token_says_how_to_make_one(ilp: Any) -> None:
    listed = ilp("account", "token", "list", "bob", "--node", "bob")
    assert "ilp account token add bob" in listed.out
