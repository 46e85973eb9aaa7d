"""How the vectors of HTTP requests are read and written here: whole requests of HTTP/1.1 as octets."""

from __future__ import annotations

from typing import Any

import httptools

from interledger.accounts.account import HttpForm
from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.packet import Fulfill, decode_packet, decode_reply
from interledger.link.http import forms
from interledger.link.http.heads import Request
from interledger.link.http.messages import ILP_BODY_MAX, failure_of_status, is_ilp_content_type, request_head
from interledger.link.http.requests import RequestReader
from interledger.link.http.urls import parse_url

__all__ = ["read_answer", "read_async", "read_oer", "write_async", "write_oer"]

Vector = dict[str, Any]


def _request(octets: bytes) -> Request:
    reader = RequestReader()
    requests = reader.receive(octets)
    if reader.refusal is not None or len(requests) != 1 or reader.in_message:
        raise DecodeError(f"not one whole request: {reader.refusal}")
    (request,) = requests
    if request.method != b"POST":
        raise DecodeError("another method")
    return request


def _packet(request: Request) -> str:
    if len(request.body) > ILP_BODY_MAX or not is_ilp_content_type(request.fields.get(b"content-type")):
        raise DecodeError("not an ILP body")
    decode_packet(request.body)
    return request.body.hex()


def read_oer(octets: bytes, _: Vector) -> dict[str, Any]:
    """`http_oer.request`."""
    request = _request(octets)
    target = forms.parse_target(request.path)
    if target is None:
        raise DecodeError("no path of HTTP-OER")
    if target.request_id is None:
        return {"protocolName": target.protocol, "requestId": None, "body": request.body.hex()}
    return {"protocolName": "ilp", "requestId": target.request_id.decode(), "body": _packet(request)}


def write_oer(value: dict[str, Any], vector: Vector) -> bytes:
    """As a node writes it that has `input`'s URL and token."""
    url, token = parse_url(vector["input"]["url"]), vector["input"]["token"]
    body = bytes.fromhex(value["body"])
    if value["requestId"] is None:
        head = request_head(url, token)
    else:
        head = forms.Heads(HttpForm.OER_ASYNC, url, token).prepare(value["requestId"].encode(), Timestamp(0))
    return b"%b%d\r\n\r\n%b" % (head, len(body), body)


def read_async(octets: bytes, _: Vector) -> dict[str, Any]:
    """`ilp_over_http.request`."""
    request = _request(octets)
    wire_id = forms.request_id(request.fields)
    if wire_id is None and b"request-id" in request.fields:
        raise DecodeError("no id that can be used")
    callback = forms.callback_url(request.fields)
    if callback is None and b"callback-url" in request.fields:
        raise DecodeError("no URL")
    packet = _packet(request)
    return {"requestId": wire_id and wire_id.decode(), "callbackUrl": callback, "packet": packet}


def write_async(value: dict[str, Any], vector: Vector) -> bytes:
    """As a node writes it that has `input`'s URL and token."""
    url, token = parse_url(vector["input"]["url"]), vector["input"]["token"]
    body = bytes.fromhex(value["packet"])
    if value["requestId"] is None:
        head = request_head(url, token)
    else:
        callback = None if value["callbackUrl"] is None else parse_url(value["callbackUrl"])
        heads = forms.Heads(HttpForm.ASYNC, url, token, callback)
        is_reply = isinstance(decode_packet(body), Fulfill)
        head = (heads.reply if is_reply else heads.prepare)(value["requestId"].encode(), Timestamp(0))
    return b"%b%d\r\n\r\n%b" % (head, len(body), body)


class _Answer:
    """What `httptools` reads, as `link.http.outgoing` does."""

    def __init__(self, octets: bytes) -> None:
        self.body = b""
        self.complete = False
        parser = httptools.HttpResponseParser(self)
        try:
            parser.feed_data(octets)
        except httptools.HttpParserError as error:
            raise DecodeError(str(error)) from None
        if not self.complete:
            raise DecodeError("it breaks off")
        self.status = parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


def read_answer(octets: bytes, vector: Vector) -> dict[str, Any]:
    """`http_oer.answer`, `ilp_over_http.answer`: the HTTP response to a Prepare."""
    answer, form = _Answer(octets), HttpForm(vector["input"]["form"])
    received = {HttpForm.ASYNC: 202, HttpForm.OER_ASYNC: 200}.get(form)
    if answer.status == 200 and (answer.body or received != 200):
        # An answer in the response counts in every form.
        return {"status": 200, "packet": decode_reply(answer.body).encode().hex(), "error": None}
    error = None if answer.status == received else str(failure_of_status(answer.status).code)
    return {"status": answer.status, "packet": None, "error": error}
