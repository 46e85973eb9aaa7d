"""Invariant: any text is a stored document that is written and read the same, or a StoreError."""

from __future__ import annotations

from interledger.accounts.account import Account, AccountId, LinkSettings
from interledger.accounts.asset import Asset
from interledger.errors import StoreError
from interledger.ilp.address import Address
from interledger.store.documents import Kind, decode_document, encode_account, encode_document

LAYERS = ()
ACCOUNT = Account(
    id=AccountId("bob"),
    asset=Asset("USD", 9),
    ilp_address=Address("test.bob"),
    owes_us_max=2**63,
    link=LinkSettings(http_url="https://bob", btp_url="btp+wss://bob"),
)
SEEDS: tuple[bytes, ...] = (
    encode_document(encode_account(ACCOUNT)).encode(),
    encode_document({"rates": {"EUR": "1.08"}, "list": [1, None, True]}).encode(),
    b'{"version":1,"sealed":"AAAA"}',
)


def check(octets: bytes) -> None:
    text = octets.decode("utf-8", "replace")
    for kind in (Kind.FACT, Kind.ACCOUNT):
        try:
            found = decode_document(kind, "it", text)
        except StoreError:
            continue
        body = encode_account(found) if kind == Kind.ACCOUNT else found
        assert decode_document(kind, "it", encode_document(body)) == found


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
