"""Invariant: any request names an id that stands in a path or header as it is, a URL we could call, or neither."""

from __future__ import annotations

from interledger.link.http.forms import OWN_PROTOCOLS, callback_url, parse_target, request_id
from interledger.link.http.requests import RequestReader
from interledger.link.http.urls import parse_url

LAYERS = ("http_oer.request", "ilp_over_http.request")
SEEDS: tuple[bytes, ...] = (b"/ilp/a", b"/accounts/b/ilp/a", b"/paychan", b"https://a.example/ilp")


def check(octets: bytes) -> None:
    _check_path(octets)
    _check_fields({b"request-id": octets, b"callback-url": octets})
    for request in RequestReader().receive(octets):
        _check_path(request.path)
        _check_fields(request.fields)


def _check_path(path: bytes) -> None:
    target = parse_target(path)
    if target is None:
        return
    if target.request_id is not None:
        assert target.protocol == "ilp"
        assert 0 < len(target.request_id) <= 64
        before = b"" if target.account is None else b"/accounts/" + target.account
        assert path == before + b"/ilp/" + target.request_id
    else:
        assert target.protocol not in OWN_PROTOCOLS
        assert path == b"/" + target.protocol.encode("ascii")


def _check_fields(fields: dict[bytes, bytes]) -> None:
    found = request_id(fields)
    assert found is None or found == fields[b"request-id"]
    url = callback_url(fields)
    assert url is None or str(parse_url(url)) == url


if __name__ == "__main__":
    from harness import run

    run(check, LAYERS, SEEDS)
