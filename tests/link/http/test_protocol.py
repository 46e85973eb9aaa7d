"""The server of ILP over HTTP: which request gets which answer."""

from __future__ import annotations

import hashlib

import pytest

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.ilp.packet import Fulfill, Prepare, Reject, Reply
from interledger.link.base import RequestId
from interledger.link.http import protocol
from interledger.link.http.messages import ILP_BODY_MAX
from interledger.link.http.protocol import HttpIlpServer, IncomingSide, by_token

NOW = Timestamp(1_700_000_000_000)
FULFILL = Fulfill(bytes(32), b"ok")
REJECT = Reject("F99", "test.b", "no")
PREPARE = Prepare(
    10, Timestamp(NOW + 30_000), hashlib.sha256(bytes(32)).digest(), Address("test.b.carol"), b"d"
).encode()
TOKENS = {"alices": AccountId("alice"), "bobs": AccountId("bob"), "no_links": AccountId("zoe")}


class Handler:
    """Answers at once with `reply`, or keeps what it got for later."""

    def __init__(self, reply: Reply | None = FULFILL) -> None:
        self.reply = reply
        self.got: list[tuple[AccountId, RequestId, Prepare, Timestamp]] = []

    def receive_prepare(
        self, account: AccountId, request_id: RequestId, prepare: Prepare, now: Timestamp
    ) -> Reply | None:
        self.got.append((account, request_id, prepare, now))
        return self.reply

    def receive_reply(self, account: AccountId, request_id: RequestId, reply: Reply, now: Timestamp) -> None: ...
    def receive_no_reply(self, account: AccountId, request_id: RequestId, reject: Reject, now: Timestamp) -> None: ...
    def link_lost(self, account: AccountId, now: Timestamp) -> None: ...


