"""Examples as tensors: nothing is lost, nothing is padding that counts, and a seed decides the order."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.customize._scratch.batches import batch, epoch
from openflywheel.customize._tuning.chats import Example

SPECIAL = 8  # the tokens below it are no words


@st.composite
def lessons(draw):
    """Some examples, each known by its first token; lengths, answers and weights are anything."""
    made = []
    for number in range(draw(st.integers(1, 12))):
        prompt = draw(st.lists(st.integers(1, 500), min_size=0, max_size=9))
        answer = draw(st.lists(st.integers(1, 500), min_size=1, max_size=4))
        weight = draw(st.floats(0.001, 5))
        made.append(Example([1_000 + number, *prompt, *answer], 1 + len(prompt), weight))
    return made


def rows(found):
    """Each row of a batch, back as an example."""
    for ids, answers, prompts, weight in zip(
        found.ids, found.answers, found.prompts, found.weights, strict=True
    ):
        length = 1 + int(answers.sum()) + int(prompts.sum())
        yield Example(ids[:length].tolist(), 1 + int(prompts.sum()), float(weight))


def same(one, other):
    return (one.tokens, one.start, one.weight) == (other.tokens, other.start, pytest.approx(other.weight))


def test_the_masks_are_of_what_is_foretold():
    """Of ids[:, 1:]: a token is foretold by the one before it."""
    found = batch([Example([11, 12, 13, 14], 2), Example([21, 22], 1, 0.5)])
    assert found.ids.tolist() == [[11, 12, 13, 14], [21, 22, 0, 0]]
    assert found.answers.tolist() == [[False, True, True], [True, False, False]]
    assert found.prompts.tolist() == [[True, False, False], [False, False, False]]
    assert found.weights.tolist() == [1, 0.5]


def test_token_zero_counts_in_an_answer_and_not_as_padding():
    found = batch([Example([5, 0, 0], 1), Example([5, 6], 1)])
    assert found.answers.tolist() == [[True, True], [True, False]]


@settings(max_examples=40)
@given(lessons())
def test_a_batch_holds_its_examples_and_nothing_else(examples):
    found = batch(examples)
    assert found.ids.shape == (len(examples), max(len(e.tokens) for e in examples))
    assert found.answers.shape == found.prompts.shape == (len(examples), found.ids.shape[1] - 1)
    assert not (found.answers & found.prompts).any()
    assert all(same(row, example) for row, example in zip(rows(found), examples, strict=True))
    assert not found.ids[:, 1:][~(found.answers | found.prompts)].any()


@settings(max_examples=40)
@given(lessons(), st.integers(1, 5), st.integers(0, 3))
def test_an_epoch_shows_every_example_once(examples, size, seed):
    batches = list(epoch(examples, size, np.random.default_rng(seed), 0.0, SPECIAL))
    assert all(1 <= len(each.ids) <= size for each in batches)
    assert len(batches) == -(-len(examples) // size)
    shown = sorted((row for each in batches for row in rows(each)), key=lambda e: e.tokens[0])
    assert all(same(row, example) for row, example in zip(shown, examples, strict=True))


@settings(max_examples=40)
@given(lessons(), st.floats(0.01, 1.0), st.integers(0, 3))
def test_dropped_words_leave_the_order_the_answer_and_what_is_no_word(examples, dropped, seed):
    begun = [Example([2, *e.tokens], e.start + 1, e.weight) for e in examples]  # 2 is no word: it stays
    batches = epoch(begun, 4, np.random.default_rng(seed), dropped, SPECIAL)
    shown = [row for each in batches for row in rows(each)]
    assert len(shown) == len(begun)
    for row in shown:
        whole = [e for e in begun if e.answer == row.answer]
        assert any(_is_part(row.tokens[: row.start], e.tokens[: e.start]) for e in whole)


def _is_part(left, whole):
    """Whether `left` is `whole` without some words, and with everything in it that is no word."""
    rest = iter(whole)
    in_order = all(token in rest for token in left)
    return in_order and [t for t in left if t < SPECIAL] == [t for t in whole if t < SPECIAL]


def test_all_words_can_be_dropped_but_not_what_structures_the_chat():
    [each] = epoch([Example([2, 100, 101, 3, 102, 50], 5)], 4, np.random.default_rng(0), 1.0, SPECIAL)
    assert each.ids.tolist() == [[2, 3, 50]]
    assert each.answers.tolist() == [[False, True]]


def test_the_share_that_is_dropped_is_the_share_asked_for():
    [each] = epoch([Example([*[100] * 4_000, 50], 4_000)], 1, np.random.default_rng(0), 0.25, SPECIAL)
    assert int(each.prompts.sum()) == pytest.approx(3_000, abs=120)


def test_another_epoch_drops_other_words_and_comes_in_another_order():
    examples = [Example([*range(100 * n, 100 * n + 20), 50], 20) for n in range(1, 9)]
    random = np.random.default_rng(0)
    first, second = (
        [row.tokens for each in epoch(examples, 2, random, 0.5, SPECIAL) for row in rows(each)]
        for _ in range(2)
    )
    assert first != second
    assert [t[0] // 100 for t in first] != [t[0] // 100 for t in second]
    assert all(len(e.tokens) == 21 for e in examples)  # the examples themselves stay whole


def test_a_seed_decides():
    examples = [Example([*range(n, 2 * n), 7], n) for n in range(10, 40)]
    orders = [
        [each.ids.tolist() for each in epoch(examples, 4, np.random.default_rng(seed), 0.2, SPECIAL)]
        for seed in (5, 5, 6)
    ]
    assert orders[0] == orders[1] != orders[2]


def test_rows_of_like_length_are_together():
    """Of 200 rows in batches of 10, less than a tenth of what a random order pads."""
    random = np.random.default_rng(0)
    examples = [Example([9] * int(n), int(n) - 1) for n in random.integers(2, 100, 200)]
    words = sum(len(e.tokens) for e in examples)
    padded = sum(each.ids.numel() for each in epoch(examples, 10, random, 0.0, SPECIAL)) - words
    drawn = random.permutation(200).reshape(-1, 10)
    apart = sum(10 * max(len(examples[i].tokens) for i in part) for part in drawn) - words
    assert 0 < padded < apart / 10


def test_a_batch_goes_to_a_device_whole():
    there = batch([Example([1, 2, 3], 1)]).to(torch.device("meta"))
    assert {getattr(there, name).device.type for name in there.__struct_fields__} == {"meta"}
