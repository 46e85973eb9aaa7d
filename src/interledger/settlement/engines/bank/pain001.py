"""ISO 20022 pain.001.001.09: one credit transfer as the file that a bank takes."""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import escape

from interledger.accounts.asset import Asset, format_amount
from interledger.clock import Timestamp
from interledger.codec.timestamp import format_rfc3339

__all__ = ["Party", "Transfer", "encode_pain001"]


class Party(NamedTuple):
    """Whose account. `bic` may be empty: banks of one country find each other by IBAN."""

    name: str
    iban: str
    bic: str = ""


class Transfer(NamedTuple):
    """What the bank is to do. `id`: at most 35 characters, the same in the statement."""

    id: str
    payer: Party
    payee: Party
    amount: int
    currency: Asset
    reference: str
    made_at: Timestamp


def encode_pain001(transfer: Transfer) -> bytes:
    """The file. The same transfer is the same file, octet for octet."""
    moment = format_rfc3339(transfer.made_at)
    amount = format_amount(transfer.amount, transfer.currency, exact=True)
    payer, payee = transfer.payer, transfer.payee
    number = escape(transfer.id)
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">
  <CstmrCdtTrfInitn>
    <GrpHdr>
      <MsgId>{number}</MsgId>
      <CreDtTm>{moment}</CreDtTm>
      <NbOfTxs>1</NbOfTxs>
      <CtrlSum>{amount}</CtrlSum>
      <InitgPty><Nm>{escape(payer.name)}</Nm></InitgPty>
    </GrpHdr>
    <PmtInf>
      <PmtInfId>{number}</PmtInfId>
      <PmtMtd>TRF</PmtMtd>
      <NbOfTxs>1</NbOfTxs>
      <CtrlSum>{amount}</CtrlSum>
      <ReqdExctnDt><Dt>{moment[:10]}</Dt></ReqdExctnDt>
      <Dbtr><Nm>{escape(payer.name)}</Nm></Dbtr>
      <DbtrAcct><Id><IBAN>{payer.iban}</IBAN></Id></DbtrAcct>
      <DbtrAgt>{_agent(payer)}</DbtrAgt>
      <CdtTrfTxInf>
        <PmtId><InstrId>{number}</InstrId><EndToEndId>{number}</EndToEndId></PmtId>
        <Amt><InstdAmt Ccy="{transfer.currency.code}">{amount}</InstdAmt></Amt>
        <CdtrAgt>{_agent(payee)}</CdtrAgt>
        <Cdtr><Nm>{escape(payee.name)}</Nm></Cdtr>
        <CdtrAcct><Id><IBAN>{payee.iban}</IBAN></Id></CdtrAcct>
        <RmtInf><Ustrd>{escape(transfer.reference)}</Ustrd></RmtInf>
      </CdtTrfTxInf>
    </PmtInf>
  </CstmrCdtTrfInitn>
</Document>
"""
    return text.encode()


def _agent(party: Party) -> str:
    inside = f"<BICFI>{escape(party.bic)}</BICFI>" if party.bic else "<Othr><Id>NOTPROVIDED</Id></Othr>"
    return f"<FinInstnId>{inside}</FinInstnId>"
