"""What a network of speakers knows after a while: who is reached, by which way, and what is believed of whom."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from interledger.accounts.account import Relation
from tests.support.ccp_kit import Net, Node, walk

PEER, CHILD, PARENT = Relation.PEER, Relation.CHILD, Relation.PARENT


def ring(net: Net, *names: str) -> list[Node]:
    nodes = [net.node(f"test.{name}") for name in names]
    for left, right in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
        net.connect(left, right)
    return nodes


def test_CR_29_a_ring_knows_all_and_finds_the_other_way_round() -> None:
    net = Net()
    a, b, c, d = ring(net, "a", "b", "c", "d")
    net.run(2_000)
    for node in (a, b, c, d):
        for other in (a, b, c, d):
            assert len(walk(node, other.address, net.nodes.values())) <= 3
    assert walk(a, "test.b", net.nodes.values()) == ["test.a", "test.b"]
    link = a.links[next(account for account in a.links if account == "b")][1]
    net.set_up(link, is_up=False)
    net.run(2_000)
    assert walk(a, "test.b", net.nodes.values()) == ["test.a", "test.d", "test.c", "test.b"]
    net.set_up(link)
    net.run(2_000)
    assert walk(a, "test.b", net.nodes.values()) == ["test.a", "test.b"]


def test_a_node_that_joins_is_known_everywhere_and_one_that_goes_nowhere() -> None:
    net = Net()
    nodes = ring(net, "a", "b", "c", "d")
    net.run(2_000)
    late = net.node("test.late")
    link = net.connect(nodes[2], late)
    net.run(2_000)
    assert [node.next_hop("test.late") is not None for node in nodes] == [True] * 4
    assert walk(late, "test.a", net.nodes.values())[-1] == "test.a"
    net.set_up(link, is_up=False)
    net.run(3_000)
    assert [node.next_hop("test.late") for node in nodes] == [None] * 4


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.1, 0.4]),
    st.sampled_from([(1, 1), (1, 400), (50, 5_000)]),
    st.data(),
)
def test_two_ends_hold_the_same_table_after_any_loss_duplication_and_reorder(
    seed: int, loss: float, delay_ms: tuple[int, int], data: st.DataObject
) -> None:
    """C6: whatever happens on the way, restarts of either side included: when it is over, both know the same."""
    net = Net(seed, loss=loss, duplicate=loss, delay_ms=delay_ms)
    left, right = net.node("test.left"), net.node("test.right")
    link = net.connect(left, right)
    for _ in range(data.draw(st.integers(1, 12))):
        what = data.draw(st.sampled_from(["change", "change", "change", "cut", "restart left", "restart right"]))
        if what == "change":
            count = data.draw(st.integers(0, 130))
            left.originate(*(f"test.x{net.dice.randint(0, 200)}.y" for _ in range(count)))
        elif what == "cut":
            net.set_up(link, is_up=not link.is_up)
        else:
            (left if what == "restart left" else right).restart()
        net.run(data.draw(st.sampled_from([0, 10, 200, 3_000, 60_000])))
    net.set_up(link)
    net.loss = net.duplicate = 0.0
    net.run(200_000)
    assert set(right.best) == set(left.local)
    assert all(route.path == ("test.left",) for _, route in right.best.values())
    assert set(left.best) == {"test.right"}


def test_a_silent_peer_is_not_taken_for_up_again_because_somebody_says_so() -> None:
    """Or the one who says so whenever that changes would say it for ever."""
    net = Net()
    a, b, c = (net.node(f"test.{name}") for name in "abc")
    link = net.connect(a, b)
    net.connect(a, c)
    net.run(1_000)
    link.epoch += 1  # what is under way is lost
    net.loss = 1.0
    net.run(46_000)
    assert a.speaker.silent == {"b", "c"}
    a.speaker.link_up(next(iter(a.links)), net.now)
    a.speaker.handle_timer(net.now)
    assert a.speaker.silent == {"b", "c"}
    net.loss = 0.0
    net.run(60_000)
    assert a.speaker.silent == frozenset()
    assert set(a.best) == {"test.b", "test.c"}
