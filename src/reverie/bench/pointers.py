"""A sum tree of linked nodes, as a yardstick for the arrays of `replay/tree.py`; used here only."""

import random
from typing import Any


class Node:
    """A sum over its children, which are nodes or, at the bottom, weights."""

    __slots__ = ("children", "parent", "slot", "total")

    def __init__(self, parent: "Node | None", slot: int):
        self.parent, self.slot = parent, slot
        self.children: list[Any] = []
        self.total = 0.0


class PointerTree:
    """Weights at the leaves of a tree with `branching` children a node, every sum exact."""

    def __init__(self, size: int, branching: int = 16):
        self._branching = branching
        level: list[Node] = []
        for begin in range(0, size, branching):
            node = Node(None, 0)
            node.children = [1.0] * min(branching, size - begin)
            node.total = float(len(node.children))
            level.append(node)
        self._leaves = level
        while len(level) > 1:
            level = [self._join(level[i : i + branching]) for i in range(0, len(level), branching)]
        self._root = level[0]

    def set(self, index: int, weight: float) -> None:
        """Change one weight and the sums above it."""
        node: Node | None = self._leaves[index // self._branching]
        assert node is not None
        node.children[index % self._branching] = weight
        node.total = sum(node.children)
        while (node := node.parent) is not None:
            node.total = sum(child.total for child in node.children)

    def draw(self, rng: random.Random) -> int:
        """A leaf in proportion to its weight."""
        node = self._root
        path = 0
        while isinstance(node.children[0], Node):
            slot = self._pick([child.total for child in node.children], rng)
            path, node = path * self._branching + slot, node.children[slot]
        return path * self._branching + self._pick(node.children, rng)

    def _pick(self, weights: list[float], rng: random.Random) -> int:
        return rng.choices(range(len(weights)), weights)[0]

    def _join(self, nodes: list[Node]) -> Node:
        parent = Node(None, 0)
        parent.children = nodes
        parent.total = sum(node.total for node in nodes)
        for slot, node in enumerate(nodes):
            node.parent, node.slot = parent, slot
        return parent
