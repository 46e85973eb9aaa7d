# pragma version 0.4.3
# @license Apache-2.0
"""
@title Payment channels in one direction, of ether or an ERC-20 token
@notice
    The sender locks money for one receiver and signs claims off the chain, each for all that was paid so far. The receiver
    redeems the last one whenever it likes. The sender can begin to close; what nobody redeems within the channel's delay is
    the sender's again. The receiver can close at once. A channel is never opened twice, so an old claim stays worthless.
"""

from ethereum.ercs import IERC20


struct Channel:
    sender: address
    receiver: address
    token: address  # empty: ether
    delay: uint256  # seconds
    closes_at: uint256  # when the sender may take the rest; 0: nobody is closing
    deposit: uint256
    paid: uint256
    closed: bool


event Opened:
    id: indexed(bytes32)
    sender: indexed(address)
    receiver: indexed(address)
    deposit: uint256


event Deposited:
    id: indexed(bytes32)
    deposit: uint256


event Redeemed:
    id: indexed(bytes32)
    paid: uint256


event Closing:
    id: indexed(bytes32)
    closes_at: uint256


event Closed:
    id: indexed(bytes32)


channels: public(HashMap[bytes32, Channel])

DOMAIN: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
CLAIM: constant(bytes32) = keccak256("Claim(bytes32 channel,uint256 amount)")
NAME: constant(bytes32) = keccak256("Interledger payment channels")
VERSION: constant(bytes32) = keccak256("1")


@external
@payable
@nonreentrant
def open(receiver: address, token: address, delay: uint256, salt: bytes32, amount: uint256) -> bytes32:
    """
    @notice Open a channel. Its id is known before: keccak256(abi.encode(sender, receiver, token, delay, salt)).
    """
    id: bytes32 = keccak256(abi_encode(msg.sender, receiver, token, delay, salt))
    assert self.channels[id].sender == empty(address), "opened before"
    assert receiver != empty(address), "no receiver"
    assert delay < 2**64, "a delay without end"
    self.channels[id] = Channel(
        sender=msg.sender,
        receiver=receiver,
        token=token,
        delay=delay,
        closes_at=0,
        deposit=self._take(token, amount, msg.value),
        paid=0,
        closed=False,
    )
    log Opened(id=id, sender=msg.sender, receiver=receiver, deposit=self.channels[id].deposit)
    return id


@external
@payable
@nonreentrant
def deposit(id: bytes32, amount: uint256):
    """
    @notice Add money to a channel that is not closing.
    """
    channel: Channel = self.channels[id]
    assert channel.sender == msg.sender, "not the sender"
    assert channel.closes_at == 0 and not channel.closed, "closing"
    self.channels[id].deposit = channel.deposit + self._take(channel.token, amount, msg.value)
    log Deposited(id=id, deposit=self.channels[id].deposit)


@external
@nonreentrant
def redeem(id: bytes32, amount: uint256, signature: Bytes[65]):
    """
    @notice Pay the receiver what a claim over `amount`, all that was ever paid, is worth beyond what it had.
    """
    channel: Channel = self.channels[id]
    assert channel.receiver == msg.sender, "not the receiver"
    assert not channel.closed, "closed"
    assert amount > channel.paid, "nothing new"
    assert amount <= channel.deposit, "more than there is"
    assert self._signer(id, amount, signature) == channel.sender, "not the sender's signature"
    self.channels[id].paid = amount
    log Redeemed(id=id, paid=amount)
    self._give(channel.token, channel.receiver, amount - channel.paid)


@external
def start_close(id: bytes32):
    """
    @notice The sender wants the rest back. The receiver has `delay` seconds to redeem its last claim.
    """
    channel: Channel = self.channels[id]
    assert channel.sender == msg.sender, "not the sender"
    assert channel.closes_at == 0 and not channel.closed, "closing"
    self.channels[id].closes_at = block.timestamp + channel.delay
    log Closing(id=id, closes_at=self.channels[id].closes_at)


@external
@nonreentrant
def close(id: bytes32):
    """
    @notice Give the rest back to the sender: at once when the receiver says so, after the delay when the sender does.
    """
    channel: Channel = self.channels[id]
    assert channel.sender != empty(address), "no such channel"
    assert not channel.closed, "closed"
    if msg.sender != channel.receiver:
        assert msg.sender == channel.sender, "neither sender nor receiver"
        assert channel.closes_at != 0 and block.timestamp >= channel.closes_at, "too early"
    self.channels[id].closed = True
    log Closed(id=id)
    self._give(channel.token, channel.sender, channel.deposit - channel.paid)


@internal
def _take(token: address, amount: uint256, sent: uint256) -> uint256:
    # What arrived counts: some tokens keep a fee.
    if token == empty(address):
        assert sent == amount, "not the amount"
        return amount
    assert sent == 0, "this is no channel of ether"
    before: uint256 = staticcall IERC20(token).balanceOf(self)
    assert extcall IERC20(token).transferFrom(msg.sender, self, amount, default_return_value=True), "not transferred"
    return staticcall IERC20(token).balanceOf(self) - before


@internal
def _give(token: address, to: address, amount: uint256):
    if amount == 0:
        return
    if token == empty(address):
        raw_call(to, b"", value=amount)
    else:
        assert extcall IERC20(token).transfer(to, amount, default_return_value=True), "not transferred"


@view
@internal
def _signer(id: bytes32, amount: uint256, signature: Bytes[65]) -> address:
    assert len(signature) == 65, "not a signature"
    domain: bytes32 = keccak256(abi_encode(DOMAIN, NAME, VERSION, chain.id, self))
    claim: bytes32 = keccak256(abi_encode(CLAIM, id, amount))
    digest: bytes32 = keccak256(concat(b"\x19\x01", domain, claim))
    return ecrecover(
        digest,
        convert(slice(signature, 64, 1), uint256),
        convert(slice(signature, 0, 32), uint256),
        convert(slice(signature, 32, 32), uint256),
    )
