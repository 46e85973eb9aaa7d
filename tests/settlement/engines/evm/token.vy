# pragma version 0.4.3
# @license Apache-2.0
"""
@title A token for tests: whoever deploys it has all of it; it keeps `fee` of each thousand that moves
"""
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
decimals: public(uint8)
fee: uint256

@deploy
def __init__(decimals: uint8, fee: uint256):
    self.decimals = decimals
    self.fee = fee
    self.balanceOf[msg.sender] = 10 ** 30

@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    return True

@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True

@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self.allowance[owner][msg.sender] -= amount
    self._move(owner, to, amount)
    return True

@internal
def _move(owner: address, to: address, amount: uint256):
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount - amount * self.fee // 1000
