"""The simulator is as strict as the ledger is: what each transaction does there, and the word for why it does not."""

from __future__ import annotations

from typing import Any

import pytest
from xrpl.core.binarycodec import encode, encode_for_signing

from interledger.settlement.engines.xrp.sim_ledger import BASE_FEE, GENESIS, RESERVE, SimLedger
from tests.support.xrp import XRP, Somebody

CLOSE, RENEW = 0x2_0000, 0x1_0000
T0 = 800_000_000


@pytest.fixture
def ledger() -> SimLedger:
    return SimLedger(T0)


def drops_in(ledger: SimLedger) -> int:
    """All there is, channels included; fees are destroyed."""
    state = ledger.validated
    held = sum(int(one["Amount"]) - int(one["Balance"]) for one in state.channels.values())
    return held + sum(int(one["Balance"]) for one in state.accounts.values())


def test_a_channel_is_opened_topped_up_claimed_from_and_closed(ledger: SimLedger) -> None:
    all_of_it = drops_in(ledger)
    alice, bob = Somebody(ledger, 1), Somebody(ledger, 2)
    channel = alice.open(bob.address)
    assert alice.transact("PaymentChannelFund", Channel=channel, Amount=str(XRP)) == "tesSUCCESS"
    assert ledger.validated.channels[channel]["Amount"] == str(11 * XRP)
    claim = alice.claim(channel, 3 * XRP)
    fields = {"Channel": channel, "Balance": str(3 * XRP), "Amount": str(3 * XRP)}
    signed = {**fields, "Signature": claim.signature.hex().upper(), "PublicKey": alice.key.public}
    assert bob.transact("PaymentChannelClaim", **signed) == "tesSUCCESS"
    assert bob.balance == 1_003 * XRP - BASE_FEE
    assert bob.transact("PaymentChannelClaim", **signed) == "tecUNFUNDED_PAYMENT"  # the same again
    assert alice.transact("PaymentChannelClaim", Channel=channel, Flags=CLOSE) == "tesSUCCESS"
    assert ledger.validated.channels[channel]["Expiration"] == ledger.closed_at - 4 + 3_600
    assert alice.transact("PaymentChannelClaim", Channel=channel, Flags=RENEW) == "tesSUCCESS"
    assert "Expiration" not in ledger.validated.channels[channel]
    assert bob.transact("PaymentChannelClaim", Channel=channel, Flags=CLOSE) == "tesSUCCESS"
    assert channel not in ledger.validated.channels
    assert alice.balance == 997 * XRP - 4 * BASE_FEE
    assert drops_in(ledger) == all_of_it - 7 * BASE_FEE


def test_a_channel_that_has_expired_is_closed_by_whoever_touches_it(ledger: SimLedger) -> None:
    alice, bob = Somebody(ledger, 1), Somebody(ledger, 2)
    channel = alice.open(bob.address)
    assert alice.transact("PaymentChannelClaim", Channel=channel, Flags=CLOSE) == "tesSUCCESS"
    ledger.close(ledger.closed_at + 3_600)
    claim = alice.claim(channel, XRP)
    fields = {
        "Balance": str(XRP),
        "Amount": str(XRP),
        "Signature": claim.signature.hex(),
        "PublicKey": alice.key.public,
    }
    assert bob.transact("PaymentChannelClaim", Channel=channel, **fields) == "tesSUCCESS"
    assert channel not in ledger.validated.channels
    assert (bob.balance, alice.balance) == (1_000 * XRP - BASE_FEE, 1_000 * XRP - 2 * BASE_FEE)  # too late for bob


def other(seed: int) -> str:
    return Somebody(SimLedger(T0), seed, 0).address


CREATE = {"Amount": str(XRP), "SettleDelay": 3_600}


