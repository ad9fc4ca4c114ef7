"""A twentieth of the accounts agree on one wrong label: the wheel learns as if they had said nothing.

Small versions of benchmarks/poison.py through the real wheel.
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
def shop():
    """Three turns of the shop: nobody says a false word, and 5 % vote for one label."""
    messages, memo = sample_messages(), Memo(NgramEncoder())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(poison, "TURNS", 3)
        return {attack: poison.run(attack, 0, memo, messages, trust=True) for attack in ("nobody", "votes")}


@pytest.fixture(scope="module")
def runs():
    """Ten of its intents, and 5 % of the accounts write a fifth of the traffic: trust -> an outcome each."""
    messages = [m for m in sample_messages() if not m.also]
    names = sorted({m.label for m in messages})
    few = set(names[:: len(names) // INTENTS][:INTENTS])
    messages, memo = [m for m in messages if m.label in few], Memo(NgramEncoder())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(poison, "TURNS", 2)
        patch.setattr(poison, "CONVERSATIONS", 200)
        patch.setattr(poison, "BEHAVIOUR", Behaviour(rate=0.25, correct=0.3, choose=0.3, people=100))
        return {
            trust: [poison.run("loud", seed, memo, messages, trust=trust) for seed in SEEDS]
            for trust in (True, False)
        }


@pytest.mark.slow
class TestPoison:
    def test_five_percent_of_the_accounts_move_accuracy_by_at_most_a_point(self, shop):
        """Seeds 0 to 5: -0.3 to 0.3 points."""
        (points,) = poison.lost([shop["nobody"]], [shop["votes"]])
        assert abs(points) <= 0.01
        assert shop["votes"].caught >= 0.9 * shop["votes"].hostile > 30
        assert shop["votes"].refused <= 0.15 * shop["votes"].honest
        assert shop["nobody"].refused <= 0.05 * shop["nobody"].honest

    def test_a_loud_twentieth_costs_little_with_trust_and_much_without(self, runs):
        """Any three of seeds 0 to 7: at most 3.1 points with trust, at least 12.7 without."""
        with_trust, without = (np.mean(poison.wanting(runs[trust])) for trust in (True, False))
        assert with_trust <= 0.04
        assert without >= 0.1

    def test_nearly_all_of_their_votes_are_caught(self, runs):
        hostile, caught = (sum(getattr(o, name) for o in runs[True]) for name in ("hostile", "caught"))
        assert caught >= 0.9 * hostile > 200
        assert sum(o.caught for o in runs[False]) == 0
