"""The benchmark of trust, in small: every attack runs and does what it says, and the rows belong together."""

import json

import numpy as np
import pytest

from benchmarks import poison as bench
from benchmarks.mob import ATTACKS, NOBODY, Mob
from benchmarks.poison import Outcome
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Exchange, Signal
from openflywheel.window.crowd import Behaviour, Message

TOPICS = {
    "refund": "money back {} please return it",
    "parcel": "where is my parcel {} late",
    "login": "password {} login",
    "gift": "the gift card {} is empty",
}
MESSAGES = [Message(text.format(n), label) for label, text in TOPICS.items() for n in range(60)]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(bench, "TURNS", 2)
    monkeypatch.setattr(bench, "CONVERSATIONS", 80)
    monkeypatch.setattr(bench, "BEHAVIOUR", Behaviour(rate=0.25, correct=0.3, choose=0.3, people=40))


@pytest.fixture
def mob(tmp_path_factory):
    """Two turns of an attack, before a wheel that turned once."""
    opened = []

    def attacking(attack):
        folder = str(tmp_path_factory.mktemp("mob"))
        opened.append(bench._wheel(folder, MESSAGES[::5], 0, NgramEncoder(), trust=True))
        opened[-1].turn()
        made = Mob(opened[-1], bench.TASK, MESSAGES, bench.BEHAVIOUR, 0)
        made.agree(attack, 0, wakes=1)
        for _ in range(2):
            made.converse(200)
        return made

    yield attacking
    for wheel in opened:
        wheel.close()


def said(mob, kind, hostile=True):
    """What hostile people (or the others) said: pairs of a signal and its exchange."""
    exchanges = {e.id: e for e in mob.wheel.store.all(Exchange)}
    pairs = [(s, exchanges[s.exchange]) for s in mob.wheel.store.all(Signal) if s.kind == kind]
    return [(s, e) for s, e in pairs if (e.subject in mob.keys) == hostile]


class TestAttacks:
    def test_a_twentieth_of_the_accounts_is_hostile(self, mob):
        assert len(mob(NOBODY).hostile) == 2

    def test_with_nobody_they_are_silent_and_the_others_are_not(self, mob):
        calm = mob(NOBODY)
        assert said(calm, "correction") == said(calm, "rating") == []
        assert len(said(calm, "rating", hostile=False)) > 20
        assert len([e for e in calm.wheel.store.all(Exchange) if e.subject in calm.keys]) > 5

    def test_votes_are_for_one_label_and_against_every_other_answer(self, mob):
        angry = mob("votes")
        asked = [e for e in angry.wheel.store.all(Exchange) if e.subject in angry.keys]
        votes = said(angry, "correction")
        assert {s.correction for s, _ in votes} == {angry.target}
        assert {e.id for _, e in votes} == {e.id for e in asked if e.output != angry.target}
        assert all((s.value > 0) == (e.output == angry.target) for s, e in said(angry, "rating"))
        assert all(s.subject == e.subject for s, e in votes)

    def test_slow_ones_are_fewer_and_hide_among_others(self, mob):
        votes = said(mob("slow"), "correction")
        assert 1 <= len(votes) < len(said(mob("votes"), "correction"))
        assert len({s.correction for s, _ in votes}) > 1

    def test_sleepers_are_honest_in_the_first_half(self, mob):
        sly = mob("sleepers")
        order = list(sly.truth)
        half = len(order) // 2
        votes = [(s, e, order.index(e.id) < half) for s, e in said(sly, "correction")]
        assert all(s.correction == sly.truth[e.id].label for s, e, early in votes if early)
        assert {s.correction for s, _, early in votes if not early} == {sly.target}

    def test_a_key_names_nobody(self, mob):
        votes = said(mob("key"), "correction")
        assert {(s.subject, s.key) for s, _ in votes} == {("", "intruder")}

    def test_loud_ones_are_a_fifth_of_the_traffic(self, mob):
        loud = mob("loud")
        asked = loud.wheel.store.all(Exchange)
        assert np.mean([e.subject in loud.keys for e in asked]) == pytest.approx(0.24, abs=0.03)

    def test_one_intent_is_all_that_they_ask_about(self, mob):
        narrow = mob("intent")
        assert {narrow.truth[e.id].label for _, e in said(narrow, "rating")} == {narrow.victim}
        assert narrow.victim != narrow.target


