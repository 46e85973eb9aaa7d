"""The three ILPv4 packets (RFC 27): Prepare, Fulfill, Reject.

A packet that came off a wire keeps its octets: a connector patches 25 of them (amount and expiry) and passes the rest
on untouched, so that what belongs to the two ends leaves as it came (PK-05, PK-06).

Packets are values: never change a field of one. They are plain classes with slots, not frozen dataclasses, because a
connector makes several per packet and `frozen=True` would triple the price of each.
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError  # noqa: N812 (it is a class, whatever its name says)
from typing import Final, final

from interledger.clock import Timestamp
from interledger.codec.digest import sha256
from interledger.codec.oer import UINT64_MAX, encode_octets, read_fixed, read_length, read_octets
from interledger.codec.timestamp import decode_interledger_time, encode_interledger_time, known_texts, known_times
from interledger.errors import DecodeError, InvalidRequestError
from interledger.ilp.address import ADDRESS_LENGTH_MAX, Address, is_address, parse_address

__all__ = ["DATA_LENGTH_MAX", "Fulfill", "Packet", "Prepare", "Reject", "Reply", "decode_packet", "decode_reply"]

TYPE_PREPARE: Final = 12
TYPE_FULFILL: Final = 13
TYPE_REJECT: Final = 14

DATA_LENGTH_MAX: Final = 32_767
"""RFC 27: the data of every packet has at most 32767 octets (PK-03)."""

_PREPARE_HEAD: Final = Struct(">Q17s32sB")
"""amount, expiresAt, executionCondition, and the first octet of the destination's length."""

_read_prepare_head: Final = _PREPARE_HEAD.unpack_from

_pack_patch: Final = Struct(">Q17s").pack
"""amount, expiresAt: what a connector changes."""

_CACHED_ADDRESSES: Final = 65_536
"""Destinations seen and found valid; emptied at this many. A payment sends all its packets to one or two addresses."""

_addresses: dict[bytes, Address] = {}


