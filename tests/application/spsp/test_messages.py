"""SPSP's documents: what peers send and how it is read; hostile bodies; what we send."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interledger.application.spsp.messages import (
    CONTENT_TYPE,
    SpspResponse,
    Transport,
    build_error,
    build_response,
    decode_secret,
    describe_error,
    parse_cache_seconds,
    parse_response,
)
from interledger.errors import ResolveError
from interledger.ilp.address import Address

RFC_SECRET = "6jR5iNIVRvqeasJeCty6C+YB5X9FhSOUPCL/5nha5Vs="
"""RFC 9's example; the address beside it is example.ilpdemo.red.bob."""
SECRET = base64.b64decode(RFC_SECRET)
URL_SECRET = RFC_SECRET.replace("+", "-").replace("/", "_")

GOOD = {"destination_account": "example.ilpdemo.red.bob", "shared_secret": RFC_SECRET}
EXPECTED = SpspResponse(Address("example.ilpdemo.red.bob"), SECRET)


def body(**changes: object) -> bytes:
    """The RFC's answer with fields changed; None leaves one out."""
    return json.dumps({name: value for name, value in {**GOOD, **changes}.items() if value is not None}).encode()


@pytest.mark.parametrize("text", [RFC_SECRET, RFC_SECRET.rstrip("="), URL_SECRET, URL_SECRET.rstrip("=")])
def test_SP_07_four_flavours_of_base64(text: str) -> None:
    """Rafiki sends base64url without padding, interledger-rs base64 with."""
    assert decode_secret(text) == SECRET
    assert parse_response(CONTENT_TYPE, body(shared_secret=text)) == EXPECTED


BAD_SECRETS = [
    ("empty", "", "has 0 octets"),
    ("31 octets", base64.b64encode(bytes(31)).decode(), "has 31 octets"),
    ("33 octets", base64.b64encode(bytes(33)).decode(), "has 33 octets"),
    ("hex", "00" * 32, "has 48 octets"),
    ("both alphabets", "+-" + "A" * 41, "not base64"),
    ("line break at the end", RFC_SECRET + "\n", "not base64"),
    ("space within", " " + RFC_SECRET[1:], "not base64"),
    ("padding within", "=" + RFC_SECRET[1:], "not base64"),
    ("too much padding", RFC_SECRET + "=", "not base64"),
    ("one sign too many", "A" * 45, "not base64"),
    ("words", "not a secret at all", "not base64"),
    ("no ASCII", "é" * 43, "not base64"),
    ("long", "A" * 60_000, "not base64"),
]


@pytest.mark.parametrize(("name", "text", "reason"), BAD_SECRETS, ids=[row[0] for row in BAD_SECRETS])
def test_F4_bad_secrets(name: str, text: str, reason: str) -> None:
    with pytest.raises(ResolveError, match=reason):
        parse_response(CONTENT_TYPE, body(shared_secret=text))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/spsp4+json",
        "application/spsp4+json; charset=utf-8",
        "Application/SPSP4+JSON ;charset=utf-8",
        "application/json",
        "application/json; charset=utf-8",
    ],
)
def test_SPSP_3_older_content_types_are_stream(content_type: str) -> None:
    assert parse_response(content_type, body()) == EXPECTED


@pytest.mark.parametrize(
    ("content_type", "more", "transport"),
    [
        ("application/spsp+json", {}, Transport.PSK2),
        ("application/json", {"asset_info": {"code": "USD", "scale": 9}}, Transport.PSK2),
        ("application/json", {"balance": {"maximum": "100", "current": "5"}}, Transport.PSK2),
        ("application/json", {"receiver_info": {"name": "Bob"}}, Transport.PSK2),
        ("application/spsp4+json", {"receiver_info": {"name": "Bob"}}, Transport.STREAM),
        ("application/json", {"name": "Bob"}, Transport.STREAM),
    ],
)
def test_SPSP_3_transport(content_type: str, more: dict[str, object], transport: Transport) -> None:
    assert parse_response(content_type, body(**more)).transport is transport


