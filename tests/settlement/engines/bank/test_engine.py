"""The bank engine: a person agrees, a bank books, and only then money has moved."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from kit import call, two, until

from interledger.errors import SettingsError
from interledger.settlement.engine import SettlementEngine
from interledger.settlement.engine.shell import EngineProcess
from interledger.settlement.engines import find_engine, make_engine
from interledger.settlement.engines.bank import engine as bank

IBANS = {"left": "DE89370400440532013000", "right": "NL91ABNA0417164300"}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank, "LOOK_MS", 2)


def engine_of(place: Path, name: str) -> SettlementEngine:
    options = {"iban": IBANS[name], "name": f"{name} & sons", "directory": str(place / f"bank-{name}")}
    return make_engine(find_engine("bank"), options)


def value(root: ElementTree.Element, name: str) -> str:
    found = root.find(f".//{{*}}{name}")
    assert found is not None
    return found.text or ""


def statement(iban: str, sign: str, amount: str, number: str, purpose: str, *, status: str = "BOOK") -> str:
    return f"""<?xml version="1.0"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>S-{number}</Id>
<Acct><Id><IBAN>{iban}</IBAN></Id></Acct>
<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>{status}</Cd></Sts>
<AcctSvcrRef>REF-{number}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>{number}</EndToEndId></Refs>
<RmtInf><Ustrd>{purpose}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"""


async def asked(process: EngineProcess, amount: str) -> None:
    await call(process, "POST", "/accounts/peer/settlements", {"amount": amount, "scale": 9}, key=amount)
    await until(process.state.open_payments)


async def approved(process: EngineProcess) -> None:
    [payment] = process.state.open_payments()
    body = {"amount": str(payment.amount), "account": "peer"}
    assert (await call(process, "POST", f"/payments/{payment.id}/approve", body)).status == 200


async def test_from_a_balance_to_the_peers_bank(tmp_path: Path) -> None:
    out, left_in, right_in = (tmp_path / part for part in ("bank-left/out", "bank-left/in", "bank-right/in"))
    async with two(tmp_path, engine_of) as (left, right, _, right_node):
        await asked(left, "1234567891")
        assert list(out.iterdir()) == []  # nobody has agreed yet
        await approved(left)
        await until(lambda: list(out.glob("*.xml")))
        [path] = out.glob("*.xml")
        order = ElementTree.fromstring(path.read_bytes())  # noqa: S314  # we wrote it
        number, purpose = value(order, "EndToEndId"), value(order, "Ustrd")
        assert (value(order, "InstdAmt"), path.stem) == ("1.23", number)
        assert purpose == right.account("peer").details["ours"]
        assert left.state.open_payments()  # a file is not a payment
        (left_in / "a.xml").write_text(statement(IBANS["left"], "DBIT", "1.23", number, purpose, status="PDNG"))
        await until(lambda: not list(left_in.iterdir()))
        assert left.state.open_payments()
        (left_in / "b.xml").write_text(statement(IBANS["left"], "DBIT", "1.23", number, purpose))
        await until(lambda: not left.state.open_payments())
        for name in ("c.xml", "d.xml"):  # the same booking, in two statements
            (right_in / name).write_text(statement(IBANS["right"], "CRDT", "1.23", number, f"invoice {purpose} thanks"))
        await until(lambda: right_node.total and not list(right_in.iterdir()))
        assert right_node.total * 100 == 123
        assert len(right_node.credited) == 1


async def test_the_file_is_what_the_official_schema_allows(tmp_path: Path) -> None:
    sepaxml = pytest.importorskip("sepaxml")
    xmlschema = pytest.importorskip("xmlschema")
    async with two(tmp_path, engine_of) as (left, *_):
        await asked(left, "990000000")
        await approved(left)
        await until(lambda: list((tmp_path / "bank-left/out").glob("*.xml")))
    [path] = (tmp_path / "bank-left/out").glob("*.xml")
    schema = xmlschema.XMLSchema(Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd")
    schema.validate(str(path))


async def test_a_restart_writes_no_second_file(tmp_path: Path) -> None:
    out = tmp_path / "bank-left/out"
    async with two(tmp_path, engine_of) as (left, *_):
        await asked(left, "990000000")
        await approved(left)
        await until(lambda: list(out.glob("*.xml")))
        [path] = out.glob("*.xml")
        await until(lambda: (left.state.open_payments()[0].note or {}).get("written"))
    path.unlink()  # the operator has given it to the bank
    async with two(tmp_path, engine_of) as (left, *_):
        await asked(left, "990000000")
        (tmp_path / "bank-left/in/a.xml").write_text(statement(IBANS["left"], "DBIT", "0.99", path.stem, ""))
        await until(lambda: not left.state.open_payments())
        assert list(out.iterdir()) == []


async def test_a_peer_that_changes_its_account_is_not_believed(tmp_path: Path) -> None:
    async with two(tmp_path, engine_of) as (left, *_):
        card = {"name": "right", "iban": "FR1420041010050500013M02606", "bic": "", "reference": "ILP0123456789AB"}
        octets = {"Content_Type": "application/octet-stream"}
        answer = await call(left, "POST", "/accounts/peer/messages", json.dumps(card).encode(), **octets)
        assert answer.status == 400
        assert left.account("peer").details["iban"] == IBANS["right"]
        assert "Ask them yourself" in left.alarms[0]
        for wrong in (
            b"",
            b"{}",
            json.dumps(card | {"iban": "FR00"}).encode(),
            json.dumps(card | {"bic": "x"}).encode(),
        ):
            assert (await call(left, "POST", "/accounts/peer/messages", wrong, **octets)).status == 400


async def test_what_no_account_claims_is_told_once(tmp_path: Path) -> None:
    place = tmp_path / "bank-left/in"
    async with two(tmp_path, engine_of) as (left, _, node, _):
        for name in ("a.xml", "b.xml"):
            (place / name).write_text(statement(IBANS["left"], "CRDT", "5.00", "X1", "for the garden"))
        (place / "c.xml").write_text("<Document/>")
        await until(lambda: not list(place.iterdir()))
        assert [alarm.partition(":")[0] for alarm in left.alarms] == [
            "500 units came in with no account's reference",
            "c.xml is not read",
        ]
        assert node.credited == {}
    assert (tmp_path / "bank-left/refused/c.xml").exists()


@pytest.mark.parametrize("options", [{"iban": "DE00"}, {"name": ""}, {"bic": "x"}, {"asset": "euros"}])
def test_options_that_cannot_be_used(options: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        make_engine(find_engine("bank"), {"iban": IBANS["left"], "name": "left"} | options)
