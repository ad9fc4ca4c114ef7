"""A twentieth of the accounts agree on one wrong label, loudly: the wheel learns as if they were not there.

A small version of benchmarks/poison.py through the real wheel, on ten intents of the shop's sample.
"""

import numpy as np
import pytest

from benchmarks import poison
from benchmarks.flywheel import Memo
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.window.crowd import Behaviour
from openflywheel.window.demo import sample_messages

INTENTS, SEEDS = 10, (0, 1, 2)


@pytest.fixture(scope="module")
def runs():
    """Nobody hostile, and the loud attack with trust and without: (attack, trust) -> an outcome a seed."""
    messages = [m for m in sample_messages() if not m.also]
    names = sorted({m.label for m in messages})
    few = set(names[:: len(names) // INTENTS][:INTENTS])
    messages, memo = [m for m in messages if m.label in few], Memo(NgramEncoder())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(poison, "TURNS", 2)
        patch.setattr(poison, "CONVERSATIONS", 200)
        patch.setattr(poison, "BEHAVIOUR", Behaviour(rate=0.25, correct=0.3, choose=0.3, people=100))
        return {
            (attack, trust): [poison.run(attack, seed, memo, messages, trust=trust) for seed in SEEDS]
            for attack, trust in (("nobody", True), ("loud", True), ("loud", False))
        }


def learned(outcomes):
    """Accuracy of what was taught last, the mean over the seeds."""
    return np.mean([o.taught[-1] for o in outcomes])


def total(outcomes, count):
    return sum(getattr(o, count) for o in outcomes)


@pytest.mark.slow
class TestPoison:
    def test_hostile_votes_move_what_is_learned_by_at_most_a_point(self, runs):
        """Against the same rows without theirs: two whole wheels differ by some points of chance."""
        without = np.mean([o.clean for o in runs["loud", True]])
        assert learned(runs["loud", True]) >= without - 0.01

    def test_without_trust_they_would(self, runs):
        assert learned(runs["loud", False]) < learned(runs["nobody", True]) - 0.1

    def test_they_are_caught_and_the_honest_are_not(self, runs):
        under_attack, calm = runs["loud", True], runs["nobody", True]
        assert total(under_attack, "caught") >= 0.9 * total(under_attack, "hostile") > 200
        assert total(under_attack, "refused") <= 0.15 * total(under_attack, "honest")
        assert total(calm, "refused") <= 0.03 * total(calm, "honest")
