import numpy as np

from openflywheel.base.nouns import Exchange
from openflywheel.signals import Episode
from openflywheel.signals.rephrase import rephrase


class ByFirstWord:
    """Texts that begin with the same word mean the same."""

    def encode(self, texts):
        return np.stack([np.eye(26, dtype=np.float32)[ord(t[0]) - ord("a")] for t in texts])


def exchange(text, at, task="route"):
    return Exchange(episode="e", task=task, input=text, output="x", variant="m", at=at)


def heard(*exchanges, within=120.0):
    return [s.exchange for s in rephrase(Episode(exchanges, {}), within=within, encoder=ByFirstWord())]


def test_the_same_wish_in_other_words_and_soon_is_about_the_first_exchange():
    first, second = exchange("parcel late", 0), exchange("parcel missing since monday", 60)
    assert heard(first, second) == [first.id]


def test_another_wish_the_same_words_or_a_long_pause_are_no_rephrasing():
    assert heard(exchange("parcel late", 0), exchange("refund please", 60)) == []
    assert heard(exchange("parcel late", 0), exchange("parcel late", 60)) == []
    assert heard(exchange("parcel late", 0), exchange("parcel gone", 200)) == []
    assert heard(exchange("parcel late", 0), exchange("parcel gone", 60, task="tone")) == []


def test_a_conversation_of_one_draws_nothing():
    assert heard(exchange("parcel late", 0)) == []