@final
class Prepare:
    """A conditional transfer (type 12).

    `amount`: UInt64 in the units of the link it travels on. `expires_at`: ms UTC. `execution_condition`: 32 octets, the
    SHA-256 of the fulfillment. `destination`: an ILP address. `data`: at most 32,767 octets, for the receiver.
    """

    __slots__ = ("_body", "_octets", "amount", "data", "destination", "execution_condition", "expires_at")

    def __init__(
        self,
        amount: int,
        expires_at: Timestamp,
        execution_condition: bytes,
        destination: Address,
        data: bytes = b"",
        _octets: bytes | None = None,  # the packet as it is written, and where its fields begin there, when known
        _body: int = 0,
    ) -> None:
        self.amount = amount
        self.expires_at = expires_at
        self.execution_condition = execution_condition
        self.destination = destination
        self.data = data
        self._octets = _octets
        self._body = _body

    @staticmethod
    def decode(octets: bytes) -> Prepare:
        """Raises `DecodeError` when `octets` are not a Prepare."""
        # Nearly all packets have one shape: an address that was seen before, nothing behind the data. It is read here
        # in one pass without a call; what differs goes to `_decode_any`, which reads field by field and says why.
        try:
            total = len(octets)
            length = octets[1]
            if length == 0x82:
                body, whole = 4, (octets[2] << 8 | octets[3]) == total - 4 >= 256
            elif length == 0x81:
                body, whole = 3, octets[2] == total - 3 >= 128
            else:
                body, whole = 2, length == total - 2 < 128
            amount, expires_at, condition, length = _read_prepare_head(octets, body)
            ms = known_times[expires_at] if expires_at in known_times else decode_interledger_time(expires_at)
            stop: int = body + 58 + length
            destination = _addresses[octets[body + 58 : stop]]
            size: int = octets[stop]
            stop += 1
            if size == 0x82:
                size = octets[stop] << 8 | octets[stop + 1]
                stop += 2
                whole = whole and 256 <= size <= DATA_LENGTH_MAX
            elif size == 0x81:
                size = octets[stop]
                stop += 1
                whole = whole and size >= 128
            elif size >= 128:
                whole = False
            if not whole or octets[0] != TYPE_PREPARE or length >= 128 or stop + size != total:
                return Prepare._decode_any(octets)
        except (IndexError, KeyError, StructError):
            return Prepare._decode_any(octets)
        # `Timestamp(...)` is left out: the call of a NewType costs as much as the look-up.
        return Prepare(amount, ms, condition, destination, octets[stop:], octets, body)  # type: ignore[arg-type]  # see above

    @staticmethod
    def _decode_any(octets: bytes) -> Prepare:
        body, end = _open_envelope(octets, TYPE_PREPARE)
        try:
            amount, expires_at, condition, length = _PREPARE_HEAD.unpack_from(octets, body)
        except StructError:
            raise DecodeError(f"a Prepare is cut off: it ends at octet {len(octets)}") from None
        start = body + 58
        if length >= 128:
            length, start = read_length(octets, body + 57)
        stop = start + length
        destination = _addresses.get(octets[start:stop])
        if destination is None:
            destination = _new_destination(octets, start, stop)
        data, stop = _read_data(octets, stop)
        packet = Prepare(amount, Timestamp(decode_interledger_time(expires_at)), condition, destination, data)
        if stop == end == len(octets):
            packet._octets = octets
            packet._body = body
        elif stop > end:
            raise DecodeError("a Prepare is longer than its envelope")
        else:
            packet._octets, packet._body = _without_trailing(TYPE_PREPARE, octets[body:stop])
        return packet

    def encode(self) -> bytes:
        """The octets. Raises `InvalidRequestError` when a field cannot be written."""
        if self._octets is None:
            self._octets, self._body = self._encode()
        return self._octets

    def forwarded(self, amount: int, expires_at: int) -> Prepare:
        """The Prepare for the next link. Only amount (units of that link) and expiry (ms UTC) can differ (PK-05).

        Raises `InvalidRequestError` when one of the two cannot be written.
        """
        octets = self._octets or self.encode()
        body = self._body
        # RFC 27: "Connectors MUST NOT modify this field." The condition, so; the same of the data.
        try:
            patch = _pack_patch(amount, known_texts.get(expires_at) or encode_interledger_time(expires_at))
        except StructError:
            raise _not_an_amount(amount) from None
        return Prepare(
            amount,
            expires_at,  # type: ignore[arg-type]  # the call of a NewType, per packet
            self.execution_condition,
            self.destination,
            self.data,
            octets[:body] + patch + octets[body + 25 :],
            body,
        )

    def _encode(self) -> tuple[bytes, int]:
        if not 0 <= self.amount <= UINT64_MAX:
            raise _not_an_amount(self.amount)
        if len(self.execution_condition) != 32:
            raise InvalidRequestError("an execution condition has 32 octets", "execution_condition")
        parse_address(self.destination)
        content = b"".join(
            (
                _pack_patch(self.amount, encode_interledger_time(self.expires_at)),
                self.execution_condition,
                encode_octets(self.destination.encode("ascii")),
                _encode_data(self.data),
            )
        )
        return _without_trailing(TYPE_PREPARE, content)

    def _fields(self) -> tuple[object, ...]:
        return (self.amount, self.expires_at, self.execution_condition, self.destination, self.data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Prepare) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        return (
            f"Prepare(amount={self.amount}, expires_at={self.expires_at}, destination={self.destination!r},"
            f" execution_condition={self.execution_condition.hex()}, data=<{len(self.data)} octets>)"
        )


