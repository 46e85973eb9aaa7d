"""Documents about the books. Made by `python -m tools.docs` from the schemas."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from interledger.api.types.core import MoneyDocument
from interledger.api.types.live import WorthDocument

__all__ = [
    "BackupDocument",
    "ClaimBeginningDocument",
    "ClaimEndDocument",
    "ComparisonDocument",
    "CorrectionDocument",
    "DecisionDocument",
    "DecisionEffectDocument",
    "DecisionMemoDocument",
    "LedgerAccountDocument",
    "LedgerCheckDocument",
    "LedgerCheckFaultDocument",
    "LedgerCheckLastDocument",
    "LedgerCheckOpeningDocument",
    "LedgerCheckTrialBalanceDocument",
    "ProfitAssetDocument",
    "ProfitDocument",
    "ProfitPairDocument",
    "ProfitWorthDocument",
    "ProofDocument",
    "ReconciliationComparedDocument",
    "ReconciliationDifferenceDocument",
    "ReconciliationDocument",
    "ReconciliationLeftDocument",
    "ReconciliationResolvedDocument",
    "ResolutionDocument",
    "StatementDocument",
    "StatementLineDocument",
    "StatementLineMemoDocument",
    "StatementPendingDocument",
    "UnknownDocument",
    "UnknownIncomingDocument",
    "UnprovenDocument",
]


class BackupDocument(TypedDict):
    """A copy of the books, in a file on the machine of the node."""

    file: str
    octets: int
    commit: int
    at: str | None


class ClaimBeginningDocument(TypedDict):
    """A packet that was fulfilled for a peer, which does not count it."""

    account: str
    condition: str
    reason: str
    by: NotRequired[str]
    """Your name, to be kept beside the token's owner"""


class ClaimEndDocument(TypedDict):
    """What is to be decided about an amount that a peer does not count."""

    outcome: Literal["owed", "lost"]
    reason: str
    by: NotRequired[str]
    """Your name, to be kept beside the token's owner"""


class ComparisonDocument(TypedDict):
    """Our books beside those of a peer. `unexplained`: what no known packet explains."""

    account: str
    asset_code: str
    asset_scale: int
    ours: str
    theirs: str | None
    in_flight: str
    unknown: str
    unexplained: str
    problem: str | None


class CorrectionDocument(TypedDict):
    """An entry by hand that is to be made, with its reason."""

    debit: str
    credit: str
    amount: int | str
    asset_code: str
    asset_scale: int | str
    reason: str
    by: NotRequired[str]
    """Your name, to be kept beside the token's owner"""


class DecisionMemoDocument(TypedDict):
    """`memo` of `Decision`."""

    kind: str
    by: str | None
    reason: str | None
    id: str | None


class DecisionEffectDocument(TypedDict):
    """`effects` of `Decision`."""

    name: str
    asset_code: str
    asset_scale: int
    before: str
    after: str


class DecisionDocument(TypedDict):
    """What a person wants done to the books. Nothing has happened before it is confirmed."""

    id: str
    text: str
    memo: DecisionMemoDocument | None
    effects: list[DecisionEffectDocument]
    made_at: str | None
    done_at: str | None
    """null until it was confirmed"""


LedgerAccountDocument = TypedDict(
    "LedgerAccountDocument",
    {
        "name": "str",
        "asset_code": "str",
        "asset_scale": "int",
        "class": 'Literal["asset", "liability", "equity", "income", "expense"]',
        "meaning": "str",
        "net": "str",
        "debits_posted": "str",
        "credits_posted": "str",
        "debits_pending": "str",
        "credits_pending": "str",
    },
)
"""One account of the books."""


class LedgerCheckOpeningDocument(TypedDict):
    """`opening` of `LedgerCheck`."""

    commit: int
    at: str | None


class LedgerCheckLastDocument(TypedDict):
    """`last` of `LedgerCheck`."""

    commit: int
    at: str | None


class LedgerCheckTrialBalanceDocument(TypedDict):
    """`trial_balances` of `LedgerCheck`."""

    asset_code: str
    asset_scale: int
    posted: str
    pending: str
    accounts: int


class LedgerCheckFaultDocument(TypedDict):
    """`faults` of `LedgerCheck`."""

    text: str
    commit: int | None
    record: int | None
    at: str | None


class LedgerCheckDocument(TypedDict):
    """What came of computing all balances again."""

    sound: bool
    opening: LedgerCheckOpeningDocument
    last: LedgerCheckLastDocument
    commits: int
    records: int
    snapshots: int
    holds: int
    unknown: int
    unproven: int
    trial_balances: list[LedgerCheckTrialBalanceDocument]
    faults: list[LedgerCheckFaultDocument]


class ProfitAssetDocument(TypedDict):
    """`assets` of `Profit`."""

    asset_code: str
    asset_scale: int
    fees: str
    losses: str
    corrections: str
    taken: str
    given: str
    position: str
    position_worth: WorthDocument


