"""The server of ILP over HTTP, without I/O: one request in, one answer out, now or when the connector has it.

`IncomingSide` belongs to one account's link: the Prepares that came in over HTTP and wait for their answer.
`HttpIlpServer` belongs to the port: it finds the account by its token and hands the body to that account's side.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Final, NamedTuple, final

from interledger.accounts.account import AccountId
from interledger.clock import Timestamp
from interledger.errors import DecodeError
from interledger.ilp.error_codes import ErrorCode
from interledger.ilp.packet import Prepare, Reject, Reply
from interledger.link.base import PacketHandler, RequestId
from interledger.link.http.forms import Target, account_id, parse_target
from interledger.link.http.interfaces import NO_OTHERS, OtherProtocols, RequestSide, Respond
from interledger.link.http.messages import ILP_BODY_MAX, bearer_token, is_ilp_content_type

__all__ = [
    "NEVER",
    "PENDING",
    "Admission",
    "Admit",
    "HttpIlpServer",
    "IncomingSide",
    "Presented",
    "by_token",
]

WAITING_MAX: Final = 4_096
"""Prepares of one account that wait for an answer. Four times what all connections of one port carry at once."""

PATHS_KEPT: Final = 4_096
"""Paths remembered with the account they name; emptied at this many. Peers call one path each."""

HEADS_KEPT: Final = 1_024
"""Heads of accepted requests, octet for octet; emptied at this many. A peer has one per size of packet."""

HEAD_KEPT_OCTETS_MAX: Final = 1_024
"""The longest of them: ours have 300."""

_NO_ACCOUNT: Final = ""

NEVER: Final = Timestamp(2**62)
"""When credentials end that have no end."""


class Presented(NamedTuple):
    """What came with a request. `named`: the account in the path; `certificate`: the client's (DER), seen by TLS."""

    token: str | None
    named: str | None = None
    certificate: bytes | None = None


class Admission(NamedTuple):
    """Whose request it is; the same credentials need not be looked at again before `until`."""

    account: AccountId
    until: Timestamp


PENDING: Final = Admission(AccountId(""), Timestamp(0))
"""Nobody knows yet: what would tell is being fetched. The peer may try again in a moment."""

Admit = Callable[[Presented, Timestamp], Admission | None]
"""Whose credentials these are now; `PENDING`; None when they are nobody's. Never waits."""


def by_token(account_of: Callable[[str], AccountId | None]) -> Admit:
    """Opaque tokens and nothing else: `account_of` says whose a token is."""

    def admit(presented: Presented, now: Timestamp) -> Admission | None:
        account = None if presented.token is None else account_of(presented.token)
        return None if account is None else Admission(account, NEVER)

    return admit


_NO_FIELDS: Final[Mapping[bytes, bytes]] = {}


