import numpy as np
import pytest

from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson
from openflywheel.customize._retriever import contrast, joining
from openflywheel.customize._retriever.lexical import index
from openflywheel.customize._retriever.negatives import mined
from openflywheel.customize._retriever.pairs import Question, pairs, questions


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def click(text, item, weight=1.0):
    return Row(text=text, source="t", labels={"find": item}, weight=weight)


def test_same_questions_stand_together_and_their_items_add_up():
    rows = [click("a lamp", "x", 2), click(" a lamp ", "x"), click("a lamp", "y"), click("a desk", "y", 0)]
    found, unknown = questions([*rows, click("", "x"), click("old", "gone")], "find", ["x", "y"])
    assert found == [Question("a lamp", {0: 3.0, 1: 1.0})]
    assert unknown == 1


def test_an_item_that_comes_twice_has_its_newest_text():
    items = [
        Row(text=text, source="t", meta={"item": id}) for text, id in [("old", "a"), ("b", "b"), ("new", "a")]
    ]
    clicks = [click(f"question {i}", "ab"[i % 2]) for i in range(60)]
    dataset = Dataset(name="d", task="find", role="train", rows=(), recipe="")
    found = pairs(Lesson(dataset, clicks[:40], "rank", clicks[40:60], items=items))
    assert dict(zip(found.ids, found.texts, strict=True)) == {"a": "new", "b": "b"}
    assert (len(found.taught), len(found.choosing), found.apart) == (40, 20, False)


def test_questions_about_one_item_stay_on_one_side():
    items = [Row(text=f"item {i}", source="t", meta={"item": str(i)}) for i in range(40)]
    clicks = [click(f"question {i} {j}", str(i)) for i in range(40) for j in range(3)]
    dataset = Dataset(name="d", task="find", role="train", rows=(), recipe="")
    found = pairs(Lesson(dataset, clicks, "rank", items=items))
    taught, choosing = ({min(q.right) for q in part} for part in (found.taught, found.choosing))
    assert found.apart
    assert choosing
    assert not taught & choosing


def test_mined_items_are_near_and_wrong_and_no_copies_and_were_chosen_by_somebody():
    texts = ["red kettle", "red kettle!", "red pot", "blue car", "red kettle new"]
    items = NgramEncoder().encode(texts)
    asked = [Question("red kettle please", {0: 1.0}), Question("pot", {2: 1.0}), Question("car", {3: 1.0})]
    asked.append(Question("kettle!", {1: 1.0}))
    vectors = NgramEncoder().encode([q.text for q in asked])
    items[1] = items[0]  # says the same
    found = mined(asked, vectors, items, index(texts))
    assert set(found[0]) == {2, 3}  # not 0: right, 1: a copy, 4: nobody chose it
    assert set(found[2]) == {0, 1, 2}


def shown(n=64, width=12, seed=0):
    """Questions whose coordinates stand in another order than those of their items."""
    random = np.random.default_rng(seed)
    items = unit(random.normal(size=(n, width)))
    vectors = items[:, random.permutation(width)]
    asked = [Question(str(i), {i: 1.0}) for i in range(n)]
    return contrast.Shown(asked, vectors, items, [np.array([(i + 1) % n]) for i in range(n)])


def test_the_slopes_are_those_of_the_loss():
    data, among, batch = shown(n=10, width=4), np.arange(10), np.arange(6)
    random = np.random.default_rng(1)
    turns = [random.normal(scale=0.3, size=(4, 4)) for _ in range(2)]
    data = contrast.Shown(data.questions, data.vectors.astype(float), data.items.astype(float), data.wrong)

    def loss(turns):
        return contrast._slopes(data, batch, among, turns)[0] + contrast.DECAY * sum(
            (t**2).sum() for t in turns
        )

    _, slopes = contrast._slopes(data, batch, among, turns)
    for which in range(2):
        for place in ((0, 0), (1, 3), (2, 1)):
            moved = [[t.copy() for t in turns] for _ in range(2)]
            moved[0][which][place] += 1e-3
            moved[1][which][place] -= 1e-3
            assert slopes[which][place] == pytest.approx(
                (loss(moved[0]) - loss(moved[1])) / 2e-3, rel=0.02, abs=2e-3
            )


def test_a_turn_is_learned_and_the_best_round_is_kept(monkeypatch):
    monkeypatch.setattr(contrast, "RATE", 0.01)  # 12 numbers need fewer steps than 384
    data, seen = shown(), []

    def judge(question, item):
        return joining.gain(
            data.questions,
            contrast._forward(data.vectors, question)[0],
            contrast._forward(data.items, item)[0],
        )

    turns, rounds = contrast.tuned(data, judge, 0, seen.append)
    figures = [facts["ndcg@10"] for facts in seen]
    assert judge(*turns.both()) == max(figures) > judge(*contrast._nothing(data).both()) + 0.3
    assert figures[rounds - 1] == max(figures)
    assert len(figures) == min(contrast.ROUNDS, rounds + contrast.PATIENCE)
    again = contrast.tuned_for(data, rounds, 0)
    assert np.array_equal(again.question, turns.question)


