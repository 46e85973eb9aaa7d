"""What of an account the command line can set: one table of options, from which `create` and `set` are made."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["FIELDS", "UNIT_OPTIONS", "WORDS", "Field"]


class Field(NamedTuple):
    """An option, and the member of the account's document that it sets. `kind`: how its text becomes a value.

    A `word` is a text that `none` clears.
    """

    path: str
    kind: str
    help: str
    others: tuple[str, ...] = ()
    """ilp-cli's spellings of the same."""

    @property
    def flag(self) -> str:
        return "--" + self.path.rpartition(".")[2].replace("_", "-")

    @property
    def may_be_file(self) -> bool:
        """Whether its value may stand in a file."""
        return self.kind in ("token", "certificates")


FIELDS: Final = (
    Field("relation", "text", "parent, peer, child, or local for a holder on this node."),
    Field("ilp_address", "text", "Its ILP address; without it, one below the node's."),
    Field("limits.owes_us_max", "money", "How much it may owe us: '500 USD', or none for no limit."),
    Field("limits.we_owe_max", "money", "How much we may owe it."),
    Field("limits.late_claims_max", "money", "What it may prove too late in a day, at our loss; 0: we are asked."),
    Field("limits.settle_in_max", "money", "What may come in by settlement in a day without asking us."),
    Field("limits.packet_amount_max", "money", "The largest packet it may send."),
    Field("limits.packets_per_minute", "count", "Packets it may send in a minute.", ("--packets-per-minute-limit",)),
    Field("limits.amount_per_minute", "money", "Money it may send in a minute."),
    Field("link.http_url", "text", "Where its node takes ILP over HTTP.", ("--ilp-over-http-url",)),
    Field("link.http_form", "text", "sync, async, oer-sync or oer-async; the peer has to use the same."),
    Field("link.http_callback_url", "text", "Where it answers us, when the form is async."),
    Field("link.http_incoming_token", "token", "What it shows us.", ("--ilp-over-http-incoming-token",)),
    Field("link.http_outgoing_token", "token", "What we show it.", ("--ilp-over-http-outgoing-token",)),
    Field("link.http_incoming_jwt_secret", "token", "With which it signs short-lived tokens (JWT, HS256)."),
    Field("link.http_outgoing_jwt_secret", "token", "With which we sign ours."),
    Field("link.http_outgoing_jwt_subject", "word", "Whom our signed tokens name; our name in its URL when not said."),
    Field("link.http_jwt_subject", "word", "Whom its signed tokens name; its account's name when not said."),
    Field("link.http_jwt_require_subject", "flag", "No: its signed tokens may name nobody, as ilp-plugin-http's."),
    Field("link.http_jwks_url", "word", "Where the keys are for its tokens signed with RS256."),
    Field("link.http_jwt_issuer", "word", "Who has to have issued its signed tokens."),
    Field("link.http_jwt_audience", "word", "For whom they have to be."),
    Field("link.client_certificates", "certificates", "By which it is known: sha256:..., subject:CN=..., or PEM."),
    Field("link.client_certificate_required", "flag", "Yes: its tokens count only with one of its certificates."),
    Field("link.tls_ca_file", "word", "Authorities by which its server is checked; a file of the node's machine."),
    Field("link.tls_certificate_file", "word", "What we present to its server; a file of the node's machine."),
    Field("link.tls_key_file", "word", "The key of that."),
    Field("link.btp_url", "text", "Where its node takes BTP.", ("--ilp-over-btp-url",)),
    Field("link.btp_incoming_token", "token", "What it shows us by BTP.", ("--ilp-over-btp-incoming-token",)),
    Field("link.btp_outgoing_token", "token", "What we show it by BTP.", ("--ilp-over-btp-outgoing-token",)),
    Field("link.btp_version", "text", "2.0 or 2.0-I (repeats until answered); the peer has to use the same."),
    Field("settle_threshold", "money", "Settle when we owe it so much."),
    Field("settle_to", "money", "And down to this."),
    Field("settlement_engine_url", "text", "The settlement engine to ask."),
    Field("send_routes", "flag", "Whether we tell it our routes; none: peers and a parent only."),
    Field("receive_routes", "flag", "Whether we use its routes; none: those of peers and a parent only."),
    Field("ccp_full_updates", "flag", "Whether it gets all routes in every update, as the Java connector needs."),
    Field("peer_balance", "flag", "Whether it may ask how our books see its account: yes or no."),
    Field("paused", "flag", "Yes: no packet is taken from it, and none is sent to it, until it is no again."),
    Field("round_trip_time_ms", "count", "How long an answer takes, in ms.", ("--round-trip-time",)),
)

UNIT_OPTIONS: Final = {
    "max_packet_amount": "limits.packet_amount_max",
    "amount_per_minute_limit": "limits.amount_per_minute",
}
"""ilp-cli's options in integer units. `min_balance` is another one: the negative of what may be owed to us."""

WORDS: Final = {
    "limits.owes_us_max": "{id} may owe us",
    "limits.we_owe_max": "we may owe {id}",
    "limits.late_claims_max": "in a day, claims proved too late, of {id}",
    "limits.settle_in_max": "in a day, settlements that come in, of {id}",
    "limits.packet_amount_max": "a packet of {id} may have",
    "limits.packets_per_minute": "packets a minute of {id}",
    "limits.amount_per_minute": "a minute of {id} may move",
}