@final
class IncomingSide:
    """What one account's peer sent us over HTTP and we have not answered. Request ids are ours: HTTP has none."""

    __slots__ = ("_next_id", "account", "handler", "prepares", "replies_dropped", "waiting")

    def __init__(self, handler: PacketHandler, account: AccountId) -> None:
        self.handler = handler
        self.account = account
        self.waiting: dict[RequestId, Respond] = {}
        self.prepares = 0
        self.replies_dropped = 0
        """Answers whose client had gone: the packet's outcome stands, the peer does not know it."""
        self._next_id = 0

    def receive(self, octets: bytes, now: Timestamp, respond: Respond) -> None:
        """A body that should be a Prepare. Answers it, or keeps `respond` until `send_reply`."""
        try:
            prepare = Prepare.decode(octets)
        except DecodeError as error:
            respond.refuse(400, f"the body is not an ILP Prepare: {error}")
            return
        waiting = self.waiting
        if len(waiting) >= WAITING_MAX:
            respond.refuse(429, "too many packets of this account wait for an answer")
            return
        # 31 bits: those above are of requests that the peer gave an id (`link.idempotent`).
        request_id = RequestId((self._next_id + 1) & 0x7FFFFFFF)
        while request_id in waiting:
            request_id = RequestId((request_id + 1) & 0x7FFFFFFF)
        self._next_id = request_id
        self.prepares += 1
        # Before the call: the handler may answer by `send_reply` from inside it.
        waiting[request_id] = respond
        try:
            reply = self.handler.receive_prepare(self.account, request_id, prepare, now)
        except Exception:
            waiting.pop(request_id, None)
            raise
        if reply is not None:
            if type(reply) is Reject and reply.code == ErrorCode.T05_RATE_LIMITED:
                respond.in_turn()
            self.send_reply(request_id, reply)

    def send_reply(self, request_id: RequestId, reply: Reply) -> None:
        """The answer to a Prepare of this side. One whose client has gone is dropped and counted."""
        respond = self.waiting.pop(request_id, None)
        # An outcome, Reject too, is HTTP 200: the statuses of HTTP speak of the request, not of the packet (HT-02).
        if respond is None or not respond.packet(reply.encode()):
            self.replies_dropped += 1

    def close(self) -> None:
        """The link goes away: whoever waits is told that this node takes no packets now."""
        waiting, self.waiting = self.waiting, {}
        for respond in waiting.values():
            respond.refuse(503, "this account's link was closed")


