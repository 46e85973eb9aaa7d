"""What a person wants to know of each ILP error code beyond its name: usual reasons, and where to look."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["EXPLANATIONS", "Explanation"]


class Explanation(NamedTuple):
    """`see` and `connector` are commands of ours, or empty."""

    reasons: str
    see: str = ""
    connector: str = ""


EXPLANATIONS: Final[dict[str, Explanation]] = {
    "F00": Explanation("a program that makes packets has a fault; a test network's address on a live one"),
    "F01": Explanation("octets that are no packet; a program that makes packets has a fault", "ilp decode HEX"),
    "F02": Explanation(
        "a mistyped address; the receiver's node is off; a route was never announced, or was held back by a filter",
        "ilp route explain ADDRESS",
        "ilp route list --via PEER",
    ),
    "F03": Explanation("an amount that cannot be converted on the way; a receiver that wants another amount"),
    "F04": Explanation("the rate fell below what the sender allows; a node on the way takes more than was quoted"),
    "F05": Explanation("the packet was changed on the way; sender and receiver do not share the same secret"),
    "F06": Explanation("an address whose secret is not known any more; a payment that the receiver never asked for"),
    "F07": Explanation("the receiver's account was closed, or takes no money now"),
    "F08": Explanation(
        "the sender has not learned yet how large packets may be: it sends smaller ones from now on",
        "",
        "ilp account show ACCOUNT",
    ),
    "F99": Explanation("the receiver's program refused; in STREAM also: the answer to a test that moves no money"),
    "T00": Explanation("no exchange rate that is young enough; a fault in a node on the way", "", "ilp rate list"),
    "T01": Explanation(
        "the link from a node on the way to the next one is down", "ilp ping ADDRESS", "ilp account list"
    ),
    "T02": Explanation("too many packets wait for the next node's answer", "", "ilp status"),
    "T03": Explanation("a node on the way has too much to do, or cannot write its books", "", "ilp status"),
    "T04": Explanation(
        "a node on the way owes, or is owed, as much as it may; it passes once money is settled",
        "ilp balance",
        "ilp account list",
    ),
    "T05": Explanation("more packets in a minute than the account may send", "", "ilp account show ACCOUNT"),
    "T99": Explanation("the receiver's program refused for now"),
    "R00": Explanation("a node on the way was slow or is gone; a clock is wrong", "ilp ping ADDRESS"),
    "R01": Explanation("the packet was so small that nothing of it is left after conversion"),
    "R02": Explanation("the way is long, or a node on it wants much time; the sender's clock is behind"),
    "R99": Explanation("the receiver's program wants other conditions"),
}
