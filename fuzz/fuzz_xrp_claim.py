"""Invariant: any octets are a claim, a last claim, what a server says of itself, or a DecodeError; claims come back."""

from __future__ import annotations

from interledger.errors import DecodeError
from interledger.settlement.engines.xrp.claims import Claim, LastClaim, PeerInfo, claim_message, drops_of

LAYERS = ("xrp.claim",)
SEEDS: tuple[bytes, ...] = (
    b'{"amount":"0"}',
    b'{"address":"rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh","account":"test.hub.alice","currencyScale":9}',
)


def check(octets: bytes) -> None:
    for read in (LastClaim.decode, PeerInfo.decode):
        try:
            read(octets)
        except DecodeError:
            continue
    try:
        claim = Claim.decode(octets)
    except DecodeError:
        return
    assert claim.amount >= 0
    assert len(claim.signature) == 64
    assert Claim.decode(claim.encode()) == claim
    try:
        assert len(claim_message(bytes(32), drops_of(claim.amount, 9))) == 44
    except DecodeError:
        return


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