@final
class HttpIlpServer:
    """ILP's part of the port.

    `admit` says whose credentials came with a request, in a time that says nothing about other credentials; whoever
    opens, changes or closes an account attaches or detaches its side here, and calls `forget_accepted` when credentials
    change. `bare_tokens`: also take `Authorization` without the word Bearer (HT-07). `paths`: where Prepares are taken,
    beside `/accounts/<username>/ilp`.
    """

    def __init__(
        self,
        admit: Admit,
        *,
        bare_tokens: bool = True,
        paths: Iterable[str] = ("/ilp",),
    ) -> None:
        self._admit = admit
        self._bare_tokens = bare_tokens
        self._sides: dict[AccountId, IncomingSide] = {}
        self._request_sides: dict[AccountId, RequestSide] = {}
        self.other_protocols: OtherProtocols = NO_OTHERS
        self._own_paths = {path.encode("ascii"): _NO_ACCOUNT for path in paths}
        self._accounts_of_paths: dict[bytes, str] = dict(self._own_paths)
        self.accepted_heads: dict[Hashable, tuple[IncomingSide, int, Timestamp]] = {}
        """All octets of a request's head, to its empty line (of HTTP/2: its fields) -> who gets its body, the length of
        that, until when.

        A peer sends the same head with every packet. What it means was read strictly and its token accepted once; the
        same octets mean the same, until the token ends or an account changes. Of a client with a certificate the digest
        of that stands before: on another connection the same octets mean something else. Only accepted heads are here,
        and finding one says nothing to somebody who guesses: a dictionary compares octets only when their keyed hashes
        are the same.
        """
        self.refused_tokens = 0
        self.draining = False
        """True: answer 503 to every new Prepare."""

    def attach(self, side: IncomingSide, account: AccountId | None = None) -> None:
        """Take Prepares for `account` from now on; None: it has the side's name. One attached earlier is replaced."""
        self._sides[account or side.account] = side
        self.accepted_heads.clear()

    def attach_requests(self, side: RequestSide, account: AccountId) -> None:
        """Take what `account` sends with ids. One attached earlier is replaced."""
        self._request_sides[account] = side
        self.accepted_heads.clear()

    def detach(self, account: AccountId) -> None:
        """Take no more Prepares for `account`, and answer 503 to those that wait."""
        side = self._sides.pop(account, None)
        self._request_sides.pop(account, None)
        self.accepted_heads.clear()
        if side is not None:
            side.close()

    def forget_accepted(self) -> None:
        """Credentials changed: look at everybody's again."""
        self.accepted_heads.clear()

    def takes(self, path: bytes) -> bool:
        """Whether a POST to `path` (without query) is for ILP."""
        if path in self._accounts_of_paths or self._account_of(path) is not None:
            return True
        target = parse_target(path)
        return target is not None and (target.request_id is not None or self.other_protocols.knows(target.protocol))

    def handle(
        self,
        path: bytes,
        authorization: bytes | None,
        content_type: bytes | None,
        body: bytes,
        now: Timestamp,
        respond: Respond,
        head: bytes | tuple[tuple[bytes, bytes], ...] = b"",
        fields: Mapping[bytes, bytes] = _NO_FIELDS,
        certificate: bytes | None = None,
    ) -> None:
        """One POST. `respond` is called once, now or later. `fields`: all its headers.

        `head`: the octets before the body, when these are all that was read and the next request comes behind them; of
        HTTP/2, the fields that say all about this request but its body.
        """
        token = bearer_token(authorization, bare=self._bare_tokens)
        named = self._accounts_of_paths.get(path) or self._account_of(path)
        target = parse_target(path) if named is None else None
        if target is not None and target.account is not None:
            named = account_id(target.account)
        is_broken = token is None and authorization is not None
        admission = None if is_broken else self._admit(Presented(token, named, certificate), now)
        if admission is PENDING:
            respond.refuse(503, "the keys of this token's issuer are being fetched: try again in a moment")
            return
        # HTTP-2: the token selects the account; a path that names another one is refused, and does not say why.
        if admission is None or (named and named != admission.account):
            self.refused_tokens += 1
            respond.deny("this token is not accepted here")
        elif len(body) > ILP_BODY_MAX:
            respond.refuse(413, f"an ILP packet has at most {ILP_BODY_MAX} octets here")
        elif self.draining:
            respond.refuse(503, "this node is stopping")
        elif target is not None and target.request_id is None:
            self.other_protocols.handle(admission.account, target.protocol, content_type, body, respond)
        elif not is_ilp_content_type(content_type):
            respond.refuse(415, "an ILP packet is application/octet-stream")
        elif not self._takes_with_id(admission.account, target, body, now, respond, fields):
            side = self._sides.get(admission.account)
            if side is None:
                respond.refuse(503, "this account has no ILP over HTTP link now")
            else:
                if 0 < len(head) <= HEAD_KEPT_OCTETS_MAX and b"request-id" not in fields:
                    if len(self.accepted_heads) >= HEADS_KEPT:
                        self.accepted_heads.clear()
                    self.accepted_heads[head] = side, len(body), admission.until
                side.receive(body, now, respond)

    def _takes_with_id(
        self,
        account: AccountId,
        target: Target | None,
        body: bytes,
        now: Timestamp,
        respond: Respond,
        fields: Mapping[bytes, bytes],
    ) -> bool:
        """A request whose packet has an id. False: it has none, or its account does not use it."""
        side = self._request_sides.get(account)
        if side is None or side.in_path is (target is None):
            if target is None and side is None:
                return False
            respond.refuse(404, "this account uses another form of ILP over HTTP")
            return True
        request_id = side.id_in(fields, body, respond) if target is None else target.request_id
        if request_id is None:
            return False
        side.receive(request_id, body, now, respond)
        return True

    def _account_of(self, path: bytes) -> str | None:
        """The account that `path` names; an empty name for a path of all accounts; None when it is not for ILP."""
        known = self._accounts_of_paths.get(path)
        if known is not None:
            return known
        parts = path.split(b"/")
        if len(parts) != 4 or parts[0] or parts[1] != b"accounts" or parts[3] != b"ilp" or not parts[2]:
            return None
        name = account_id(parts[2])
        if len(self._accounts_of_paths) >= PATHS_KEPT:
            self._accounts_of_paths = dict(self._own_paths)
        self._accounts_of_paths[path] = name
        return name