@final
class Fulfill:
    """The transfer was executed (type 13): 32 octets whose SHA-256 is the condition, and data for the sender."""

    __slots__ = ("_octets", "data", "fulfillment")

    def __init__(self, fulfillment: bytes, data: bytes = b"", _octets: bytes | None = None) -> None:
        self.fulfillment = fulfillment
        self.data = data
        self._octets = _octets

    @staticmethod
    def decode(octets: bytes) -> Fulfill:
        """Raises `DecodeError` when `octets` are not a Fulfill."""
        # The shape of nearly all of them: one octet for the length of the data and one or two for the envelope's.
        total = len(octets)
        if 34 < total < 130:
            body, whole = 2, octets[1] == total - 2
        elif 130 < total < 164:
            body, whole = 3, octets[1] == 0x81 and octets[2] == total - 3
        else:
            return Fulfill._decode_any(octets)
        stop = body + 32
        if not whole or octets[0] != TYPE_FULFILL or octets[stop] != total - stop - 1:
            return Fulfill._decode_any(octets)
        return Fulfill(octets[body:stop], octets[stop + 1 :], octets)

    @staticmethod
    def _decode_any(octets: bytes) -> Fulfill:
        body, end = _open_envelope(octets, TYPE_FULFILL)
        fulfillment, stop = read_fixed(octets, body, 32)
        data, stop = _read_data(octets, stop)
        packet = Fulfill(fulfillment, data)
        if stop == end == len(octets):
            packet._octets = octets
        elif stop > end:
            raise DecodeError("a Fulfill is longer than its envelope")
        else:
            packet._octets, _ = _without_trailing(TYPE_FULFILL, octets[body:stop])
        return packet

    def encode(self) -> bytes:
        """The octets. Raises `InvalidRequestError` when a field cannot be written."""
        if self._octets is None:
            if len(self.fulfillment) != 32:
                raise InvalidRequestError("a fulfillment has 32 octets", "fulfillment")
            self._octets = b"\x0d" + encode_octets(self.fulfillment + _encode_data(self.data))
        return self._octets

    def matches(self, execution_condition: bytes) -> bool:
        """Whether this fulfills `execution_condition`."""
        # RFC 27: "32-byte preimage of the executionCondition"
        return sha256(self.fulfillment).digest() == execution_condition

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fulfill) and (self.fulfillment, self.data) == (other.fulfillment, other.data)

    def __hash__(self) -> int:
        return hash((self.fulfillment, self.data))

    def __repr__(self) -> str:
        return f"Fulfill(fulfillment={self.fulfillment.hex()}, data=<{len(self.data)} octets>)"


@final
class Reject:
    """The transfer was not executed (type 14).

    `code`: three ASCII characters (see `ErrorCode`; others are possible). `triggered_by`: the address of the node that
    refused, as it was written, valid or not (D-04). `message`: for people. `data`: for the sender's program.
    """

    __slots__ = ("_octets", "code", "data", "message", "triggered_by")

    def __init__(self, code: str, triggered_by: str, message: str = "", data: bytes = b"") -> None:
        self.code = code
        self.triggered_by = triggered_by
        self.message = message
        self.data = data
        self._octets: bytes | None = None

    @staticmethod
    def decode(octets: bytes) -> Reject:
        """Raises `DecodeError` when `octets` are not a Reject. Lets odd addresses and broken UTF-8 through (PK-08)."""
        body, end = _open_envelope(octets, TYPE_REJECT)
        code, stop = read_fixed(octets, body, 3)
        triggered_by, stop = read_octets(octets, stop)
        message, stop = read_octets(octets, stop)
        data, stop = _read_data(octets, stop)
        if not code.isascii():
            raise DecodeError("the code of a Reject is not ASCII")
        packet = Reject(
            code.decode("ascii"), triggered_by.decode("utf-8", "replace"), message.decode("utf-8", "replace"), data
        )
        if stop == end == len(octets):
            packet._octets = octets
        elif stop > end:
            raise DecodeError("a Reject is longer than its envelope")
        else:
            packet._octets, _ = _without_trailing(TYPE_REJECT, octets[body:stop])
        return packet

    def encode(self) -> bytes:
        """The octets. Raises `InvalidRequestError` when a field cannot be written."""
        if self._octets is None:
            code = self.code.encode("ascii", "replace")
            if len(code) != 3:
                raise InvalidRequestError("the code of a Reject has 3 characters", "code")
            # Cut to a whole character: 8191 octets of UTF-8 (InterledgerProtocol.asn).
            message = self.message.encode("utf-8", "replace")[:8191].decode("utf-8", "ignore").encode("utf-8")
            triggered_by = encode_octets(self.triggered_by.encode("utf-8", "replace")[:ADDRESS_LENGTH_MAX])
            self._octets = b"\x0e" + encode_octets(
                code + triggered_by + encode_octets(message) + _encode_data(self.data)
            )
        return self._octets

    @property
    def is_final(self) -> bool:
        """Whether trying again unchanged is pointless: an F code (unknown codes count by their first letter)."""
        return self.code.startswith("F")

    def _fields(self) -> tuple[object, ...]:
        return (self.code, self.triggered_by, self.message, self.data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reject) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        return f"Reject({self.code!r}, {self.triggered_by!r}, {self.message!r}, data=<{len(self.data)} octets>)"


