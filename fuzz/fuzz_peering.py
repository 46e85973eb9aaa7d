"""Invariant: octets are an invitation that is written and read alike, a document of the exchange, or a refusal."""

from __future__ import annotations

from hashlib import sha256

from interledger.application.peering.exchange import PeerEcho, RedeemAnswer, RedeemRequest
from interledger.application.peering.invitation import PREFIX, Invitation
from interledger.application.peering.rafiki import AutoPeeringError, PeeringAnswer, PeeringRequest, read_error
from interledger.errors import DecodeError, InvalidRequestError

LAYERS = ("peering.invitation",)
SEEDS: tuple[bytes, ...] = (
    b'{"version":1,"secret":"' + b"s" * 32 + b'","nonce":"' + b"n" * 32 + b'","name":"carol","address":"test.carol",'
    b'"token":"t","http_url":"https://carol.example/ilp"}',
    b'{"staticIlpAddress":"test.rafiki","ilpConnectorUrl":"https://rafiki.example","asset":{"code":"USD","scale":2},'
    b'"httpToken":"t","maxPacketAmount":null,"name":"Rafiki","tenantId":""}',
    b'{"now":"1","address":"test.hub","asset":"USD/9","round_trip_us":850,"code":null}',
)


def check(octets: bytes) -> None:
    check_invitation(octets.decode("utf-8", "replace"))
    # Behind the check sum too, which no chance passes.
    check_invitation(sealed(octets))
    for decode in (RedeemRequest.decode, RedeemAnswer.decode, PeerEcho.decode, PeeringAnswer.decode):
        try:
            found = decode(octets)
        except (DecodeError, InvalidRequestError):
            continue
        assert "http" not in repr(found) or "token=" not in repr(found)
    try:
        request = PeeringRequest.decode(octets)
    except AutoPeeringError:
        pass
    else:
        assert PeeringRequest.decode(request.encode()) == request
    kind, message = read_error(octets)
    assert kind.isprintable()
    assert message.isprintable()


def check_invitation(text: str) -> None:
    try:
        found = Invitation.decode(text)
    except InvalidRequestError:
        return
    assert Invitation.decode(found.encode()) == found
    assert found.secret not in repr(found)


def sealed(octets: bytes) -> str:
    from base64 import urlsafe_b64encode

    check_sum = sha256(PREFIX.encode() + octets).digest()[:4]
    return PREFIX + urlsafe_b64encode(octets + check_sum).rstrip(b"=").decode()


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
