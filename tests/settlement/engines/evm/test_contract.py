"""The contract's code is that of its source, and what Python makes for it is what it understands."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources

import pytest
from eth_account import Account

from interledger.settlement.engines.evm import contract
from interledger.settlement.engines.evm.contract import NO_TOKEN, channel_id, encode_call, sign_claim, signer_of

KEY = Account.from_key(b"\x01" * 32)
OTHER = Account.from_key(b"\x02" * 32)
FOLDER = resources.files("interledger.settlement.engines.evm")


@pytest.mark.slow
def test_the_code_is_that_of_the_source() -> None:
    pytest.importorskip("vyper")
    source = str(FOLDER.joinpath("channels.vy"))
    command = [sys.executable, "-W", "ignore", "-m", "vyper.cli.vyper_compile", "-f", "abi,bytecode", source]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    abi, code = made.strip().splitlines()
    shipped = json.loads(FOLDER.joinpath("channels.json").read_text(encoding="utf-8"))
    assert (json.loads(abi), code) == (shipped["abi"], shipped["bytecode"])


def test_calls_are_those_of_the_abi() -> None:
    shipped = json.loads(FOLDER.joinpath("channels.json").read_text(encoding="utf-8"))
    known = {
        f"{entry['name']}({','.join(field['type'] for field in entry['inputs'])})"
        for entry in shipped["abi"]
        if entry["type"] == "function"
    }
    assert known == {
        "open(address,address,uint256,bytes32,uint256)",
        "deposit(bytes32,uint256)",
        "redeem(bytes32,uint256,bytes)",
        "start_close(bytes32)",
        "close(bytes32)",
        "channels(bytes32)",
    }
    assert encode_call("transfer(address,uint256)", NO_TOKEN, 5).hex() == "a9059cbb" + "00" * 63 + "05"
    assert contract.contract_code()


def test_a_claim_has_one_signer_and_no_other_claim_has_its_signature() -> None:
    channel = channel_id(KEY.address, OTHER.address, NO_TOKEN, 1, bytes(32))
    signature = sign_claim(KEY, 1, NO_TOKEN, channel, 5)
    assert signer_of(1, NO_TOKEN, channel, 5, signature) == KEY.address
    for other in ((2, NO_TOKEN, channel, 5), (1, OTHER.address, channel, 5), (1, NO_TOKEN, bytes(32), 5),
                  (1, NO_TOKEN, channel, 6)):  # fmt: skip
        assert signer_of(*other, signature) != KEY.address
    assert signer_of(1, NO_TOKEN, channel, 5, bytes(65)) is None