def test_where_nothing_helps_the_turns_stay_nothing():
    data = shown(n=8)
    turns, rounds = contrast.tuned(
        data, lambda question, item: -float(np.abs(question).sum()), 0, lambda facts: None
    )
    assert rounds == 0
    assert not turns.question.any()
    assert not contrast.tuned_for(data, 0, 0).item.any()


def test_a_large_catalogue_is_sampled_and_the_batch_keeps_its_own(monkeypatch):
    monkeypatch.setattr(contrast, "MOST", 20)
    data, batch = shown(), np.arange(8)
    found = contrast._beside(data, batch, contrast._pool(data), np.random.default_rng(0))
    assert len(found) == 20
    assert set(range(9)) <= set(found)  # the right ones, and those mined as wrong
    assert np.array_equal(found, np.sort(found))


def test_copies_of_a_right_item_are_not_told_from_it():
    data = shown(n=10)
    data.items[3] = data.items[0]
    target, banned = contrast.targets(data, np.array([0, 3, 5]), np.arange(10))
    assert target.argmax(axis=1).tolist() == [0, 3, 5]
    assert [np.flatnonzero(row).tolist() for row in banned] == [[3], [0], []]


def listed(seed=0, n=30, width=16):
    """Questions near their items, whose words say nothing, and some whose words alone say it."""
    random = np.random.default_rng(seed)
    items = unit(random.normal(size=(n, width)))
    vectors = unit(items + 0.1 * random.normal(size=(n, width)))
    return [Question(f"what is x{i:02}", {i: 1.0}) for i in range(n)], vectors, items


def test_every_way_of_joining_has_its_figure_and_its_weights():
    asked, vectors, items = listed()
    found = {way.name: way for way in joining.ways(asked, vectors, items, index(["nothing in common"] * 30))}
    assert set(found) == {"tuned", "bm25", "fused", "reranked"}
    assert found["tuned"].figure > 0.95
    assert found["tuned"].figure == pytest.approx(joining.gain(asked, vectors, items))
    assert found["bm25"].figure < 0.5
    assert found["reranked"].weights[0] > 0
    assert all(way.weights.shape == (5,) for way in found.values())


def test_where_meaning_fails_and_words_hold_bm25_and_the_reranker_win():
    asked, _, items = listed()
    other = unit(np.random.default_rng(5).normal(size=items.shape))
    words = index([f"this is x{i:02}" for i in range(30)])
    found = {way.name: way.figure for way in joining.ways(asked, other, items, words)}
    assert found["bm25"] == pytest.approx(1)
    assert found["reranked"] > 0.95
    assert found["tuned"] < 0.5


def test_where_each_is_half_right_the_reranker_hears_both():
    asked, vectors, items = listed()
    words = index([f"x{i:02}" if i % 2 else f"y{i:02}" for i in range(30)])
    blurred = vectors.copy()
    blurred[1::2] = unit(np.random.default_rng(3).normal(size=blurred[1::2].shape))
    found = {way.name: way.figure for way in joining.ways(asked, blurred, items, words)}
    assert found["reranked"] > max(found["bm25"], found["tuned"]) + 0.2
    assert found["reranked"] > 0.9


def test_several_right_items_all_count():
    items = unit(np.eye(6))
    asked = [Question("q", {0: 1.0, 1: 2.0})]
    vector = unit([[1, 0.9, 0.1, 0, 0, 0]])
    assert joining.gain(asked, vector, items) == pytest.approx(1)
    assert joining.gain(asked, unit([[1, 0.1, 0.9, 0, 0, 0]]), items) < 1


def test_an_index_reads_its_texts_once_and_forgets_what_is_no_word():
    made = index(["a b c", "one two", "two three three"])
    assert set(made.places) == {"one", "two", "three"}
    assert made.size == 3
    score, _ = made.search("three two one")
    assert score.argmin() == 0
    assert score[0] == 0


def test_validation_rows_that_know_too_few_items_are_set_aside():
    items = [Row(text=f"item {i}", source="t", meta={"item": str(i)}) for i in range(40)]
    clicks = [click(f"question {i} {j}", str(i)) for i in range(40) for j in range(3)]
    dataset = Dataset(name="d", task="find", role="train", rows=(), recipe="")
    found = pairs(Lesson(dataset, clicks, "rank", clicks[:19], items=items))
    assert found.apart
    assert len(found.taught) + len(found.choosing) == 120