Reply = Fulfill | Reject
Packet = Prepare | Fulfill | Reject


def decode_packet(octets: bytes) -> Packet:
    """Any of the three. Raises `DecodeError` (unknown types too: PK-10)."""
    kind = octets[0] if octets else -1
    if kind == TYPE_PREPARE:
        return Prepare.decode(octets)
    return decode_reply(octets)


def decode_reply(octets: bytes) -> Reply:
    """A Fulfill or a Reject. Raises `DecodeError`."""
    kind = octets[0] if octets else -1
    if kind == TYPE_FULFILL:
        return Fulfill.decode(octets)
    if kind == TYPE_REJECT:
        return Reject.decode(octets)
    raise DecodeError(f"type {kind} is not an ILPv4 packet" if octets else "an empty packet")


def _open_envelope(octets: bytes, kind: int) -> tuple[int, int]:
    """Offset of the first octet inside the envelope, and of the first behind it."""
    if not octets or octets[0] != kind:
        raise DecodeError(f"type {kind} was expected" + (f", not {octets[0]}" if octets else ", nothing is there"))
    length, body = read_length(octets, 1)
    return body, body + length


def _without_trailing(kind: int, content: bytes) -> tuple[bytes, int]:
    """A packet that ends where its last known field ends, and the offset of its first field."""
    # RFC 30: "we require that implementations MUST ignore extra bytes at the end of the message" (PK-11). Ours drops
    # them; the fields that it knows leave as they came (PK-05, PK-06).
    octets = kind.to_bytes(1, "big") + encode_octets(content)
    return octets, len(octets) - len(content)


def _new_destination(octets: bytes, start: int, stop: int) -> Address:
    text = octets[start:stop]
    if stop > len(octets):
        raise DecodeError("the destination is cut off")
    if not text.isascii() or not is_address(text.decode("ascii")):
        raise DecodeError("the destination is not an ILP address")
    if len(_addresses) >= _CACHED_ADDRESSES:
        _addresses.clear()
    address = _addresses[text] = Address(text.decode("ascii"))
    return address


def _not_an_amount(amount: int) -> InvalidRequestError:
    return InvalidRequestError(f"the amount of a packet is between 0 and 2^64-1, not {amount}", "amount")


def _read_data(octets: bytes, offset: int) -> tuple[bytes, int]:
    data, offset = read_octets(octets, offset)
    if len(data) > DATA_LENGTH_MAX:
        raise DecodeError(f"the data of a packet has at most {DATA_LENGTH_MAX} octets, not {len(data)}")
    return data, offset


def _encode_data(data: bytes) -> bytes:
    if len(data) > DATA_LENGTH_MAX:
        raise InvalidRequestError(f"the data of a packet has at most {DATA_LENGTH_MAX} octets, not {len(data)}", "data")
    return encode_octets(data)
