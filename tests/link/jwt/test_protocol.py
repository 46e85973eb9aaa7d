"""Whose a signed token is: by the path or by its subject, once while it is good, and only with the right key."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from interledger.accounts.account import Account, AccountId, LinkSettings
from interledger.accounts.asset import Asset
from interledger.clock import Timestamp
from interledger.ilp.address import Address
from interledger.link.jwt import protocol
from interledger.link.jwt.messages import secret_key, sign
from interledger.link.jwt.protocol import WAIT, JwtRules, JwtVerifier, KeySets, TokenSigner

NOW = Timestamp(1_795_262_400_000)
SECRETS = {name: f"the secret of {name}".ljust(32, ".") for name in ("alice", "bob", "carol")}
URL = "https://issuer.example/keys"
OLD, NEW = RSAKey.generate_key(2048), RSAKey.generate_key(2048)


def rules(name: str, **link: Any) -> JwtRules:
    account = Account(
        id=AccountId(name), asset=Asset("USD", 9), ilp_address=Address(f"test.{name}"), link=LinkSettings(**link)
    )
    found = JwtRules.of(account)
    assert found is not None
    return found


class World:
    """Some accounts, and a place with keys that answers when the test says so."""

    def __init__(self, *accounts: JwtRules) -> None:
        self.asked: list[str] = []
        self.keys = KeySets(self.asked.append)
        self.verifier = JwtVerifier(self.keys)
        for account in accounts:
            self.verifier.add(account, NOW)

    def whose(self, token: str, named: str | None = None, at: int = NOW) -> str | None:
        found = self.verifier.account_of(token, named, Timestamp(at))
        return None if found is None else "wait" if found is WAIT else found.account


def hs(name: str, **claims: Any) -> str:
    claims = {"sub": name, "exp": NOW // 1000 + 60, **claims}
    return sign({key: value for key, value in claims.items() if value is not None}, secret_key(SECRETS[name]))


def rs(key: RSAKey = OLD, kid: str | None = "old", **claims: Any) -> str:
    claims = {"sub": "dave", "iss": "issuer", "aud": "hub", "exp": NOW // 1000 + 60, **claims}
    header = {"alg": "RS256"} | ({} if kid is None else {"kid": kid})
    return jwt.encode(header, {name: value for name, value in claims.items() if value is not None}, key)


ALICE = rules("alice", http_incoming_jwt_secret=SECRETS["alice"])
BOB = rules("bob", http_incoming_jwt_secret=SECRETS["bob"], http_jwt_require_subject=False)
CAROL = rules("carol", http_incoming_jwt_secret=SECRETS["carol"], http_jwt_subject="them", http_jwt_issuer="i")
DAVE = rules("dave", http_jwks_url=URL, http_jwt_issuer="issuer", http_jwt_audience="hub")


@pytest.mark.parametrize(
    ("token", "named", "expected"),
    [
        (hs("alice"), "alice", "alice"),
        (hs("alice"), None, "alice"),
        (hs("alice"), "", "alice"),
        (hs("alice"), "bob", None),
        (hs("alice"), "nobody", None),
        (hs("alice", sub="bob"), None, None),
        (hs("alice", sub="bob"), "alice", None),
        (hs("alice", sub=None), "alice", None),
        (hs("alice", sub=None), None, None),
        (hs("alice", sub=["alice"]), None, None),
        # ilp-plugin-http names nobody; what is named has to be right all the same.
        (hs("bob", sub=None), "bob", "bob"),
        (hs("bob", sub=None), None, None),
        (hs("bob", sub="alice"), "bob", None),
        # Names that were agreed on.
        (hs("carol", sub="them", iss="i"), "carol", "carol"),
        (hs("carol", sub="them", iss="i"), None, "carol"),
        (hs("carol", iss="i"), "carol", None),
        (hs("carol", sub="them"), "carol", None),
        (hs("carol", sub="them", iss="i", exp=NOW // 1000 + 400), "carol", None),
        # Keys of a set: all three names have to be there.
        (rs(), "dave", "dave"),
        (rs(), None, "dave"),
        (rs(kid=None), "dave", "dave"),
        (rs(aud=["x", "hub"]), "dave", "dave"),
        (rs(sub=None), "dave", None),
        (rs(iss="other"), "dave", None),
        (rs(iss=None), "dave", None),
        (rs(aud="other"), "dave", None),
        (rs(aud=None), "dave", None),
        (rs(NEW), "dave", None),
        (rs(), "alice", None),
        # A secret is no way in for an account that has none.
        (hs("alice", sub="dave", iss="issuer", aud="hub"), "dave", None),
        ("an opaque token", "alice", None),
        ("", None, None),
    ],
)
def test_HT_06_whose_it_is(token: str, named: str | None, expected: str | None) -> None:
    world = World(ALICE, BOB, CAROL, DAVE)
    world.keys.put(URL, {"old": OLD}, NOW)
    assert world.whose(token, named) == expected


def test_a_token_is_checked_once_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(ALICE)
    token = hs("alice")
    assert world.whose(token, "alice") == "alice"
    monkeypatch.setattr(protocol, "verify", lambda *_: pytest.fail("checked again"))
    assert world.whose(token, "alice", NOW + 64_999) == "alice"
    assert world.whose(token, "alice", NOW + 65_000) is None


def test_a_change_of_the_account_forgets_its_tokens() -> None:
    world = World(ALICE, BOB)
    token, other = hs("alice"), hs("bob")
    assert (world.whose(token), world.whose(other, "bob")) == ("alice", "bob")
    world.verifier.add(rules("alice", http_incoming_jwt_secret="another secret that is long enough"), NOW)
    assert (world.whose(token), world.whose(other, "bob")) == (None, "bob")
    world.verifier.remove(AccountId("bob"))
    world.verifier.remove(AccountId("bob"))
    assert world.whose(other, "bob") is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "VERIFIED_MAX", 3)
    world = World(ALICE)
    for number in range(10):
        assert world.whose(hs("alice", jti=str(number))) == "alice"
    assert len(world.verifier._verified) == 3
    late = hs("alice", exp=NOW // 1000 + 200)
    assert world.whose(late, at=NOW + 100_000) == "alice"
    assert len(world.verifier._verified) == 1


def test_two_accounts_with_one_subject_are_told_apart_by_their_keys() -> None:
    both = [rules(name, http_incoming_jwt_secret=SECRETS[name], http_jwt_subject="us") for name in ("alice", "bob")]
    world = World(*both)
    assert [world.whose(hs(name, sub="us")) for name in ("alice", "bob")] == ["alice", "bob"]
    world.verifier.remove(AccountId("alice"))
    assert [world.whose(hs(name, sub="us")) for name in ("alice", "bob")] == [None, "bob"]


def test_D1_a_token_for_nobody_costs_what_a_wrong_one_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """By construction: one signature is checked, whether the account is there or not."""
    checked: list[str] = []
    monkeypatch.setattr(protocol, "verify", lambda token, algorithm, key: checked.append(algorithm) or False)
    world = World(ALICE, DAVE)
    world.keys.put(URL, {"old": OLD}, NOW)
    wrong = [(hs("bob"), "alice"), (hs("alice"), "nobody"), (hs("bob"), None), (rs(), "alice"), (rs(), "x")]
    for token, named in wrong:
        checked.clear()
        assert world.whose(token, named) is None
        assert len(checked) == 1


def test_nobody_s_keys_verify_nothing() -> None:
    assert protocol.verify(hs("alice"), "HS256", protocol._nobodys_key("HS256")) is False
    assert protocol.verify(rs(), "RS256", protocol._nobodys_key("RS256")) is False


# ---------------------------------------------------------------- keys that have to be fetched


def test_a_key_that_is_being_fetched_is_waited_for_by_trying_again() -> None:
    world = World(DAVE)
    assert world.asked == [URL]
    assert world.whose(rs(), "dave") == "wait"
    assert world.whose(rs(iss="other"), "dave") is None  # nothing that comes could make it good
    world.keys.put(URL, {"old": OLD}, NOW)
    assert world.whose(rs(), "dave") == "dave"
    assert world.asked == [URL]


def test_keys_change_places() -> None:
    world = World(DAVE)
    world.keys.put(URL, {"old": OLD}, NOW)
    later = NOW + 20_000
    fresh = rs(NEW, "new")
    assert world.whose(fresh, at=later) == "wait"
    assert world.whose(rs(), at=later) == "dave"  # the old key goes on
    world.keys.put(URL, {"new": NEW}, Timestamp(later))
    assert world.whose(fresh, at=later) == "dave"
    assert world.whose(rs(jti="2"), at=later) is None  # taken back
    assert world.asked == [URL, URL]


def test_made_up_key_ids_do_not_make_us_ask_without_end() -> None:
    world = World(DAVE)
    world.keys.put(URL, {"old": OLD}, NOW)
    for number in range(100):
        assert world.whose(rs(NEW, f"made up {number}"), at=NOW + 11_000 + number) == "wait"
    world.keys.failed(URL)
    assert world.whose(rs(NEW, "x"), at=NOW + 12_000) is None
    assert world.asked == [URL, URL]


def test_old_keys_count_while_new_ones_cannot_be_had_but_not_for_ever() -> None:
    world = World(DAVE)
    world.keys.put(URL, {"old": OLD}, NOW)
    for hours, expected in [(1, "dave"), (23, "dave"), (25, None)]:
        at = NOW + hours * 3_600_000
        found = world.whose(rs(exp=at // 1000 + 60), at=at)
        world.keys.failed(URL)
        assert found == expected or (expected is None and found == "wait")
    assert world.asked == [URL] * 4


def test_keys_nobody_needs_are_forgotten() -> None:
    world = World(DAVE)
    world.keys.put(URL, {"old": OLD}, NOW)
    world.verifier.remove(AccountId("dave"))
    world.keys.put(URL, {"old": OLD}, NOW)
    world.keys.failed(URL)
    assert not world.keys.is_asking(URL)
    assert world.keys.find(URL, "old", NOW) is None


# ---------------------------------------------------------------- our own tokens


def test_our_token_is_fresh_and_the_same_for_a_minute() -> None:
    signer = TokenSigner(SECRETS["alice"], "alice")
    token, renew_at = signer(NOW)
    assert renew_at == NOW + 60_000
    assert World(ALICE).whose(token) == "alice"
    assert World(ALICE).whose(token, at=NOW + 119_000) == "alice"
    assert signer(Timestamp(renew_at))[0] != token


def test_accounts_without_signed_tokens_have_no_rules() -> None:
    account = Account(id=AccountId("erin"), asset=Asset("USD", 9), ilp_address=Address("test.erin"))
    assert JwtRules.of(account) is None