@pytest.mark.parametrize(
    ("kind", "fields", "result"),
    [
        ("PaymentChannelCreate", {"Amount": "0"}, "temBAD_AMOUNT"),
        ("PaymentChannelCreate", {"Destination": other(1)}, "temDST_IS_SRC"),
        ("PaymentChannelCreate", {"Destination": other(9)}, "tecNO_DST"),
        ("PaymentChannelCreate", {"Amount": str(1_000 * XRP)}, "tecUNFUNDED"),
        ("PaymentChannelCreate", {"CancelAfter": T0 - 1}, "tecEXPIRED"),
        ("PaymentChannelCreate", {"Fee": "9"}, "telINSUF_FEE_P"),
        ("PaymentChannelCreate", {"Sequence": 0}, "tefPAST_SEQ"),
        ("PaymentChannelCreate", {"Sequence": 50}, "terPRE_SEQ"),
        ("PaymentChannelCreate", {"LastLedgerSequence": 1}, "tefMAX_LEDGER"),
        ("PaymentChannelFund", {"Channel": "00" * 32, "Amount": "5"}, "tecNO_ENTRY"),
        ("PaymentChannelClaim", {"Channel": "00" * 32}, "tecNO_ENTRY"),
        ("PaymentChannelClaim", {"Channel": "00" * 32, "Flags": CLOSE | RENEW}, "temMALFORMED"),
        ("PaymentChannelClaim", {"Channel": "00" * 32, "Balance": "6", "Amount": "5"}, "temBAD_AMOUNT"),
        ("Payment", {"Amount": str(1_000 * XRP), "Destination": other(2)}, "tecUNFUNDED_PAYMENT"),
        ("Payment", {"Amount": str(RESERVE - 1), "Destination": other(9)}, "tecNO_DST_INSUF_XRP"),
        ("Payment", {"Amount": str(RESERVE), "Destination": other(9)}, "tesSUCCESS"),
        ("AccountSet", {}, "temUNKNOWN"),
    ],
)
def test_what_a_transaction_comes_to(ledger: SimLedger, kind: str, fields: dict[str, Any], result: str) -> None:
    alice, bob = Somebody(ledger, 1), Somebody(ledger, 2)
    common = {**CREATE, "Destination": bob.address, "PublicKey": alice.key.public} if "Create" in kind else {}
    before = alice.balance
    assert alice.transact(kind, **(common | fields)) == result
    paid = before - alice.balance - (int(fields["Amount"]) if result == "tesSUCCESS" else 0)
    assert paid == (BASE_FEE if result.startswith(("tes", "tec")) else 0)


def test_who_may_not_touch_a_channel(ledger: SimLedger) -> None:
    alice, bob, carol = Somebody(ledger, 1), Somebody(ledger, 2), Somebody(ledger, 3)
    channel = alice.open(bob.address)
    good = alice.claim(channel, XRP)

    def claimed(who: Somebody, **changes: Any) -> str:
        fields = {"Channel": channel, "Balance": str(XRP), "Amount": str(XRP), "PublicKey": alice.key.public}
        return who.transact("PaymentChannelClaim", **(fields | {"Signature": good.signature.hex()} | changes))

    assert carol.transact("PaymentChannelFund", Channel=channel, Amount="5") == "tecNO_PERMISSION"
    assert carol.transact("PaymentChannelClaim", Channel=channel, Flags=CLOSE) == "tecNO_PERMISSION"
    assert claimed(carol) == "tecNO_PERMISSION"
    assert bob.transact("PaymentChannelClaim", Channel=channel, Flags=RENEW) == "tecNO_PERMISSION"
    assert bob.transact("PaymentChannelClaim", Channel=channel, Balance="5", Amount="5") == "temBAD_SIGNATURE"
    assert claimed(bob, Signature=alice.claim(channel, 2 * XRP).signature.hex()) == "temBAD_SIGNATURE"
    assert claimed(bob, PublicKey=bob.key.public) == "temBAD_SIGNATURE"
    own = bob.claim(channel, XRP)
    assert claimed(bob, PublicKey=bob.key.public, Signature=own.signature.hex()) == "temBAD_SIGNER"
    more = alice.claim(channel, 11 * XRP)
    beyond = {"Balance": str(11 * XRP), "Amount": str(11 * XRP), "Signature": more.signature.hex()}
    assert claimed(bob, **beyond) == "tecUNFUNDED_PAYMENT"
    assert claimed(bob) == "tesSUCCESS"


def test_a_transaction_of_another_key_or_of_no_account(ledger: SimLedger) -> None:
    alice, nobody = Somebody(ledger, 1), Somebody(ledger, 8, 0)
    assert nobody.transact("Payment", Amount="5", Destination=alice.address) == "terNO_ACCOUNT"
    genesis = ledger.open.accounts[GENESIS]
    forged = {"TransactionType": "Payment", "Amount": "5", "Destination": alice.address, "Fee": "10"}
    whole = {**forged, "Account": GENESIS, "Sequence": genesis["Sequence"], "SigningPubKey": alice.key.public}
    signature = alice.key.sign(bytes.fromhex(encode_for_signing(whole))).hex()
    assert ledger.submit(encode({**whole, "TxnSignature": signature})).result == "tefBAD_AUTH"
    assert ledger.submit(encode({**whole, "TxnSignature": "00" * 64})).result == "temBAD_SIGNATURE"
    with pytest.raises(ValueError, match="no transaction"):
        ledger.submit("zz")


def test_nothing_is_valid_before_a_ledger_has_it_and_nothing_happens_twice(ledger: SimLedger) -> None:
    alice, bob = Somebody(ledger, 1), Somebody(ledger, 2)
    blob = alice.signed("Payment", Amount=str(XRP), Destination=bob.address)
    assert ledger.submit(blob).result == "tesSUCCESS"
    assert ledger.submit(blob).result == "tesSUCCESS"
    assert bob.balance == 1_000 * XRP
    ledger.close(T0 + 4)
    assert bob.balance == 1_001 * XRP
    assert ledger.submit(blob).result == "tefPAST_SEQ"
    ledger.close(T0 + 8)
    assert bob.balance == 1_001 * XRP
