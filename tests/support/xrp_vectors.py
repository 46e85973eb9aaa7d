"""XRP payment channels as the vectors of conformance/ have them."""

from __future__ import annotations

from typing import Any

from interledger.settlement.engines.xrp.claims import PROOF_TEXT, Claim, channel_id, channel_proof, claim_message
from interledger.settlement.engines.xrp.keys import account_octets

__all__ = ["claim", "claim_octets", "id_octets", "made_of", "message_octets", "proof_octets"]

Value = dict[str, Any]


def claim(octets: bytes, _: Value) -> Value:
    found = Claim.decode(octets)
    return {"amount": str(found.amount), "signature": found.signature.hex()}


def claim_octets(value: Value, _: Value) -> bytes:
    return Claim(int(value["amount"]), bytes.fromhex(value["signature"])).encode()


def message_octets(value: Value, _: Value) -> bytes:
    return claim_message(bytes.fromhex(value["channel"]), int(value["drops"]))


def proof_octets(value: Value, _: Value) -> bytes:
    return channel_proof(bytes.fromhex(value["channel"]), value["ilpAddress"])


def id_octets(value: Value, _: Value) -> bytes:
    return channel_id(account_octets(value["source"]), account_octets(value["destination"]), value["sequence"])


def made_of(octets: bytes, vector: Value) -> Value:
    """A function's result: what it was made of stands in the vector."""
    value: Value = vector["value"]
    make = {"xrp.claim_message": message_octets, "xrp.channel_id": id_octets}.get(vector["layer"], proof_octets)
    assert make(value, vector) == octets
    assert vector["layer"] != "xrp.channel_proof" or octets.startswith(PROOF_TEXT)
    return value
