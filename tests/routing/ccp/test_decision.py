"""Which route is used and what is announced of it, decided apart from any peer or time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from interledger.accounts.account import AccountId, Relation
from interledger.clock import Timestamp
from interledger.routing.ccp.decision import Decisions, Heard
from interledger.routing.ccp.log import ForwardingLog
from interledger.routing.ccp.policy import LearnedRoute, LocalRoute

NOW = Timestamp(1_700_000_000_000)
PARENT, PEER, CHILD, LOCAL = Relation.PARENT, Relation.PEER, Relation.CHILD, Relation.LOCAL
OWN = {"test.me": (LocalRoute(None, LOCAL),)}


class Deciding:
    """Peers by name, with what they announce; what was decided of it."""

    def __init__(self, **relations: Relation) -> None:
        self.relations = {AccountId(name): relation for name, relation in relations.items()}
        self.heard: dict[AccountId, dict[str, LearnedRoute]] = {name: {} for name in self.relations}
        self.used: dict[str, str] = {}
        self.thefts: list[tuple[str, str, str | None]] = []
        self.log = ForwardingLog()
        self.decisions = Decisions(
            "test.me",
            bytes(32),
            self.log,
            heard=lambda name: Heard(self.relations[name], self.heard[name]) if name in self.heard else None,
            on_best=self._use,
            on_theft=lambda account, prefix, owner, now: self.thefts.append((account, prefix, owner)),
        )
        self.decisions.set_local(OWN, {"test.me": None})

    def _use(self, prefix: str, account: AccountId | None, route: LearnedRoute | None) -> None:
        if account is None:
            del self.used[prefix]
        else:
            self.used[prefix] = account

    def say(self, name: str, *routes: tuple[str, ...]) -> None:
        """(prefix, nodes on its path beyond the peer) ..."""
        account = AccountId(name)
        for prefix, *path in routes:
            whole = (f"test.{name}", *path)
            self.heard[account][prefix] = LearnedRoute(prefix, whole, bytes(32), (), whole[0], NOW)
        self.decisions.announced(account, [prefix for prefix, *_ in routes])

    def withdraw(self, name: str, *prefixes: str) -> None:
        for prefix in prefixes:
            del self.heard[AccountId(name)][prefix]
        self.decisions.announced(AccountId(name), prefixes)

    def settle(self) -> dict[str, tuple[str, ...]]:
        """Everything that is announced then: prefix -> path."""
        while self.decisions.is_busy:
            self.decisions.decide(3, NOW)
        return {prefix: export.route.path for prefix, export in self.log.exports().items()}


def test_the_best_is_used_and_announced_one_hop_further() -> None:
    at = Deciding(ann=PEER, ben=PEER)
    at.say("ben", ("test.x", "test.x"))
    assert at.settle() == {"test.me": ("test.me",), "test.x": ("test.me", "test.ben", "test.x")}
    at.say("ann", ("test.x", "test.x"))
    at.settle()
    assert at.used == {"test.x": "ann"}
    at.withdraw("ann", "test.x")
    at.settle()
    assert at.used == {"test.x": "ben"}
    at.withdraw("ben", "test.x")
    assert at.settle() == {"test.me": ("test.me",)}
    assert at.used == {}


def test_C1_nobody_takes_our_own_prefix_nor_a_childs() -> None:
    at = Deciding(ann=PEER, kid=CHILD)
    kid = AccountId("kid")
    local = {**OWN, "test.kid": (LocalRoute(kid, CHILD),)}
    at.decisions.set_local(local, {"test.me": None, "test.kid": kid})
    at.say("ann", ("test.me",), ("test.me.alice",), ("test.kid",), ("test.kid.shop",), ("test.kids",))
    at.say("kid", ("test.kid.cellar",), ("test.me.x",))
    at.settle()
    assert at.used == {"test.kids": "ann", "test.kid.cellar": "kid"}
    assert set(at.thefts) == {
        ("ann", "test.me", None),
        ("ann", "test.me.alice", None),
        ("ann", "test.kid", "kid"),
        ("ann", "test.kid.shop", "kid"),
        ("kid", "test.me.x", None),
    }


def test_what_becomes_ours_is_given_back_and_what_is_ours_no_more_is_used_again() -> None:
    at = Deciding(ann=PEER)
    at.say("ann", ("test.kid.x",))
    at.settle()
    assert at.used == {"test.kid.x": "ann"}
    at.decisions.set_local(OWN, {"test.me": None, "test.kid": AccountId("kid")})
    at.settle()
    assert at.used == {}
    at.decisions.set_local(OWN, {"test.me": None})
    at.settle()
    assert at.used == {"test.kid.x": "ann"}


def test_our_own_routes_come_first_while_their_link_is_up() -> None:
    at = Deciding(ann=PEER, ben=PEER)
    ben = AccountId("ben")
    at.decisions.set_local({**OWN, "test.x": (LocalRoute(ben, PEER, ("test.ben",)),)}, {"test.me": None})
    at.say("ann", ("test.x", "test.far"))
    assert at.settle()["test.x"] == ("test.me", "test.ben")
    at.decisions.set_down(ben, is_down=True)
    assert at.settle()["test.x"] == ("test.me", "test.ann", "test.far")
    at.decisions.set_down(ben, is_down=False)
    assert at.settle()["test.x"] == ("test.me", "test.ben")


def test_a_new_address_is_on_every_path() -> None:
    at = Deciding(ann=PEER)
    at.say("ann", ("test.x",), ("test.new.y",))
    at.settle()
    at.decisions.set_address("test.new")
    at.decisions.set_local({"test.new": OWN["test.me"]}, {"test.new": None})
    assert at.settle() == {"test.new": ("test.new",), "test.x": ("test.new", "test.ann")}


def test_DRAGON_comes_and_goes_with_the_cover() -> None:
    at = Deciding(ann=PEER, ben=PEER)
    at.say("ann", ("test.a.b", "test.a"))
    assert set(at.settle()) == {"test.me", "test.a.b"}
    at.say("ben", ("test.a",))
    assert set(at.settle()) == {"test.me", "test.a"}
    assert at.used == {"test.a": "ben", "test.a.b": "ann"}  # we ourselves still know better
    at.withdraw("ben", "test.a")
    assert set(at.settle()) == {"test.me", "test.a.b"}


NAMES = ["ann", "ben", "cat"]
PREFIXES = ["test.a", "test.a.b", "test.a.b.c", "test.ab", "test.me.x", "test.d"]
STEPS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(PREFIXES), st.integers(0, 3), st.booleans()), max_size=40
)


@given(STEPS, st.permutations(range(40)))
def test_what_is_decided_depends_on_what_is_known_not_on_its_order(
    steps: list[tuple[str, str, int, bool]], order: list[int]
) -> None:
    relations = {"ann": PEER, "ben": CHILD, "cat": PARENT}
    step_by_step, at_once = Deciding(**relations), Deciding(**relations)
    for name, prefix, length, is_there in steps:
        if is_there:
            step_by_step.say(name, (prefix, *(f"test.n{i}" for i in range(length))))
        elif prefix in step_by_step.heard[AccountId(name)]:
            step_by_step.withdraw(name, prefix)
        step_by_step.settle()
    at_once.heard = step_by_step.heard
    known = [(name, prefix) for name, routes in at_once.heard.items() for prefix in routes]
    for index in order:
        if index < len(known):
            at_once.decisions.announced(known[index][0], [known[index][1]])
    assert at_once.settle() == step_by_step.settle()
    assert at_once.used == step_by_step.used
