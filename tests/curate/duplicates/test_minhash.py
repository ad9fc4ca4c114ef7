import random
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.curate._duplicates import minhash
from openflywheel.curate._duplicates.minhash import SLOTS, band_rows, near, shingles, sketches

texts = st.lists(st.lists(st.sampled_from(["ab", "c", "De", "f9"]), max_size=12).map(" ".join), max_size=8)


def runs(text: str, size: int) -> set[tuple[str, ...]]:
    """Shingles by the definition: the text's ends count as words."""
    words = re.findall(r"\w+", text.casefold())
    padded = [""] * (size - 1) + words + [""] * (size - 1)
    return {tuple(padded[i : i + size]) for i in range(len(words) + size - 1)} if words else set()


def sets(some: list[str], size: int = 5) -> pa.ListArray:
    return shingles(pa.array(some, pa.string()), size)


@given(texts, st.integers(1, 6))
@settings(max_examples=50, deadline=None)
def test_shingles_are_the_distinct_runs_of_words(some: list[str], size: int) -> None:
    found = sets(some, size).to_pylist()
    assert [len(s) for s in found] == [len(runs(text, size)) for text in some]
    assert all(s == sorted(set(s)) for s in found)
    for a, left in zip(found, some, strict=True):
        for b, right in zip(found, some, strict=True):
            assert len(set(a) & set(b)) == len(runs(left, size) & runs(right, size))


@given(texts, texts, st.sampled_from([0.2, 0.5, 0.8, 1.0]))
@settings(max_examples=50, deadline=None)
def test_near_is_the_exact_jaccard_similarity(some: list[str], others: list[str], similarity: float) -> None:
    pairs = [(a, b) for a in some for b in others]
    left, right = (sets([pair[side] for pair in pairs], 3) for side in (0, 1))
    exact = [(runs(a, 3), runs(b, 3)) for a, b in pairs]
    expected = [bool(a | b) and len(a & b) / len(a | b) >= similarity for a, b in exact]
    assert near(left, right, similarity).tolist() == expected


def test_pairs_are_compared_in_parts_and_from_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    some = sets([" ".join(f"{n}x{w}" for w in range(20 + n)) for n in range(30)] * 2)
    left, right = some, pa.chunked_array([some[7:11], some[11:], some[:7]])
    expected = [n == (n + 7) % 60 % 30 for n in range(60)]
    assert near(left, right, 0.5).tolist() == expected
    monkeypatch.setattr(minhash, "AT_ONCE", 100)
    assert near(left, right, 0.5).tolist() == expected
    assert near(left, pa.chunked_array([some[30:], some[:5], some[5:30]]), 1.0).all()


@given(texts, st.integers(0, 8))
@settings(max_examples=50, deadline=None)
def test_a_text_has_the_same_sketch_in_any_company(some: list[str], cut: int) -> None:
    def made(part: list[str]) -> list[tuple[list[int], list[int]]]:
        keys, found = sketches(pa.array(part, pa.string()), similarity=0.8, shingle=5)
        return list(zip(keys.to_pylist(), found.to_pylist(), strict=True))

    assert made(some[:cut]) + made(some[cut:]) == made(some)


def test_chunks_and_nulls_are_read() -> None:
    column = pa.chunked_array([pa.array(["a b", None]), pa.array(["a b"])])
    keys, found = sketches(column, similarity=0.8, shingle=5)
    assert found.to_pylist()[1] == keys.to_pylist()[1] == []
    assert found[0] == found[2]
    assert keys[0] == keys[2]


@pytest.mark.parametrize("empty", ["", "  \n", "?!"])
def test_texts_without_words_are_near_nothing(empty: str) -> None:
    keys, found = sketches(pa.array([empty, empty]), similarity=0.8, shingle=5)
    assert keys.to_pylist() == [[], []]
    assert near(found, found, 0.1).tolist() == [False, False]


def test_scripts_without_spaces_have_shingles() -> None:
    left, right = (
        sets(["数据飞轮把原始数据变成可以训练模型的数据集" * 3]),
        sets(["今天天气很好我们去公园散步吧" * 4]),
    )
    assert len(left[0]) > 20
    assert not near(left, right, 0.1).any()
    assert near(left, left, 1.0).all()


@pytest.mark.parametrize("place", [0, 0.5, 1])
@pytest.mark.parametrize(
    ("count", "expected"), [(1, False), (2, False), (13, False), (40, False), (41, True)]
)
def test_one_other_word_leaves_only_longer_texts_near(count: int, place: float, expected: bool) -> None:
    words = [f"w{n}" for n in range(count)]
    other = list(words)
    other[round(place * (count - 1))] = "new"
    assert near(sets([" ".join(words)]), sets([" ".join(other)]), 0.8).tolist() == [expected]


@pytest.mark.parametrize("similarity", [0.02, 0.3, 0.5, 0.8, 0.9, 0.97, 1.0])
def test_bands_are_as_long_as_recall_allows(similarity: float) -> None:
    def finds(rows: int) -> float:
        return 1 - (1 - similarity**rows) ** (SLOTS // rows)

    rows = band_rows(similarity)
    assert rows == 1 or finds(rows) >= 0.98
    assert all(finds(longer) < 0.98 for longer in range(rows + 1, SLOTS + 1))


@pytest.mark.parametrize("common", [18, 50, 180])
def test_pairs_that_are_just_similar_enough_meet(common: int) -> None:
    """Of 1,000 pairs of J = .8 to .83 the theory finds 986; three deviations below are 974."""
    by = random.Random(7)

    def pair(n: int) -> tuple[str, str]:
        shared = [f"s{n}x{w}" for w in range(common)]
        own = [[f"{side}{n}x{w}" for w in range(common // 9)] for side in "lr"]
        left, right = (shared + words for words in own)
        return " ".join(left), " ".join(by.sample(right, len(right)))

    sides = list(zip(*(pair(n) for n in range(1000)), strict=True))
    keys = [sketches(pa.array(side), similarity=0.8, shingle=1)[0].to_pylist() for side in sides]
    assert sum(bool(set(a) & set(b)) for a, b in zip(*keys, strict=True)) >= 974


def test_unlike_texts_seldom_meet() -> None:
    """Pairs of J = .1: the theory brings .000002 of them together."""
    some = [" ".join(f"{n}x{w}" for w in range(36)) + " a b c d e f g" for n in range(200)]
    keys = np.concatenate(sketches(pa.array(some), similarity=0.8, shingle=1)[0].to_pylist())
    assert len(np.unique(keys)) >= len(keys) - 2


def test_keys_of_all_bands_differ() -> None:
    bands = SLOTS // band_rows(0.8)
    assert len(sketches(pa.array(["one"]), similarity=0.8, shingle=1)[0][0]) == bands
    assert len(set(minhash._bands(np.zeros((1, SLOTS), np.uint32), band_rows(0.8))[0].tolist())) == bands
