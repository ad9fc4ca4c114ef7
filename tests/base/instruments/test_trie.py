"""What constrained decoding may write, against walking through the tree by hand."""

import numpy as np
import pytest

from openflywheel.base.instruments.trie import Trie

STRINGS = [[1, 2, 9], [1, 3, 4, 9], [1, 3, 5, 9], [6, 7, 8, 9], [1, 9]]


def by_hand(string, logits_after, strings):
    """The product of softmaxes over what may follow each beginning of a string."""
    total = 0.0
    for i, token in enumerate(string):
        allowed = sorted({s[i] for s in strings if len(s) > i and s[:i] == string[:i]})
        logits = logits_after(tuple(string[:i]))
        total += logits[token] - np.logaddexp.reduce([logits[t] for t in allowed])
    return total


def beginnings(trie):
    """The tokens that lead to each node."""
    found = [()]
    for parent, token in zip(trie.parents[1:], trie.tokens[1:], strict=True):
        found.append((*found[parent], int(token)))
    return found


def test_only_nodes_that_choose_and_those_before_them_are_kept():
    trie = Trie.of(STRINGS)
    assert beginnings(trie) == [(), (1,), (1, 3)]
    assert trie.depths.tolist() == [0, 1, 2]
    assert trie.edges.tolist() == [[0, 1], [0, 6], [1, 2], [1, 3], [1, 9], [2, 4], [2, 5]]


def test_a_node_that_does_not_choose_is_kept_where_one_below_it_does():
    trie = Trie.of([[1, 2, 3], [1, 2, 4]])
    assert beginnings(trie) == [(), (1,), (1, 2)]
    assert trie.edges.tolist() == [[2, 3], [2, 4]]


def test_probabilities_are_those_of_walking_by_hand():
    trie, random = Trie.of(STRINGS), np.random.default_rng(0)
    logits = {
        place: random.normal(size=(10,)) for place in [(), (1,), (1, 3), (1, 2), (6,), (6, 7), (1, 3, 4)]
    }

    def after(place):
        return logits.get(place, np.zeros(10))

    chosen = np.array([[after(beginnings(trie)[node])[token] for node, token in trie.edges]])
    found = trie.log_probabilities(chosen)[0]
    assert found == pytest.approx([by_hand(s, after, STRINGS) for s in STRINGS], abs=1e-12)
    assert np.exp(found).sum() == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_probabilities_of_any_tree_sum_to_one(seed):
    random = np.random.default_rng(seed)
    drawn = {tuple(random.integers(0, 3, random.integers(1, 6)).tolist()) for _ in range(40)}
    trie = Trie.of([[*s, 9] for s in sorted(drawn)])
    logits = random.normal(size=(4, len(trie.edges))) * 20
    assert np.exp(trie.log_probabilities(logits)).sum(axis=1) == pytest.approx(1)


def test_huge_logits_do_not_overflow():
    trie = Trie.of([[1], [2]])
    assert trie.log_probabilities(np.array([[1e4, -1e4]])).tolist() == [[0, -2e4]]


def test_a_node_sees_its_ancestors_and_itself_alone():
    trie = Trie.of([[1, 2, 9], [1, 2, 8], [3, 4], [3, 5]])
    assert beginnings(trie) == [(), (1,), (3,), (1, 2)]
    assert trie.ancestors().astype(int).tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 0, 1]]


def test_one_string_is_certain():
    trie = Trie.of([[1, 2]])
    assert len(trie.tokens) == 1
    assert trie.log_probabilities(np.zeros((3, 0))).tolist() == [[0], [0], [0]]


@pytest.mark.parametrize("strings", [[[1, 2], [1]], [[1, 2], [1, 2]]])
def test_strings_that_cannot_be_told_apart_are_refused(strings):
    with pytest.raises(ValueError, match="also how another label begins"):
        Trie.of(strings)
