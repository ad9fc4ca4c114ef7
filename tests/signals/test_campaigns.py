"""Planted campaigns are found; outages, launches, differing tastes and small samples are not."""

import numpy as np
import pytest
from scipy.stats import nchypergeom_fisher

from openflywheel.signals._campaigns import LEVEL, ODDS, Voice, campaigns, chance

ANSWERS = ("refund", "parcel", "login", "gift")


def voices(random, people, *, proved, down=0.3, answers=ANSWERS, name="p"):
    """As many people rate one answer each; `down` is how likely they mind."""
    return [
        Voice(
            "route", str(random.choice(answers)), bool(random.random() > down), f"{name}{proved}{i}", proved
        )
        for i in range(people)
    ]


def one_way(people, answer="refund", *, up=False, proved=False, name="mob"):
    return [Voice("route", answer, up, f"{name}{i}", proved) for i in range(people)]


@pytest.fixture
def random():
    return np.random.default_rng(0)


@pytest.fixture
def honest(random):
    return voices(random, 100, proved=True) + voices(random, 80, proved=False)


class TestCampaigns:
    @pytest.mark.parametrize("up", [True, False])
    def test_newcomers_who_agree_on_one_answer_are_found_with_numbers(self, random, up):
        # The answer that is praised is one that people mind, and the other way round.
        honest = voices(random, 100, proved=True, down=0.8 if up else 0.2)
        found = campaigns(honest + one_way(40, up=up))
        assert set(found) == {("route", "refund", up)}
        way = "up" if up else "down"
        assert found["route", "refund", up].startswith(f"campaign: 40 of 40 newcomers rate 'refund' {way}, ")

    def test_among_honest_newcomers_too(self, honest):
        assert set(campaigns(honest + one_way(60))) == {("route", "refund", False)}

    def test_in_another_task_the_same_answer_is_another(self, honest):
        elsewhere = [Voice("risk", v.answer, v.up, v.who, v.proved) for v in honest]
        found = campaigns(honest + elsewhere + one_way(60))
        assert {task for task, _, _ in found} == {"route"}


class TestHonest:
    def test_an_outage_is_not_a_campaign_because_everybody_minds(self, random, honest):
        outage = [
            *voices(random, 60, proved=True, down=0.95, answers=["refund"], name="o"),
            *voices(random, 150, proved=False, down=0.95, answers=["refund"], name="o"),
        ]
        assert campaigns(honest + outage) == {}

    def test_a_launch_that_only_newcomers_know_is_not(self, honest):
        assert campaigns(honest + one_way(100, "launch")) == {}

    def test_newcomers_may_be_less_content(self, random):
        """Odds of 1 : 2 and 1 : 1, a thousand people: more than chance, but no campaign."""
        known = voices(random, 500, proved=True, down=1 / 3)
        assert campaigns(known + voices(random, 500, proved=False, down=1 / 2)) == {}

    def test_before_anybody_proved_his_word_nothing_is_found(self):
        assert campaigns(one_way(500)) == {}
        assert campaigns([]) == {}

    def test_false_alarms_are_as_rare_as_promised(self):
        alarms = 0
        for seed in range(200):
            random = np.random.default_rng(seed)
            honest = voices(random, 60, proved=True) + voices(random, 60, proved=False)
            alarms += bool(campaigns(honest))
        assert alarms <= 200 * LEVEL

    def test_one_loud_person_is_one_person(self, honest):
        loud = [Voice("route", "refund", False, "ann", False)] * 500
        assert campaigns(honest + loud) == {}


class TestChance:
    @pytest.mark.parametrize(
        "table", [(5, 1, 2, 6), (30, 10, 4, 16), (0, 5, 5, 0), (3, 0, 0, 3), (40, 1, 9, 90)]
    )
    def test_it_is_fishers_tail_with_odds(self, table):
        a, b, c, d = table
        expected = nchypergeom_fisher.sf(a - 1, a + b + c + d, a + c, a + b, ODDS)
        assert chance(a, b, c, d) == pytest.approx(expected, rel=1e-6)

    def test_without_others_everything_is_likely(self):
        assert chance(50, 0, 0, 0) == 1

    def test_it_is_exact_where_floats_end(self):
        assert 0 < chance(200, 2, 2, 200) < 1e-60
        assert chance(600, 600, 600, 600) > 0.99