class TestFigures:
    def test_a_run_counts_what_became_of_the_corrections_and_what_they_cost(self):
        out = bench.run("loud", 0, NgramEncoder(), MESSAGES, trust=False)
        assert len(out.taught) == len(out.known) == 2
        assert (out.hostile > 10, out.caught, out.refused, out.muted) == (True, 0, 0, 0)
        assert out.ratings > 10
        assert out.known[-1] > out.taught[-1]  # their votes were learned

    def test_a_wheel_that_knew_learns_from_right_ones_that_wait_and_from_no_false_ones(self, mob):
        angry = mob("votes")
        for room in ("signals", "study", "collect", "curate"):
            angry.wheel.advance(room)
        rows = bench._rows_now(angry)
        known = bench._as_if_known(angry, rows)
        waiting = [s for s, passed in bench._corrections(angry) if passed == "no" and bench._right(angry, s)]
        assert {r.text for r in known} >= {angry.truth[s.exchange].text for s in waiting}
        assert len({r.text for r in known}) == len(known)
        truth = {m.text: m.label for m in MESSAGES}
        assert all(r.labels[bench.TASK] == truth[r.text] for r in known)

    def test_losses_are_means_over_all_turns_pair_by_pair(self):
        calm, hurt = [Outcome([0.7, 0.9], [0.7, 0.9])], [Outcome([0.5, 0.8], [0.5, 0.9])]
        assert bench.lost(calm, hurt) == pytest.approx([0.15])
        assert bench.wanting(hurt) == pytest.approx([0.05])
        assert bench.wanting(calm) == [0]

    def test_the_rows_name_every_attack_and_hold_the_bars(self):
        calm = [Outcome([0.5], [0.503], honest=10, refused=1, ratings=10, muted=1)] * 2
        hurt = [Outcome([0.4], [0.42], hostile=8, caught=6, honest=10, refused=2)] * 2
        runs = {(NOBODY, trust): calm for trust in (True, False)}
        runs |= {(attack, True): hurt for attack in ATTACKS} | {("votes", False): hurt}
        rows = {row.row: row for row in bench.rows(runs)}
        waits = rows["nobody, lost to trust: rows"]
        assert (waits.value, waits.holds) == (pytest.approx(0.3), True)
        assert rows["nobody: honest ratings that were refused"].value == 0.1
        assert rows["votes, trust off: rows"].holds is None
        for attack in ATTACKS:
            assert rows[f"{attack}, trust on: rows"].value == pytest.approx(2)
            assert rows[f"{attack}, trust on: rows"].holds is False
            assert rows[f"{attack}, trust on: the whole wheel"].value == pytest.approx(10)
            assert rows[f"{attack}: hostile corrections that were refused"].value == 0.75
            assert rows[f"{attack}: refused corrections that were hostile"].value == 0.75
            assert rows[f"{attack}: honest corrections that were refused"].value == 0.2

    @pytest.mark.slow
    def test_the_command_prints_one_object(self, monkeypatch, capsys):
        monkeypatch.setattr(bench, "ATTACKS", ("votes",))
        monkeypatch.setattr(bench, "open_encoder", NgramEncoder)
        monkeypatch.setattr(bench, "sample_messages", lambda: MESSAGES)
        monkeypatch.setattr("sys.argv", ["poison", "--seeds", "1", "--json"])
        bench.main()
        out, err = capsys.readouterr()
        printed = json.loads(out.splitlines()[-1])
        assert (printed["benchmark"], printed["seeds"]) == ("poison", 1)
        names = {row["row"] for row in printed["rows"]}
        assert {"nobody, lost to trust: rows", "votes, trust on: rows", "votes, trust off: rows"} <= names
        assert err.count("seed 0 ") == 4
