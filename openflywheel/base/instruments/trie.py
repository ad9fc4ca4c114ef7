"""Labels as paths through a tree of tokens: what constrained decoding may write, and how likely each is.

A model that is held to a set of strings chooses, after each token, among those tokens that lead on to one of
them (De Cao et al. 2021, arXiv 2010.00904). So the probability of a string is the product of its choices,
each a softmax over the branches alone; where there is one branch, nothing is chosen and nothing computed.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Tokens = Sequence[int]
Places = NDArray[np.intp]


class Trie(Struct, frozen=True):
    """The nodes at which something is chosen, with those before them; node 0 is the end of the prompt.

    tokens, parents, depths: of each node, shape (nodes,); the root's are -1, -1 and 0.
    edges: the choices, as pairs (node, token) ordered by node, shape (choices, 2).
    starts: where the choices of each choosing node begin among the edges.
    paths: the choices that make up each string, shape (strings, most choices), filled up with len(edges).
    """

    tokens: Places
    parents: Places
    depths: Places
    edges: Places
    starts: Places
    paths: Places

    @classmethod
    def of(cls, strings: Sequence[Tokens]) -> Self:
        """The tree of some strings of tokens. Raises ValueError when one is how another begins."""
        choices = _choices([tuple(s) for s in strings])
        nodes = _nodes([prefix for prefix, tokens in choices.items() if len(tokens) > 1])
        edges = [
            (i, token) for i, p in enumerate(nodes) if len(choices[p]) > 1 for token in sorted(choices[p])
        ]
        place, number = {edge: i for i, edge in enumerate(edges)}, {p: i for i, p in enumerate(nodes)}
        paths = [_path(tuple(s), number, place) for s in strings]
        most = max(map(len, paths), default=0)
        return cls(
            tokens=np.array([p[-1] if p else -1 for p in nodes], np.intp),
            parents=np.array([number[p[:-1]] if p else -1 for p in nodes], np.intp),
            depths=np.array([len(p) for p in nodes], np.intp),
            edges=np.array(edges, np.intp).reshape(-1, 2),
            starts=np.unique([node for node, _ in edges], return_index=True)[1].astype(np.intp),
            paths=np.array([p + [len(edges)] * (most - len(p)) for p in paths], np.intp).reshape(
                len(paths), most
            ),
        )

    def ancestors(self) -> NDArray[np.bool_]:
        """Which nodes (columns) lie on the way to each node (rows), itself among them."""
        found = np.eye(len(self.tokens), dtype=np.bool_)
        for node in range(1, len(self.tokens)):  # parents stand before their children
            found[node] |= found[self.parents[node]]
        return found

    def log_probabilities(self, chosen: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-probability of each string, shape (n, strings), from the logits of `edges`, (n, choices)."""
        if not len(self.edges):
            return np.zeros((len(chosen), len(self.paths)))
        total = np.logaddexp.reduceat(chosen, self.starts, axis=1)
        sizes = np.diff(np.append(self.starts, len(self.edges)))
        steps = np.pad(chosen - np.repeat(total, sizes, axis=1), ((0, 0), (0, 1)))
        found: NDArray[np.float64] = steps[:, self.paths].sum(axis=2)
        return found


def _choices(strings: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], set[int]]:
    """What may follow each beginning of a string."""
    choices: dict[tuple[int, ...], set[int]] = {}
    for string in strings:
        for i, token in enumerate(string):
            choices.setdefault(string[:i], set()).add(token)
    if unclear := [s for s, times in Counter(strings).items() if times > 1 or s in choices]:
        raise ValueError(f"the tokens {unclear[0]} are also how another label begins")
    return choices


def _nodes(choosing: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The root, the choosing nodes and all before them, parents first."""
    return sorted({(), *(p[:i] for p in choosing for i in range(1, len(p) + 1))}, key=lambda p: (len(p), p))


def _path(
    string: tuple[int, ...], number: dict[tuple[int, ...], int], place: dict[tuple[int, int], int]
) -> list[int]:
    steps = [(number[string[:i]], token) for i, token in enumerate(string) if string[:i] in number]
    return [place[step] for step in steps if step in place]
