"""A node's port and links over TLS: HTTP API, ILP over HTTP and BTP on one port, by certificates of an authority."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loopback import account, btp_dialler, btp_listener, http_link, net, running, settings, until

from interledger.accounts.account import LinkSettings, Relation
from interledger.api.client import ApiClient
from interledger.clock import SystemClock
from interledger.daemon.authority import DevAuthority
from interledger.errors import LinkError, SettingsError
from interledger.link.tls import client_context
from interledger.node.node import Node
from interledger.node.settings import Settings, faults_between
from interledger.node.transport_security import tls_faults

NOW = SystemClock().now()


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> DevAuthority:
    authority = DevAuthority(tmp_path_factory.mktemp("ca"), NOW)
    authority.issue("node", NOW)
    return authority


def secure(address: str, ca: DevAuthority, **more: Any) -> Settings:
    files = {
        "tls_certificate": str(ca.directory / "node.pem"),
        "tls_key": str(ca.directory / "node-key.pem"),
        "tls_ca": str(ca.path),
    }
    return settings(address, **{**files, **more})


def over_tls(link: LinkSettings) -> LinkSettings:
    """The same link to a port that speaks TLS, by the name that is in its certificate."""

    def changed(url: str | None) -> str | None:
        return url and url.replace("http://127.0.0.1", "https://localhost").replace("ws://127.0.0.1", "wss://localhost")

    return replace(link, http_url=changed(link.http_url), btp_url=changed(link.btp_url))


async def peers(left: Node, right: Node, to_right: LinkSettings, to_left: LinkSettings) -> None:
    """Two nodes know each other, and each has a holder."""
    await right.create_account(account("left", "USD/9", "test.left", Relation.PEER, over_tls(to_left)))
    await left.create_account(account("right", "USD/9", "test.right", Relation.PEER, over_tls(to_right)))


@pytest.mark.parametrize("kind", ["BTP", "HTTP"])
async def test_packets_both_ways_over_TLS(ca: DevAuthority, kind: str) -> None:
    async with running(secure("test.left", ca)) as left, running(secure("test.right", ca)) as right:
        if kind == "HTTP":
            await peers(left, right, http_link("left", right, "right"), http_link("right", left, "left"))
        else:
            await peers(left, right, btp_dialler("left", right, "right"), btp_listener("right", "left"))
            await until(lambda: left.link_status("right").up and right.link_status("left").up)
        assert (await left.requests.ping("test.right")).code is None
        assert (await right.requests.ping("test.left")).code is None
        status = left.link_status("right")
        assert (status.kind, status.up) == (kind, True)
        assert net(left, "right") == 0


async def test_the_API_over_TLS(ca: DevAuthority) -> None:
    async with running(secure("test.hub", ca)) as node:
        url = f"https://localhost:{node.port}"
        api = ApiClient(url, "admin-token", tls=client_context(ca.path))
        assert (await api.status())["ilp_address"] == "test.hub"
        with pytest.raises(LinkError, match="certificate is not good"):
            await ApiClient(url, "admin-token").status()


async def test_a_link_to_a_server_that_nobody_vouches_for_stays_down(
    ca: DevAuthority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with running(secure("test.left", ca, tls_ca=None)) as left, running(secure("test.right", ca)) as right:
        await peers(left, right, http_link("left", right, "right"), http_link("right", left, "left"))
        assert (await left.requests.ping("test.right")).code == "T01"
        assert "certificate verify failed" in caplog.text


async def test_a_new_certificate_is_presented_when_the_files_change(
    ca: DevAuthority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    first, second = (DevAuthority(tmp_path / name, NOW) for name in ("first", "second"))
    issued = first.issue("node", NOW)
    mine = secure("test.hub", ca, tls_certificate=str(issued.certificate), tls_key=str(issued.key))
    async with running(mine) as node:

        async def reached(by: DevAuthority) -> bool:
            try:
                return await ApiClient(f"https://localhost:{node.port}", tls=client_context(by.path)).is_ready()
            except LinkError:
                return False

        assert (await reached(first), await reached(second)) == (True, False)
        issued.certificate.write_bytes(second.issue("node", NOW).certificate.read_bytes())
        node.links.tls.reload()
        assert "the certificate was not changed" in caplog.text
        assert await reached(first)
        issued.key.write_bytes((tmp_path / "second" / "node-key.pem").read_bytes())
        node.links.tls.reload()
        assert (await reached(first), await reached(second)) == (False, True)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"http_bind_address": "0.0.0.0:7770"}, "http_bind_address"),
        ({"http_bind_address": "0.0.0.0:7770", "allow_plain_text": True}, None),
        ({"http_bind_address": "0.0.0.0:7770", "tls_certificate": "x.pem"}, None),
        ({"http_bind_address": "[::]:7770"}, "http_bind_address"),
        ({"tls_key": "x.pem"}, "tls.key"),
        ({"tls_client_ca": "x.pem"}, "tls.client_ca"),
    ],
)
def test_E9_no_plain_text_where_others_can_read_it(changes: dict[str, Any], fault: str | None) -> None:
    values = {**vars(settings("test.hub")), **changes}
    assert [key for key, _ in faults_between(values)] == ([] if fault is None else [fault])


@pytest.mark.parametrize("key", ["tls_certificate", "tls_client_ca", "tls_ca"])
async def test_a_file_that_cannot_be_used_is_told_at_the_start(ca: DevAuthority, key: str) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.pem cannot be read"):
        async with running(secure("test.hub", ca, **{key: "nowhere.pem"})):
            pass


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, []),
        ({"tls_certificate": "nowhere.pem", "tls_key": None}, ["tls.cert"]),
        ({"tls_key": None}, ["tls.cert"]),
        ({"tls_ca": "nowhere.pem", "tls_client_ca": "nowhere.pem"}, ["tls.ca", "tls.client_ca"]),
        ({"tls_certificate": None}, []),
    ],
)
def test_files_are_looked_at_before_a_node_starts(
    ca: DevAuthority, changes: dict[str, str | None], faults: list[str]
) -> None:
    """By `ilp config check`, and by `ilp node run` itself."""
    values = {**vars(secure("test.hub", ca)), **changes}
    found = tls_faults(values)
    assert [key for key, _ in found] == faults
    assert all(problem.startswith("cannot be used: ") for _, problem in found)


async def test_a_node_without_TLS_has_nothing_to_reload() -> None:
    async with running(settings("test.hub")) as node:
        node.links.tls.reload()
        assert node.links.tls.context is None
