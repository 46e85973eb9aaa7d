"""peer.statement as the vectors of conformance/ have it."""

from __future__ import annotations

from typing import Any

from interledger.application.statement.messages import (
    Answer,
    AskItems,
    AskRange,
    AskTimes,
    Direction,
    Entry,
    Item,
    Items,
    ItemState,
    Later,
    Listed,
    Parts,
    Request,
    Summary,
    Times,
    Wanted,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)

__all__ = ["answer_from_value", "answer_to_value", "request_from_value", "request_to_value"]

Value = dict[str, Any]


def request_to_value(octets: bytes, _: Value) -> Value:
    request = decode_request(octets)
    value: Value = {"direction": request.direction.name.lower()}
    if isinstance(request, AskItems):
        items = [{"key": one.key.hex(), "expiresAt": str(one.expires_at)} for one in request.items]
        return {**value, "kind": "items", "items": items}
    value |= {"since": str(request.since), "until": str(request.until)}
    if isinstance(request, AskTimes):
        return {**value, "kind": "times", "width": str(request.width_ms)}
    return {**value, "kind": "range", "prefix": request.prefix.hex()}


def request_from_value(value: Value, _: Value) -> bytes:
    direction = Direction[value["direction"].upper()]
    request: Request
    if value["kind"] == "items":
        wanted = (Wanted(bytes.fromhex(one["key"]), int(one["expiresAt"])) for one in value["items"])
        request = AskItems(direction, tuple(wanted))
    elif value["kind"] == "times":
        request = AskTimes(direction, int(value["since"]), int(value["until"]), int(value["width"]))
    else:
        request = AskRange(direction, int(value["since"]), int(value["until"]), bytes.fromhex(value["prefix"]))
    return encode_request(request)


def _summary(one: Summary) -> Value:
    return {"number": one.number, "total": str(one.total), "digest": f"{one.digest:032x}"}


def answer_to_value(octets: bytes, _: Value) -> Value:
    answer = decode_answer(octets)
    if isinstance(answer, Later):
        return {"kind": "later", "after": answer.after_ms}
    if isinstance(answer, Times):
        times = [{"start": str(start), **_summary(one)} for start, one in answer.times]
        head = {"knownSince": str(answer.known_since), "assetScale": answer.asset_scale}
        return {"kind": "times", **head, "assetCode": answer.asset_code, "times": times}
    if isinstance(answer, Parts):
        return {"kind": "parts", "parts": [{"octet": octet, **_summary(one)} for octet, one in answer.parts]}
    if isinstance(answer, Listed):
        return {"kind": "listed", "entries": [{"key": one.key.hex(), "at": str(one.at)} for one in answer.entries]}
    items = [
        {
            "number": one.number,
            "state": int(one.state),
            "fulfillment": None if one.fulfillment is None else one.fulfillment.hex(),
        }
        for one in answer.items
    ]
    return {"kind": "items", "knownSince": str(answer.known_since), "items": items}


def _read_summary(value: Value) -> Summary:
    return Summary(value["number"], int(value["total"]), int(value["digest"], 16))


def answer_from_value(value: Value, _: Value) -> bytes:
    answer: Answer
    if value["kind"] == "later":
        answer = Later(value["after"])
    elif value["kind"] == "times":
        times = tuple((int(one["start"]), _read_summary(one)) for one in value["times"])
        answer = Times(int(value["knownSince"]), value["assetScale"], value["assetCode"], times)
    elif value["kind"] == "parts":
        answer = Parts(tuple((one["octet"], _read_summary(one)) for one in value["parts"]))
    elif value["kind"] == "listed":
        answer = Listed(tuple(Entry(bytes.fromhex(one["key"]), int(one["at"])) for one in value["entries"]))
    else:
        items = []
        for one in value["items"]:
            proof = None if one["fulfillment"] is None else bytes.fromhex(one["fulfillment"])
            items.append(Item(one["number"], ItemState(one["state"]), proof))
        answer = Items(int(value["knownSince"]), tuple(items))
    return encode_answer(answer)