class ProfitPairDocument(TypedDict):
    """`pairs` of `Profit`."""

    packets: int
    taken: MoneyDocument
    given: MoneyDocument
    profit: WorthDocument


class ProfitWorthDocument(TypedDict):
    """At the node's rates as they are now; profit is what pairs and fees came to"""

    profit: WorthDocument
    moved: WorthDocument
    position: WorthDocument


class ProfitDocument(TypedDict):
    """Fees, losses and exchange positions of a time."""

    kept_from: str | None
    assets: list[ProfitAssetDocument]
    pairs: list[ProfitPairDocument]
    worth: ProfitWorthDocument
    """At the node's rates as they are now; profit is what pairs and fees came to"""


class ProofDocument(TypedDict):
    """A fulfillment, as proof that a packet was delivered."""

    fulfillment: str


ReconciliationComparedDocument = TypedDict(
    "ReconciliationComparedDocument",
    {
        "from": "str | None",
        "until": "str | None",
        "packets": "int",
        "questions": "int",
        "complete": "bool",
    },
)
"""`compared` of `Reconciliation`."""


class ReconciliationDifferenceDocument(TypedDict):
    """`differences` of `Reconciliation`."""

    direction: Literal["sent", "received"]
    condition: str
    amount: str
    at: str
    ours: int
    theirs: int
    total: str
    proof: str | None
    meaning: str


class ReconciliationResolvedDocument(TypedDict):
    """`resolved` of `Reconciliation`."""

    id: str
    account: str
    ledger_account: str
    amount: MoneyDocument
    condition: str
    expires_at: str | None
    age_ms: int | None
    proof: str | None
    outcome: Literal[
        "relayed", "delivered", "late, accepted", "not delivered", "late", "open", "no proof", "contradicted", "too old"
    ]


class ReconciliationLeftDocument(TypedDict):
    """`left` of `Reconciliation`."""

    id: str
    account: str
    ledger_account: str
    amount: MoneyDocument
    condition: str
    expires_at: str | None
    age_ms: int | None
    proof: str | None
    outcome: Literal[
        "relayed", "delivered", "late, accepted", "not delivered", "late", "open", "no proof", "contradicted", "too old"
    ]


class ReconciliationDocument(TypedDict):
    """What came of comparing books with a peer, packet by packet."""

    account: str
    asset_code: str
    asset_scale: int
    at: str
    agrees: bool
    problem: str | None
    net: str
    compared: ReconciliationComparedDocument
    agreed_until: str | None
    difference: str
    """Ours less theirs: by what the balances differ"""
    differences: list[ReconciliationDifferenceDocument]
    more: int
    """Differences that did not fit"""
    resolved: list[ReconciliationResolvedDocument]
    left: list[ReconciliationLeftDocument]


class ResolutionDocument(TypedDict):
    """What is to be decided about an unknown amount."""

    outcome: Literal["delivered", "not-delivered"]
    reason: str
    by: NotRequired[str]
    """Your name, to be kept beside the token's owner"""


class StatementLineMemoDocument(TypedDict):
    """`memo` of `StatementLine`."""

    kind: str
    by: str | None
    reason: str | None
    id: str | None


StatementLineDocument = TypedDict(
    "StatementLineDocument",
    {
        "at": "str | None",
        "kind": 'Literal["packet", "resolution", "entry"]',
        "with": "list[str]",
        "debit": "str",
        "credit": "str",
        "net": "str",
        "packets": "int",
        "memo": "StatementLineMemoDocument | None",
        "commit": "int",
        "record": "int",
    },
)
"""`lines` of `Statement`."""


StatementPendingDocument = TypedDict(
    "StatementPendingDocument",
    {
        "in": "str",
        "out": "str",
    },
)
"""`pending` of `Statement`."""


class StatementDocument(TypedDict):
    """What was posted to one account of the books."""

    name: str
    asset_code: str
    asset_scale: int
    kept_from: str | None
    opening_net: str
    lines: list[StatementLineDocument]
    more: int
    """Lines that did not fit"""
    debits: str
    credits: str
    closing_net: str
    pending: StatementPendingDocument
    unknown: list[UnknownDocument]
    unproven: list[UnprovenDocument]


class UnknownIncomingDocument(TypedDict):
    """`incoming` of `Unknown`."""

    account: str
    amount: MoneyDocument


class UnknownDocument(TypedDict):
    """An amount that may or may not have been delivered."""

    id: str
    account: str
    ledger_account: str
    amount: MoneyDocument
    condition: str
    expires_at: str | None
    age_ms: int | None
    proof: str | None
    held_at: NotRequired[str | None]
    gave_up_at: NotRequired[str | None]
    incoming: NotRequired[UnknownIncomingDocument | None]


class UnprovenDocument(TypedDict):
    """An amount that was fulfilled for a peer that does not count it."""

    id: str
    account: str
    amount: MoneyDocument
    condition: str
    proof: str
    since: str
    age_ms: int | None
