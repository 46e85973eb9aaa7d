"""ISO 20022 camt.053: a bank's statement, of any version. Only booked entries are read: others may be undone.

The file comes from the operator's bank by the operator's hand, and is read as if it came from a stranger.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Final, NamedTuple

from interledger.accounts.asset import Asset, parse_amount
from interledger.errors import DecodeError, InvalidRequestError

__all__ = ["STATEMENT_OCTETS_MAX", "Booking", "read_camt053"]

STATEMENT_OCTETS_MAX: Final = 16 * 1024 * 1024
"""A day of a busy account: some 10,000 entries."""


class Booking(NamedTuple):
    """One movement. `event` names it for ever; `is_credit`: it came in; `id`: its EndToEndId; `text`: its purpose."""

    event: str
    is_credit: bool
    amount: int
    id: str
    text: str


def read_camt053(octets: bytes, iban: str, currency: Asset) -> list[Booking]:
    """The booked movements of the account. Raises `DecodeError` for anything that is not such a statement."""
    if len(octets) > STATEMENT_OCTETS_MAX:
        raise DecodeError(f"a statement has at most {STATEMENT_OCTETS_MAX} octets")
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DecodeError("the statement is not UTF-8") from None
    # Without a document type there are no entities, so nothing grows when it is read.
    if "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):
        raise DecodeError("the statement has a document type, which no bank's has")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  # see above
    except ElementTree.ParseError as error:
        raise DecodeError(f"the statement is not XML: {error}") from None
    if _name(root) != "Document" or ":camt.053." not in root.tag:
        raise DecodeError("this is not a camt.053 statement")
    try:
        return [one for statement in _all(root, "Stmt") for one in _of_statement(statement, iban, currency)]
    except InvalidRequestError as error:
        raise DecodeError(f"the statement cannot be read: {error}") from None


def _of_statement(statement: ElementTree.Element, iban: str, currency: Asset) -> Iterator[Booking]:
    if _text(statement, "Acct", "Id", "IBAN") != iban:
        return  # of another account of the operator
    statement_id = _text(statement, "Id")
    for number, entry in enumerate(_children(statement, "Ntry")):
        status = _text(entry, "Sts", "Cd") or _text(entry, "Sts")
        if status != "BOOK" or _text(entry, "RvslInd") == "true":
            continue
        details = list(_all(entry, "TxDtls")) or [entry]
        for place, one in enumerate(details):
            own = _text(one, "Refs", "AcctSvcrRef")
            shared = _text(entry, "AcctSvcrRef") or f"{statement_id}/{number}"
            yield Booking(
                event=own or f"{shared}/{place}",
                is_credit=_sign(one, entry) == "CRDT",
                amount=_amount(one if _child(one, "Amt") is not None else entry, len(details), currency),
                id=_text(one, "Refs", "EndToEndId"),
                text=" ".join(part.text or "" for part in _all(one, "Ustrd")),
            )


def _sign(details: ElementTree.Element, entry: ElementTree.Element) -> str:
    sign = _text(details, "CdtDbtInd") or _text(entry, "CdtDbtInd")
    if sign not in ("CRDT", "DBIT"):
        raise DecodeError("an entry does not say whether it is a credit or a debit")
    return sign


def _amount(place: ElementTree.Element, details: int, currency: Asset) -> int:
    found = _child(place, "Amt")
    if found is None or (details > 1 and _name(place) == "Ntry"):
        raise DecodeError("an entry of several movements does not say what each of them is")
    if found.get("Ccy") != currency.code:
        raise DecodeError(f"an entry is in {found.get('Ccy')}, the engine in {currency.code}")
    return parse_amount((found.text or "").strip(), currency.scale)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (child for child in element if _name(child) == name)


def _all(element: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (child for child in element.iter() if _name(child) == name)


def _child(element: ElementTree.Element, name: str) -> ElementTree.Element | None:
    return next(_children(element, name), None)


def _text(element: ElementTree.Element, *path: str) -> str:
    found: ElementTree.Element | None = element
    for name in path:
        found = None if found is None else _child(found, name)
    return "" if found is None else (found.text or "").strip()
