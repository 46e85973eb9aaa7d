"""What the page takes for granted: names that it imports nowhere, and a node that is linked with alice by BTP."""

import json

from interledger.link.btp.messages import ContentType, ProtocolData
from interledger.link.btp.subprotocols import Answer, Refusal, SubprotocolRequest


class _Subprotocols:
    """Takes what `node.subprotocols` of the real one takes; tests/node/test_subprotocols.py has that at work."""

    def register(self, name: str, handler: object, account: str | None = None) -> None:
        assert name
        assert callable(handler)

    def set_settlement_hook(self, hook: object) -> None:
        assert callable(hook)

    async def send_message(self, account: str, entries: tuple[ProtocolData, ...]) -> tuple[ProtocolData, ...]:
        assert entries[0].data
        return ()

    async def send_transfer(self, account: str, amount: int, entries: tuple[ProtocolData, ...]) -> None:
        assert entries[0].data


class node:  # as the page calls it
    subprotocols = _Subprotocols()


async def paychan(request: SubprotocolRequest) -> Answer:
    return ()
