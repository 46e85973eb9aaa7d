"""The shapes of simulated networks, and the shortest ways through them."""

from __future__ import annotations

import itertools
import random
from collections import deque
from typing import Final, NamedTuple

__all__ = ["Edge", "Shape", "make_shape", "ways_from"]

ROOT: Final = "test"


class Edge(NamedTuple):
    """Two neighbours. `is_child`: the second one's address lies below the first one's."""

    left: str
    right: str
    is_child: bool = False


class Shape(NamedTuple):
    """Nodes by address, and who accounts with whom."""

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]


def make_shape(name: str, dice: random.Random) -> Shape:
    """One of `options.TOPOLOGIES`."""
    kind, _, count = name.partition(" ")
    if kind == "line":
        return _chain(int(count), closed=False)
    if kind == "ring":
        return _chain(dice.randint(3, 6), closed=True)
    if kind == "star":
        nodes = _names(dice.randint(4, 6))
        return Shape(nodes, tuple(Edge(nodes[0], other) for other in nodes[1:]))
    if kind == "tree":
        return _tree(dice)
    if kind == "mesh":
        nodes = _names(5)
        return Shape(nodes, tuple(Edge(a, b) for i, a in enumerate(nodes) for b in nodes[i + 1 :]))
    # dual-homed: a customer of two nodes of a line
    core = _chain(3, closed=False)
    home = f"{ROOT}.n3"
    return Shape((*core.nodes, home), (*core.edges, Edge(core.nodes[0], home), Edge(core.nodes[2], home)))


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"{ROOT}.n{number}" for number in range(count))


def _chain(count: int, *, closed: bool) -> Shape:
    nodes = _names(count)
    edges = [Edge(a, b) for a, b in itertools.pairwise(nodes)]
    return Shape(nodes, tuple([*edges, Edge(nodes[-1], nodes[0])] if closed else edges))


def _tree(dice: random.Random) -> Shape:
    """Two roots that are peers, children below them."""
    nodes = list(_names(2))
    edges = [Edge(nodes[0], nodes[1])]
    for number in range(dice.randint(2, 4)):
        parent = dice.choice(nodes[:2])
        nodes.append(f"{parent}.c{number}")
        edges.append(Edge(parent, nodes[-1], is_child=True))
    return Shape(tuple(nodes), tuple(edges))


def ways_from(shape: Shape, start: str) -> dict[str, str]:
    """Every other node -> the neighbour of `start` that a shortest way to it begins with."""
    beside: dict[str, list[str]] = {node: [] for node in shape.nodes}
    for left, right, _ in shape.edges:
        beside[left].append(right)
        beside[right].append(left)
    first: dict[str, str] = {}
    queue = deque((other, other) for other in beside[start])
    while queue:
        node, by = queue.popleft()
        if node == start or node in first:
            continue
        first[node] = by
        queue.extend((other, by) for other in beside[node])
    return first
