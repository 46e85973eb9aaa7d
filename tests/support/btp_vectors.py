"""BTP's requests as vectors: who a client says it is, what a child is called, what a repetition is."""

from __future__ import annotations

from typing import Any

from interledger.accounts.request_journal import RequestJournal, Verdict
from interledger.errors import DecodeError
from interledger.link.btp.auth import auth_message, read_auth
from interledger.link.btp.messages import decode_btp
from interledger.node.children import name_of_token

__all__ = ["child_name", "read_first", "repetition", "write_first"]

AUTH_REQUEST_ID = 1


def read_first(octets: bytes, _: dict[str, Any]) -> dict[str, str | None]:
    username, token = read_auth(decode_btp(octets))
    return {"username": username, "token": token}


def write_first(value: dict[str, str], _: dict[str, Any]) -> bytes:
    return auth_message(AUTH_REQUEST_ID, value["username"] or "", value["token"]).encode()


def child_name(octets: bytes, _: dict[str, Any]) -> str:
    return name_of_token(octets.decode())


def repetition(octets: bytes, vector: dict[str, Any]) -> str:
    """What `octets` are to a peer of BTP/2.0-I that got `first` before."""
    journal = RequestJournal("peer")
    first = bytes.fromhex(vector["input"]["first"])
    journal.receive(first[1:5], first, 0, durable=False)
    journal.answer(first[1:5], b"the answer")
    verdict = journal.receive(octets[1:5], octets, 0, durable=False).verdict
    if verdict is Verdict.CONFLICT:
        raise DecodeError("F05")
    return {Verdict.ANSWERED: "same answer", Verdict.NEW: "another request"}[verdict]
