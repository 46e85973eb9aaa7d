"""Whose a signed token is: the accounts' rules, the public keys they need, and our own tokens. Without I/O.

A token is checked once; while it is good, the same octets are found in a table. The account whose key is tried is the
one that the path names or, where it names none, the one that the token's subject names; the signature then says whether
that is true.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple, final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from joserfc.jwk import OctKey, RSAKey

from interledger.accounts.account import Account, AccountId
from interledger.clock import Timestamp
from interledger.link.jwt.messages import HS256, RS256, Unverified, expiry_of, read_unverified, secret_key, sign, verify

__all__ = ["WAIT", "JwtRules", "JwtVerifier", "KeySets", "TokenSigner", "Verified"]

VERIFIED_MAX: Final = 4_096
"""Tokens known to be good. Only the peers' own get here, a new one each every few seconds or minutes."""

CANDIDATES_MAX: Final = 8
"""Accounts whose keys are tried for one token that names none of them for certain."""

REFRESH_MS: Final = 600_000
"""Keys are asked for again after this; until the answer is there the old ones count."""

KEYS_AGE_MAX_MS: Final = 86_400_000
"""Keys that could not be asked for again for a day count no more: their owner may have taken them back."""

RETRY_MS: Final = 10_000
"""Between two questions to one place: tokens with made-up key ids must not make us ask without end."""

SIGNED_LIFETIME_MS: Final = 120_000
"""Of our own tokens. A new one is made at half of it."""


class Verified(NamedTuple):
    """Whose a token is, and until when."""

    account: AccountId
    until: Timestamp


WAIT: Final = Verified(AccountId(""), Timestamp(0))
"""It may be good: the key that would tell is being asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtRules:
    """What the tokens of one account have to be. One of `secret` and `keys_url`, or both."""

    account: AccountId
    secret: OctKey | None = field(default=None, repr=False)
    keys_url: str | None = None
    issuer: str | None = None
    audience: str | None = None
    subject: str
    requires_subject: bool = True

    @staticmethod
    def of(account: Account) -> JwtRules | None:
        """The account's rules; None when it takes no signed tokens. Raises `InvalidRequestError` for a weak secret."""
        link = account.link
        secret = link.http_incoming_jwt_secret
        if secret is None and link.http_jwks_url is None:
            return None
        return JwtRules(
            account=account.id,
            secret=None if secret is None else secret_key(secret),
            keys_url=link.http_jwks_url,
            issuer=link.http_jwt_issuer,
            audience=link.http_jwt_audience,
            subject=link.http_jwt_subject or account.id,
            requires_subject=link.http_jwt_require_subject,
        )

    def fit(self, token: Unverified) -> bool:
        """Whether algorithm and names are these. Public keys are many parties': their tokens have to say everything."""
        claims = token.claims
        if token.algorithm == RS256:
            if self.keys_url is None or self.issuer is None or self.audience is None:
                return False
            needs_subject = True
        else:
            if self.secret is None:
                return False
            needs_subject = self.requires_subject
        subject = claims.get("sub")
        if subject != self.subject and (needs_subject or subject is not None):
            return False
        if self.issuer is not None and claims.get("iss") != self.issuer:
            return False
        audience = claims.get("aud")
        return self.audience is None or self.audience in (audience if isinstance(audience, list) else (audience,))


class _Keys:
    """Those of one place."""

    __slots__ = ("asked_at", "by_id", "got_at", "is_asking")

    def __init__(self) -> None:
        self.by_id: dict[str | None, RSAKey] = {}
        self.got_at = 0
        self.asked_at = 0
        self.is_asking = False


@final
class KeySets:
    """Public keys by the place they come from. `ask(url)` has to end in `put` or `failed`."""

    def __init__(self, ask: Callable[[str], None]) -> None:
        self._ask = ask
        self._sets: dict[str, _Keys] = {}

    def want(self, url: str, now: Timestamp) -> None:
        """An account needs the keys of `url`: ask for them before the first token comes."""
        self._ask_again(url, self._sets.setdefault(url, _Keys()), now)

    def keep(self, urls: set[str]) -> None:
        """Forget all others."""
        for url in self._sets.keys() - urls:
            del self._sets[url]

    def find(self, url: str, key_id: str | None, now: Timestamp) -> RSAKey | None:
        """The key, if it is known and fresh enough. Asks for keys where that may help: see `is_asking`."""
        keys = self._sets.setdefault(url, _Keys())
        if now - keys.got_at > KEYS_AGE_MAX_MS:
            keys.by_id = {}
        found = keys.by_id.get(key_id)
        if key_id is None and found is None and len(keys.by_id) == 1:
            found = next(iter(keys.by_id.values()))
        if found is None or now - keys.got_at > REFRESH_MS:
            self._ask_again(url, keys, now)
        return found

    def is_asking(self, url: str) -> bool:
        """Whether an answer is on its way."""
        keys = self._sets.get(url)
        return keys is not None and keys.is_asking

    def put(self, url: str, by_id: dict[str | None, RSAKey], now: Timestamp) -> None:
        """What `url` has now: all that it had before and has no more counts no more."""
        keys = self._sets.get(url)
        if keys is not None:
            keys.by_id, keys.got_at, keys.is_asking = by_id, now, False

    def failed(self, url: str) -> None:
        """No answer. What is known stays, until it is too old."""
        keys = self._sets.get(url)
        if keys is not None:
            keys.is_asking = False

    def _ask_again(self, url: str, keys: _Keys, now: Timestamp) -> None:
        if not keys.is_asking and now - keys.asked_at >= RETRY_MS:
            keys.is_asking, keys.asked_at = True, now
            self._ask(url)


