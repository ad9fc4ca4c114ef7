"""The logits by which a model chooses among the branches of a trie, for many prompts at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openflywheel.base.instruments.trie import Trie

Flags = NDArray[np.bool_]
Ids = NDArray[np.int64]


def by_tree(model: Any, trie: Trie, prompts: Sequence[list[int]], pad: int) -> NDArray[np.float64]:
    """The logits of the trie's edges, shape (len(prompts), edges), by one pass a prompt.

    The nodes of the trie follow the prompt, and each sees the prompt and its own ancestors alone: tree
    attention (Miao et al. 2024, arXiv 2305.09781).
    """
    ids, known = padded(prompts, pad)
    below = len(trie.tokens) - 1
    places = np.concatenate([known.cumsum(axis=1), known.sum(axis=1)[:, None] + trie.depths[1:]], axis=1)
    logits = _logits(
        model,
        below + 1,
        input_ids=np.concatenate([ids, np.broadcast_to(trie.tokens[1:], (len(ids), below))], axis=1),
        attention_mask=seen(known, trie.ancestors()[1:, 1:]),
        position_ids=np.maximum(places - 1, 0),
    )
    chosen: NDArray[np.float64] = logits[:, trie.edges[:, 0], trie.edges[:, 1]].double().cpu().numpy()
    return chosen


def by_paths(model: Any, trie: Trie, prompts: Sequence[list[int]], pad: int) -> NDArray[np.float64]:
    """The same, by a pass for each choosing node: for models that carry a state from token to token."""
    chosen = np.empty((len(prompts), len(trie.edges)))
    for node in np.unique(trie.edges[:, 0]):
        path = trie.tokens[np.flatnonzero(trie.ancestors()[node])[1:]].tolist()
        ids, known = padded([[*prompt, *path] for prompt in prompts], pad)
        logits = _logits(model, 1, input_ids=ids, attention_mask=known.astype(np.int64))
        edges = trie.edges[:, 0] == node
        chosen[:, edges] = logits[:, 0, trie.edges[edges, 1]].double().cpu().numpy()
    return chosen


def _logits(model: Any, last: int, **given: NDArray[Any]) -> Any:
    """Of the `last` positions, shape (n, last, tokens)."""
    import torch  # noqa: PLC0415  seconds, and only those who ask a model have it

    tensors = {name: torch.from_numpy(array).to(model.device) for name, array in given.items()}
    return model(**tensors, logits_to_keep=last, use_cache=False).logits


def padded(prompts: Sequence[list[int]], pad: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Prompts with padding at their left, and where there is none, both of shape (prompts, longest)."""
    longest = max(map(len, prompts))
    ids = np.full((len(prompts), longest), pad, np.int64)
    for row, prompt in zip(ids, prompts, strict=True):
        row[longest - len(prompt) :] = prompt
    lengths = np.array([len(p) for p in prompts])
    return ids, np.arange(longest) >= (longest - lengths)[:, None]


def seen(known: NDArray[np.bool_], tree: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Who sees whom, shape (n, 1, longest + nodes, longest + nodes): prompts causally, nodes by the tree.

    Padding sees itself, since a softmax over nothing is not a number.
    """
    n, longest = known.shape
    whole = longest + len(tree)
    sees = np.zeros((n, whole, whole), np.bool_)
    sees[:, :longest, :longest] = np.tri(longest, dtype=np.bool_) & known[:, None, :]
    sees[:, longest:, :longest] = known[:, None, :]
    sees[:, longest:, longest:] = tree
    return (sees | np.eye(whole, dtype=np.bool_))[:, None]
