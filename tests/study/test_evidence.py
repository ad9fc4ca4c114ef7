"""What study makes of ratings, outcomes and derived signals, through a real store."""

import pytest

from openflywheel import study
from openflywheel.base.nouns import Exchange, Reading, Signal
from openflywheel.base.validity import PREFIX
from openflywheel.store import Store


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "wheel")
    yield opened
    opened.close()


@pytest.fixture
def studied(store):
    """The evidence of one passage of the room, kept, after something was said."""
    names = iter("abcdefgh")

    def passage(*nouns):
        store.append(nouns)
        seen = []
        with store.passage("study", study.ARROW, next(names)) as opened:
            list(study.run(opened.took, opened.given, [lambda e: seen.append(e) or []]))
        return seen[0]

    return passage


def asked(episode="talk", task="route", **fields):
    return Exchange(episode=episode, task=task, input="?", output="x", variant="m", **fields)


def said(about, kind, value, whole=False, **fields):
    made = {"source": "user", "explicit": True, "episode": about.episode, **fields}
    return Signal(exchange="" if whole else about.id, kind=kind, value=value, **made)


def test_a_rating_of_the_episode_counts_where_the_exchange_has_none(studied):
    one, other = asked(), asked()
    seen = studied(one, other, said(one, "rating", -1.0, whole=True), said(other, "rating", 0.5))
    assert (seen.rating(one.id), seen.rating(other.id)) == (-1.0, 0.5)
    assert seen.rating("gone") == 0


def test_what_came_of_it_counts_where_nobody_rated(studied):
    one, rated, whole, both = asked("a"), asked("b"), asked("c"), asked("d")
    seen = studied(
        one, rated, whole, both,
        said(one, "outcome", -1.0, source="code", outcome="returned"),
        said(rated, "rating", 0.5), said(rated, "outcome", -1.0, outcome="returned"),
        said(whole, "outcome", 1.0, whole=True, outcome="bought"),
        said(both, "rating", -0.5, whole=True), said(both, "outcome", 1.0, outcome="bought"),
    )  # fmt: skip
    assert [seen.rating(e.id) for e in (one, rated, whole, both)] == [-1.0, 0.5, 1.0, 1.0]


def test_a_rule_or_a_model_cannot_rate(studied):
    one = asked()
    assert studied(one, said(one, "rating", 1.0, source="code")).rating(one.id) == 0


def test_a_late_word_about_an_episode_brings_its_exchanges(studied):
    one, other, unasked = asked(), asked(), asked(task="")
    studied(one, other, unasked)
    seen = studied(said(one, "rating", -1.0, whole=True))
    assert seen.fresh == []
    assert set(seen.exchanges) == {one.id, other.id}
    assert seen.rating(other.id) == -1.0


def validity(kind, value, low, high, **fields):
    return Reading(name=PREFIX + kind, value=value, low=low, high=high, **fields)


def derived(about, kind, value):
    return said(about, kind, value, source="code", explicit=False)


def test_a_derived_signal_without_evidence_weighs_nothing(studied):
    one = asked()
    assert studied(one, derived(one, "rephrase", -0.5)).hint(one.id) == 0
    assert studied(validity("rephrase", 0.4, -0.1, 0.7)).weights == {}


def test_with_evidence_it_weighs_its_correlation(studied):
    one, other = asked(), asked()
    measured = validity("rephrase", 0.4, 0.1, 0.7), validity("dwell", -0.2, -0.3, -0.1)
    seen = studied(
        one, other, *measured,
        derived(one, "rephrase", -0.5), derived(one, "dwell", 1.0), derived(one, "accept", 1.0),
        said(other, "rephrase", -1.0),
    )  # fmt: skip
    assert seen.weights == {"rephrase": 0.4, "dwell": -0.2}
    assert seen.hint(one.id) == pytest.approx(-0.4)
    assert seen.hint(other.id) == 0  # what is said outright is no hint
    assert seen.rating(one.id) == 0


def test_hints_have_bounds(studied):
    one = asked()
    kinds = ("a", "b", "c")
    sure = [validity(kind, 0.9, 0.8, 0.95) for kind in kinds]
    assert studied(one, *sure, *(derived(one, kind, -1.0) for kind in kinds)).hint(one.id) == -1.0


def test_evidence_that_is_lost_takes_the_weight_with_it(studied):
    assert studied(validity("rephrase", 0.4, 0.1, 0.7)).weights == {"rephrase": 0.4}
    assert studied(validity("rephrase", 0.2, -0.1, 0.5)).weights == {}