@final
class JwtVerifier:
    """The rules of all accounts, and the tokens that are known to be good."""

    def __init__(self, key_sets: KeySets) -> None:
        self.key_sets = key_sets
        self._rules: dict[AccountId, JwtRules] = {}
        self._by_subject: dict[str, list[JwtRules]] = {}
        self._verified: dict[str, Verified] = {}

    def add(self, rules: JwtRules, now: Timestamp) -> None:
        """An account that takes signed tokens."""
        self.remove(rules.account)
        self._rules[rules.account] = rules
        self._by_subject.setdefault(rules.subject, []).append(rules)
        if rules.keys_url is not None:
            self.key_sets.want(rules.keys_url, now)

    def remove(self, account: AccountId) -> None:
        """It takes none any more: those that were good are not, from now on."""
        self._verified = {token: found for token, found in self._verified.items() if found.account != account}
        rules = self._rules.pop(account, None)
        if rules is None:
            return
        left = [other for other in self._by_subject.pop(rules.subject) if other is not rules]
        if left:
            self._by_subject[rules.subject] = left
        self.key_sets.keep({other.keys_url for other in self._rules.values() if other.keys_url is not None})

    def account_of(self, token: str, named: str | None, now: Timestamp) -> Verified | None:
        """Whose token this is; `WAIT`; or None. `named`: the account in the path. Never waits itself."""
        known = self._verified.get(token)
        if known is not None and now < known.until:
            return known
        said = read_unverified(token)
        if said is None:
            return None
        until = expiry_of(said.claims, now)
        if until is None:
            return None
        found = self._check(token, said, self._candidates(said, named), now)
        if found is None or found is WAIT:
            return found
        verified = Verified(found.account, until)
        if len(self._verified) >= VERIFIED_MAX:
            self._verified = {t: v for t, v in self._verified.items() if now < v.until}
        if len(self._verified) < VERIFIED_MAX:
            self._verified[token] = verified
        return verified

    def _candidates(self, said: Unverified, named: str | None) -> list[JwtRules]:
        if named:
            rules = self._rules.get(AccountId(named))
            return [] if rules is None else [rules]
        subject = said.claims.get("sub")
        return self._by_subject.get(subject, [])[:CANDIDATES_MAX] if type(subject) is str else []

    def _check(self, token: str, said: Unverified, candidates: list[JwtRules], now: Timestamp) -> Verified | None:
        waits = False
        fitting = [rules for rules in candidates if rules.fit(said)]
        for rules in fitting:
            key: OctKey | RSAKey | None = rules.secret
            if said.algorithm == RS256:
                url = rules.keys_url or ""
                key = self.key_sets.find(url, said.key_id, now)
                waits = waits or (key is None and self.key_sets.is_asking(url))
            if key is not None and verify(token, said.algorithm, key):
                return Verified(rules.account, now)
        if not fitting:
            # As much work as for an account that is there: the time says nothing about which ones are (D1).
            verify(token, said.algorithm, _nobodys_key(said.algorithm))
        return WAIT if waits else None


@final
class TokenSigner:
    """Our own tokens for one peer: a fresh one now and then, the same in between."""

    def __init__(self, secret: str, subject: str) -> None:
        """Raises `InvalidRequestError` for a weak secret."""
        self._key = secret_key(secret)
        self._subject = subject

    def __call__(self, now: Timestamp) -> tuple[str, Timestamp]:
        """A token, and when to ask for the next one."""
        # Only what the profile asks for: a peer whose clock is behind would refuse `iat` or `nbf`.
        claims = {"sub": self._subject, "exp": (now + SIGNED_LIFETIME_MS) // 1000}
        return sign(claims, self._key), Timestamp(now + SIGNED_LIFETIME_MS // 2)


@cache
def _nobodys_key(algorithm: str) -> OctKey | RSAKey:
    """A key with which nothing was ever signed."""
    if algorithm == HS256:
        return OctKey.import_key(hashlib.sha256(b"nobody").digest())
    octets = b"".join(hashlib.sha256(b"nobody %d" % i).digest() for i in range(8))
    modulus = int.from_bytes(octets, "big") | 1 << 2047 | 1
    return RSAKey.import_key(RSAPublicNumbers(65_537, modulus).public_key())