@pytest.mark.parametrize("content_type", [None, "", "text/html", "text/html; charset=utf-8", "application/spsp5+json"])
def test_SPSP_2_other_content_types(content_type: str | None) -> None:
    with pytest.raises(ResolveError, match="not an SPSP answer"):
        parse_response(content_type, body())


def test_SPSP_2_open_payments_wallet_in_place_of_spsp() -> None:
    wallet = {
        "id": "https://wallet.example/alice",
        "assetCode": "USD",
        "assetScale": 2,
        "authServer": "https://auth.example",
        "resourceServer": "https://wallet.example",
    }
    with pytest.raises(ResolveError, match="Open Payments wallet address"):
        parse_response("application/json", json.dumps(wallet).encode())


def test_SP_04_unknown_fields_are_ignored() -> None:
    more = {"push": {"balance": "1"}, "pull": [], "name": None, "deep": [[[]]], "receipts_enabled": True}
    assert parse_response(CONTENT_TYPE, body(**more)) == SpspResponse(EXPECTED.destination_account, SECRET, True)


@pytest.mark.parametrize("value", [False, "true", 1, [], {}])
def test_receipts_only_where_true(value: object) -> None:
    assert not parse_response(CONTENT_TYPE, body(receipts_enabled=value)).receipts_enabled


BAD_ADDRESSES = [
    ("", "not an ILP address"),
    ("example", "not an ILP address"),
    ("example.", "not an ILP address"),
    ("example.bob\n", "not an ILP address"),
    ("spsp.example.bob", "not an ILP address"),
    ("https://example.com/bob", "not an ILP address"),
    ("example." + "a" * 1_020, "not an ILP address"),
    ("peer.settle", "next hop only"),
    ("peer.config", "next hop only"),
    ("self.bob", "own machine"),
]


@pytest.mark.parametrize(("text", "reason"), BAD_ADDRESSES)
def test_F4_bad_addresses(text: str, reason: str) -> None:
    with pytest.raises(ResolveError, match=reason) as caught:
        parse_response(CONTENT_TYPE, body(destination_account=text))
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


NETWORKS = [
    ("g.bob", "g.us.me", True),
    ("test.bob", "test.me", True),
    ("test1.bob", "test.me", True),
    ("private.bob", "private.me", True),
    ("local.bob", "local.host", True),
    ("g.bob", "test.me", False),
    ("test.bob", "g.me", False),
    ("private.bob", "g.me", False),
    ("example.bob", "g.me", False),
    ("g.bob", "private.me", False),
]


@pytest.mark.parametrize(("destination", "own", "fits"), NETWORKS)
def test_F4_wrong_scheme(destination: str, own: str, fits: bool) -> None:
    answer = body(destination_account=destination)
    if fits:
        assert parse_response(CONTENT_TYPE, answer, own_address=own).destination_account == destination
    else:
        with pytest.raises(ResolveError, match="another network"):
            parse_response(CONTENT_TYPE, answer, own_address=own)
    assert parse_response(CONTENT_TYPE, answer).destination_account == destination


