from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.signals import Episode
from openflywheel.signals.edited import distance, edited

Words = st.lists(st.sampled_from("abc"), max_size=7)


def plain(a, b):
    """Levenshtein's distance as its definition says."""
    table = {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
    for i, j in product(range(1, len(a) + 1), range(1, len(b) + 1)):
        swap = table[i - 1, j - 1] + (a[i - 1] != b[j - 1])
        table[i, j] = min(swap, table[i - 1, j] + 1, table[i, j - 1] + 1)
    return table[len(a), len(b)]


@given(Words, Words)
def test_the_distance_is_levenshteins(a, b):
    assert distance(a, b) == plain(a, b)


def heard(exchange, *signals):
    return [s.value for s in edited(Episode((exchange,), {exchange.id: list(signals)}))]


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ("The parcel comes tomorrow.", 1.0),
        ("the PARCEL comes, tomorrow", 1.0),
        ("The parcel comes today", 0.5),
        ("We are sorry, Bob", -1.0),
        ("The parcel comes tomorrow, I am told by them", 1 - 2 * 5 / 9),
    ],
)
def test_the_more_was_changed_the_worse_it_was(asked, told, sent, value):
    answer = asked(output="The parcel comes tomorrow")
    assert heard(answer, told(answer, "demonstration", 0.0, correction=sent)) == [pytest.approx(value)]


def test_what_was_sent_last_counts(asked, told):
    answer = asked(output="one two")
    sent = [told(answer, "demonstration", 0.0, correction=text) for text in ("one", "one two")]
    assert heard(answer, *sent) == [1.0]


def test_without_an_answer_or_something_sent_nothing_is_known(asked, told):
    answer, handed = asked(output="one"), asked(output="")
    assert heard(answer) == []
    assert heard(answer, told(answer, "correction", -1.0, correction="two")) == []
    assert heard(handed, told(handed, "demonstration", 0.0, correction="two")) == []
