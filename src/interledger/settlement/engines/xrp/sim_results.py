"""The results that the simulator of the XRP Ledger can give, with rippled's numbers and words for them."""

from __future__ import annotations

from typing import Final

__all__ = ["RESULTS"]

RESULTS: Final = {
    "tesSUCCESS": (0, "The transaction was applied. Only final in a validated ledger."),
    "tecUNFUNDED_PAYMENT": (104, "Insufficient XRP balance to send."),
    "tecNO_DST_INSUF_XRP": (125, "Destination does not exist. Too little XRP sent to create it."),
    "tecNO_DST": (124, "Destination does not exist. Send XRP to create it."),
    "tecUNFUNDED": (129, "Not enough XRP to satisfy the reserve requirement."),
    "tecNO_PERMISSION": (139, "No permission to perform requested operation."),
    "tecNO_ENTRY": (140, "No matching entry found."),
    "tecINSUFFICIENT_RESERVE": (141, "Insufficient reserve to complete requested operation."),
    "tecEXPIRED": (148, "Expiration time is passed."),
    "tefPAST_SEQ": (-190, "This sequence number has already passed."),
    "tefMAX_LEDGER": (-186, "Ledger sequence too high."),
    "tefBAD_AUTH": (-196, "Transaction's public key is not authorized."),
    "telINSUF_FEE_P": (-394, "Fee insufficient."),
    "temBAD_AMOUNT": (-298, "Malformed: Bad amount."),
    "temBAD_EXPIRATION": (-296, "Malformed: Bad expiration."),
    "temBAD_SIGNATURE": (-281, "Malformed: Bad signature."),
    "temBAD_SIGNER": (-272, "Malformed: No signer may duplicate account or other signers."),
    "temDST_IS_SRC": (-279, "Destination may not be source."),
    "temINVALID_FLAG": (-276, "The transaction has an invalid flag."),
    "temMALFORMED": (-299, "Malformed transaction."),
    "temUNKNOWN": (-264, "The transaction requires logic that is not implemented yet."),
    "terINSUF_FEE_B": (-99, "Account balance can't pay fee."),
    "terNO_ACCOUNT": (-96, "The source account does not exist."),
    "terPRE_SEQ": (-92, "Missing/inapplicable prior transaction."),
}
"""Number and words of each result, as rippled has them."""