HOSTILE = [
    ("empty", b""),
    ("a web page", b"<!doctype html><title>Hi</title>"),
    ("the RFC's own example, which is not JSON", body()[:-1] + b",\n}"),
    ("a list", b"[]"),
    ("a number", b"1"),
    ("null", b"null"),
    ("no fields", b"{}"),
    ("no secret", body(shared_secret=None)),
    ("no address", body(destination_account=None)),
    ("secret is a number", body(shared_secret=32)),
    ("secret is a list", body(shared_secret=[0] * 32)),
    ("secret is an object", body(shared_secret={"type": "Buffer", "data": [0] * 32})),
    ("address is a number", body(destination_account=1)),
    ("address is null", b'{"destination_account": null, "shared_secret": "%s"}' % RFC_SECRET.encode()),
    ("two addresses", body()[:-1] + b', "destination_account": "g.mallory"}'),
    ("NaN", body()[:-1] + b', "x": NaN}'),
    ("deep", body()[:-1] + b', "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
    ("long", body()[:-1] + b', "x": "' + b"a" * 65_536 + b'"}'),
    ("not UTF-8", body()[:-1] + b', "x": "\xff"}'),
    ("half a surrogate pair", body()[:-1] + b', "x": "\\ud800"}'),
    ("UTF-16", body().decode().encode("utf-16")),
]


@pytest.mark.parametrize(("name", "answer"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_F3_hostile_bodies(name: str, answer: bytes) -> None:
    for content_type in (CONTENT_TYPE, "application/json", "application/spsp+json"):
        with pytest.raises(ResolveError) as caught:
            parse_response(content_type, answer)
        assert len(str(caught.value)) < 400


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda more: body()[:40] + more + body()[40:]))
def test_any_octets_give_a_response_or_a_resolve_error(answer: bytes) -> None:
    try:
        response = parse_response(CONTENT_TYPE, answer, own_address="example.me")
    except ResolveError:
        return
    assert len(response.shared_secret) == 32
    assert response.destination_account.startswith("example.")


@given(st.binary(min_size=32, max_size=32), st.booleans())
def test_what_is_built_is_read(secret: bytes, receipts: bool) -> None:
    built = build_response(Address("g.bob"), secret, receipts_enabled=receipts)
    assert parse_response(CONTENT_TYPE, built) == SpspResponse(Address("g.bob"), secret, receipts)


def test_D_24_built_in_standard_base64_with_padding_and_no_more_fields_than_needed() -> None:
    assert json.loads(build_response(EXPECTED.destination_account, SECRET)) == GOOD


@pytest.mark.parametrize("length", [0, 31, 33])
def test_built_only_with_32_octets(length: int) -> None:
    with pytest.raises(ValueError, match="32 octets"):
        build_response(Address("g.bob"), bytes(length))


def test_SP_05_error_body() -> None:
    built = build_error("InvalidReceiverError", "Invalid receiver ID")
    assert json.loads(built) == {"id": "InvalidReceiverError", "message": "Invalid receiver ID"}
    assert describe_error(built) == "Invalid receiver ID"


ERROR_BODIES = [
    ("RFC 9", b'{"id": "InvalidReceiverError", "message": "Invalid receiver ID"}', "Invalid receiver ID"),
    ("error only", b'{"error": "no such user"}', "no such user"),
    ("id only", b'{"id": "InvalidPointerError", "message": 7}', "InvalidPointerError"),
    ("nothing useful", b'{"code": 404}', ""),
    ("plain text", b"Not Found\r\n", "Not Found"),
    ("JSON text", b'"gone"', "gone"),
    ("JSON number", b"404", "404"),
    ("JSON list", b"[1]", ""),
    ("web page", b"  <html>not found</html>", ""),
    ("broken JSON", b'{"message": ', ""),
    ("empty", b"", ""),
    ("terminal codes", b"\x1b[31mred\x07\n\ttext", "[31mred text"),
    ("not UTF-8", b"caf\xe9", "caf\ufffd"),
    ("long", b"a" * 500, "a" * 199 + "…"),
]


@pytest.mark.parametrize(("name", "answer", "said"), ERROR_BODIES, ids=[row[0] for row in ERROR_BODIES])
def test_SPSP_4_error_bodies_vary(name: str, answer: bytes, said: str) -> None:
    assert describe_error(answer) == said


CACHE = [
    (None, 0),
    ("", 0),
    ("no-cache", 0),
    ("no-cache, no-store", 0),
    ("max-age=60", 60),
    ("private, Max-Age=60", 60),
    ("max-age=60, no-cache", 0),
    ("max-age=0", 0),
    ("max-age=-1", 0),
    ("max-age=1_0", 0),
    ("max-age=６０", 0),
    ("max-age=999999999", 86_400),
    ("max-age=99999999999999", 0),
    ("s-maxage=60", 0),
]


@pytest.mark.parametrize(("header", "seconds"), CACHE)
def test_cache_control(header: str | None, seconds: int) -> None:
    assert parse_cache_seconds(header) == seconds


def test_the_secret_is_not_shown() -> None:
    assert repr(SECRET) not in repr(EXPECTED)
    assert "shared_secret" not in repr(EXPECTED)
