"""Choosing among the branches of a tree of tokens: by one pass, by many, and by walking it by hand."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.instruments import checkpoint
from openflywheel.base.instruments.scoring import by_paths, by_tree, padded, seen
from openflywheel.base.instruments.trie import Trie

sys.path.append(str(Path(__file__).parents[2] / "customize"))
from tiny import tiny

PROMPTS = st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=7), min_size=1, max_size=5)
STRINGS = [[7, 8, 9, 1], [7, 8, 10, 1], [7, 11, 1], [12, 13, 1], [12, 13, 14]]


@pytest.fixture(scope="module", params=["llama", "qwen3"])
def model(request, tmp_path_factory):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield checkpoint.loaded(tiny(tmp_path_factory.mktemp(request.param), request.param))[0]
    torch.set_num_threads(before)


def by_hand(model, trie, prompt):
    """The logits of each edge, after its prompt and the tokens on the way to its node."""
    found = []
    for node, token in trie.edges:
        path = [int(t) for t, on in zip(trie.tokens, trie.ancestors()[node], strict=True) if on][1:]
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([[*prompt, *path]])).logits[0, -1]
        found.append(float(logits[token]))
    return found


@pytest.mark.parametrize("strings", [STRINGS, [[5], [6]], [[5, 6, 7], [5, 6, 8]]])
@pytest.mark.parametrize("way", [by_tree, by_paths])
def test_logits_are_those_of_walking_by_hand(model, way, strings):
    trie = Trie.of(strings)
    prompts = [[20, 21, 22], [30], [40, 41, 42, 43, 44, 45]]
    with torch.inference_mode():
        found = way(model, trie, prompts, 0)
    assert found.shape == (3, len(trie.edges))
    assert found.dtype == np.float64
    for row, prompt in zip(found, prompts, strict=True):
        assert row == pytest.approx(by_hand(model, trie, prompt), abs=2e-4)


@pytest.mark.parametrize("way", [by_tree, by_paths])
def test_neither_the_neighbours_nor_the_padding_change_an_answer(model, way):
    trie, prompts = Trie.of(STRINGS), [[20, 21, 22], list(range(30, 60)), [9]]
    with torch.inference_mode():
        whole, other = way(model, trie, prompts, 0), way(model, trie, prompts, 99)
        each = [way(model, trie, [prompt], 0)[0] for prompt in prompts]
    assert whole == pytest.approx(np.stack(each), abs=2e-4)
    assert whole == pytest.approx(other, abs=2e-4)


@given(PROMPTS, st.integers(0, 3))
def test_padding_stands_at_the_left(prompts, pad):
    ids, known = padded(prompts, pad)
    assert ids.shape == known.shape == (len(prompts), max(map(len, prompts)))
    for row, there, prompt in zip(ids, known, prompts, strict=True):
        assert row[there].tolist() == prompt
        assert there.tolist() == sorted(there.tolist())
        assert set(row[~there].tolist()) <= {pad}


@given(PROMPTS)
def test_who_sees_whom(prompts):
    trie = Trie.of(STRINGS)
    tree = trie.ancestors()[1:, 1:]
    _, known = padded(prompts, 0)
    longest, found = known.shape[1], seen(known, tree)[:, 0]
    assert found.shape == (len(prompts), longest + len(tree), longest + len(tree))
    assert not np.triu(found, 1).any()  # nobody sees what comes later
    assert found.any(axis=2).all()  # and everybody sees something
    for sees, there in zip(found, known, strict=True):
        words = np.flatnonzero(there)
        assert (sees[longest:, :longest] == there).all()
        assert (sees[longest:, longest:] == tree).all()
        assert sees[words][:, words].sum() == len(words) * (len(words) + 1) / 2
        assert not sees[words][:, np.flatnonzero(~there)].any()