class Answer:
    """One request's answer, as the client would see it."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.octets = b""
        self.text = ""
        self.gone = False
        self.waits = False

    def packet(self, octets: bytes) -> bool:
        if not self.gone:
            self.status, self.octets = 200, octets
        return not self.gone

    def refuse(self, status: int, text: str) -> bool:
        self.status, self.text = status, text
        return not self.gone

    def deny(self, text: str) -> bool:
        return self.refuse(401, text)

    def in_turn(self) -> None:
        self.waits = True


class Rig:
    def __init__(self, reply: Reply | None = FULFILL, *, bare_tokens: bool = True) -> None:
        self.handler = Handler(reply)
        self.server = HttpIlpServer(by_token(TOKENS.get), bare_tokens=bare_tokens)
        self.alice = IncomingSide(self.handler, AccountId("alice"))
        self.bob = IncomingSide(self.handler, AccountId("bob"))
        self.server.attach(self.alice)
        self.server.attach(self.bob)

    def post(
        self,
        path: bytes = b"/ilp",
        authorization: bytes | None = b"Bearer alices",
        content_type: bytes | None = b"application/octet-stream",
        body: bytes = PREPARE,
    ) -> Answer:
        answer = Answer()
        self.server.handle(path, authorization, content_type, body, NOW, answer)
        return answer


@pytest.mark.parametrize("reply", [FULFILL, REJECT])
def test_HT_02_every_outcome_is_200_with_the_packet(reply: Reply) -> None:
    rig = Rig(reply)
    answer = rig.post()
    assert (answer.status, answer.octets) == (200, reply.encode())
    ((account, _, prepare, now),) = rig.handler.got
    assert (account, prepare.encode(), now) == ("alice", PREPARE, NOW)
    assert rig.alice.prepares == 1


@pytest.mark.parametrize("code", ["F99", "T05"])
def test_whoever_sends_more_than_it_may_is_read_in_turn(code: str) -> None:
    answer = Rig(Reject(code, "test.b", "no")).post()
    assert answer.status == 200
    assert answer.waits is (code == "T05")


@pytest.mark.parametrize(
    ("path", "authorization", "status"),
    [
        (b"/ilp", b"Bearer alices", 200),
        (b"/ilp", b"bearer alices", 200),
        (b"/ilp", b"alices", 200),
        (b"/ilp", b"Bearer bobs", 200),
        (b"/ilp", b"Bearer wrong", 401),
        (b"/ilp", b"Bearer  alices", 401),
        (b"/ilp", b"Bearer alice:alices", 401),
        (b"/ilp", b"Basic YWxpY2VzOg==", 401),
        (b"/ilp", b"Bearer \xff", 401),
        (b"/ilp", b"", 401),
        (b"/ilp", None, 401),
        (b"/accounts/alice/ilp", b"Bearer alices", 200),
        (b"/accounts/ALICE/ilp", b"Bearer alices", 200),
        (b"/accounts/%61lice/ilp", b"Bearer alices", 200),
        (b"/accounts/alice/ilp", b"Bearer bobs", 401),
        (b"/accounts/nobody/ilp", b"Bearer alices", 401),
        (b"/accounts/a.b/ilp", b"Bearer alices", 401),
        (b"/accounts/%ff/ilp", b"Bearer alices", 401),
    ],
)
def test_HT_05_HTTP_2_the_token_and_the_path_agree(path: bytes, authorization: bytes | None, status: int) -> None:
    rig = Rig()
    assert rig.server.takes(path)
    answer = rig.post(path, authorization)
    assert answer.status == status
    assert rig.server.refused_tokens == (status == 401)
    assert (answer.status == 200) == bool(rig.handler.got)


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        (b"/ilp", True),
        (b"/accounts/alice/ilp", True),
        (b"/ilp/", False),
        (b"/", False),
        (b"/accounts/alice", False),
        (b"/accounts//ilp", False),
        (b"/accounts/alice/ilp/btp", False),
        (b"/account/alice/ilp", False),
        (b"x/accounts/alice/ilp", False),
        (b"/ACCOUNTS/alice/ilp", False),
        (b"/accounts/alice/payments", False),
    ],
)
def test_which_paths_are_for_ILP(path: bytes, taken: bool) -> None:
    assert HttpIlpServer(by_token(TOKENS.get)).takes(path) is taken
    assert HttpIlpServer(by_token(TOKENS.get), paths=["/other"]).takes(b"/other")


def test_HT_07_a_bare_token_is_a_flag() -> None:
    assert Rig(bare_tokens=False).post(authorization=b"alices").status == 401


@pytest.mark.parametrize(
    ("content_type", "status"),
    [(None, 200), (b"application/ilp+octet-stream", 200), (b"application/json", 415), (b"text/html", 415)],
)
def test_HT_07_content_types(content_type: bytes | None, status: int) -> None:
    assert Rig().post(content_type=content_type).status == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{}", 400),
        (PREPARE[:-1], 400),
        (FULFILL.encode(), 400),
        (REJECT.encode(), 400),
        (b"\x0c" + bytes(ILP_BODY_MAX - 1), 400),
        (b"\x0c" + bytes(ILP_BODY_MAX), 413),
    ],
    ids=range(7),
)
def test_bodies_that_are_no_prepare(body: bytes, status: int) -> None:
    rig = Rig()
    answer = rig.post(body=body)
    assert answer.status == status
    assert not rig.handler.got


def test_503_while_stopping_and_for_an_account_without_a_link() -> None:
    rig = Rig()
    assert rig.post(authorization=b"Bearer no_links").status == 503
    rig.server.draining = True
    assert rig.post().status == 503
    assert rig.post(authorization=b"Bearer wrong").status == 401


def test_a_reply_may_come_later_and_out_of_order() -> None:
    rig = Rig(reply=None)
    first, second = rig.post(), rig.post()
    other = rig.post(authorization=b"Bearer bobs")
    ids = [(account, request_id) for account, request_id, _, _ in rig.handler.got]
    assert ids[0] != ids[1]
    rig.alice.send_reply(ids[1][1], REJECT)
    assert (first.status, second.octets, other.status) == (None, REJECT.encode(), None)
    rig.alice.send_reply(ids[0][1], FULFILL)
    assert first.octets == FULFILL.encode()
    # E5: ids are scoped to the account
    rig.bob.send_reply(ids[2][1], FULFILL)
    assert other.octets == FULFILL.encode()
    assert not rig.alice.waiting
    assert rig.alice.replies_dropped == 0


def test_a_reply_whose_client_left_is_dropped_and_counted() -> None:
    rig = Rig(reply=None)
    answer = rig.post()
    answer.gone = True
    request_id = rig.handler.got[0][1]
    rig.alice.send_reply(request_id, FULFILL)
    assert (answer.status, rig.alice.replies_dropped) == (None, 1)
    rig.alice.send_reply(request_id, FULFILL)
    assert rig.alice.replies_dropped == 2


def test_429_above_the_bound_of_waiting_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "WAITING_MAX", 3)
    rig = Rig(reply=None)
    assert [rig.post().status for _ in range(4)] == [None, None, None, 429]
    assert rig.post(authorization=b"Bearer bobs").status is None


def test_request_ids_wrap_and_skip_those_in_use() -> None:
    rig = Rig(reply=None)
    rig.post()
    rig.alice._next_id = 0x7FFFFFFF - 1
    for _ in range(3):
        rig.post()
    assert [request_id for _, request_id, _, _ in rig.handler.got] == [1, 0x7FFFFFFF, 0, 2]


def test_detached_accounts_get_503() -> None:
    rig = Rig(reply=None)
    waiting = rig.post()
    rig.server.detach(AccountId("alice"))
    rig.server.detach(AccountId("alice"))
    assert waiting.status == 503
    assert rig.post().status == 503


def test_a_side_may_serve_an_account_of_another_name() -> None:
    rig = Rig()
    rig.server.attach(IncomingSide(rig.handler, AccountId("zoe/http")), AccountId("zoe"))
    assert rig.post(authorization=b"Bearer no_links").status == 200
    assert rig.handler.got[0][0] == "zoe/http"


def test_a_surprise_of_the_handler_leaves_nothing_waiting() -> None:
    rig = Rig()
    rig.handler.got = None  # type: ignore[assignment] # what a bug could do
    with pytest.raises(AttributeError):
        rig.post()
    assert not rig.alice.waiting


def test_paths_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "PATHS_KEPT", 4)
    rig = Rig()
    for i in range(20):
        assert rig.server.takes(b"/accounts/user%d/ilp" % i)
    assert len(rig.server._accounts_of_paths) <= 4
    assert rig.server.takes(b"/ilp")


def test_heads_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADS_KEPT", 4)
    rig = Rig()
    for i in range(20):
        head = b"POST /%d" % i
        rig.server.handle(b"/ilp", b"Bearer alices", None, PREPARE, NOW, Answer(), head)
        assert rig.server.accepted_heads[head] == (rig.alice, len(PREPARE), protocol.NEVER)
    assert len(rig.server.accepted_heads) <= 4
