"""Simulated people: they do what their behaviour says, they know the truth, and seeds repeat them."""

from collections import Counter

import pytest

from openflywheel.base.nouns import Exchange, Signal
from openflywheel.base.settings import parse
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window.crowd import BATCH, Behaviour, Crowd, Message, Tally

YAML = """
name: desk
store: {store}
encoder: ngrams
tasks: {{route: {{kind: label, costs: {{call: 1, error: 10, person: 100}}}}}}
collect: {{files: {{path: seeds.jsonl, basis: no_personal_data}}}}
customize: {{head: {{}}}}
evaluate: {{accuracy: {{}}}}
"""
SEEDS = {"refund": ("money back", "refund me"), "parcel": ("where is my parcel", "track my package")}
KNOWN = [Message(f"{text} {n}", label) for label, texts in SEEDS.items() for text in texts for n in range(20)]
UNKNOWN = [Message(f"the gift card is empty {n}", "gift") for n in range(40)]  # nobody taught that
CALM = Behaviour(rate=0, flip=0, correct=0, rephrase=0, choose=0, expert_right=1)


@pytest.fixture
def open_wheel(tmp_path):
    """Open a wheel that has learned from the seeds, or one that never has."""
    lines = [f'{{"text": "{text}", "label": "{label}"}}\n' for label, ts in SEEDS.items() for text in ts]
    (tmp_path / "seeds.jsonl").write_text("".join(lines))
    opened = []

    def anew(name="taught"):
        opened.append(Flywheel(parse(YAML.format(store=name), folder=tmp_path)))
        if name == "taught":
            for room in ("collect", "curate", "customize", "evaluate", "serve"):
                opened[-1].advance(room)
        return opened[-1]

    yield anew
    for wheel in opened:
        wheel.close()


@pytest.fixture
def wheel(open_wheel):
    return open_wheel()


@pytest.fixture
def crowd(wheel):
    """A crowd with some behaviour before the taught wheel."""

    def behaving(messages, **how):
        calm = {name: getattr(CALM, name) for name in CALM.__struct_fields__}
        return Crowd(wheel, "route", messages, Behaviour(**{**calm, **how}), seed=0)

    return behaving


def exchanges(crowd):
    return crowd.wheel.store.all(Exchange)


def signals(crowd, kind):
    return [s for s in crowd.wheel.store.all(Signal) if s.kind == kind]


class TestTally:
    def test_it_counts_what_happened(self, crowd):
        people = crowd(KNOWN + UNKNOWN, people=7)
        tally = people.converse(60)
        asked = exchanges(people)
        right = [people.truth[e.id].label == e.output for e in asked]
        assert (tally.served, tally.answered, tally.right) == (60, 60, sum(right))
        assert tally.users == len({e.subject for e in asked}) <= 7
        assert 0 < tally.wrong == 60 - sum(right) < 60
        assert tally.cost == 60 * 1 + tally.wrong * 10

    def test_who_is_handed_over_costs_a_person_and_is_answered_by_an_expert(self, open_wheel):
        people = Crowd(open_wheel("untaught"), "route", KNOWN, CALM, seed=0)
        tally = people.converse(30)
        assert (tally.served, tally.answered, tally.right, tally.cost) == (30, 0, 0, 3000)
        labels = {s.exchange: (s.correction, s.source) for s in signals(people, "label")}
        assert labels == {id: (message.label, "expert") for id, message in people.truth.items()}

    def test_more_than_a_batch_is_as_many(self, crowd):
        people = crowd(KNOWN)
        assert people.converse(BATCH + 3).served == len(exchanges(people)) == BATCH + 3

    def test_nobody_does_nothing(self, crowd):
        assert crowd(KNOWN).converse(0) == Tally()


class TestBehaviour:
    @pytest.mark.parametrize("flip", [0, 1])
    def test_ratings_say_whether_it_was_right_unless_flipped(self, flip, crowd):
        people = crowd(KNOWN + UNKNOWN, rate=1, flip=flip)
        people.converse(40)
        outputs = {e.id: e.output for e in exchanges(people)}
        rated = {s.exchange: s.value for s in signals(people, "rating")}
        right = {id: message.label == outputs[id] for id, message in people.truth.items()}
        assert rated == {id: 1 if r != flip else -1 for id, r in right.items()}
        assert set(right.values()) == {True, False}

    def test_without_behaviour_nobody_says_anything(self, crowd):
        people = crowd(KNOWN + UNKNOWN)
        people.converse(40)
        assert people.wheel.store.all(Signal) == []

    def test_wrong_answers_are_corrected_with_the_truth_and_right_ones_never(self, crowd):
        people = crowd(KNOWN + UNKNOWN, correct=1)
        people.converse(40)
        corrected = {s.exchange: s.correction for s in signals(people, "correction")}
        wrong = {e.id for e in exchanges(people) if people.truth[e.id].label != e.output}
        assert corrected == {id: people.truth[id].label for id in wrong}
        assert "gift" in corrected.values()

    def test_the_right_one_is_chosen_where_it_is_proposed(self, crowd):
        swapped = [Message(m.text, "refund" if m.label == "parcel" else "parcel") for m in KNOWN]
        people = crowd(swapped + UNKNOWN, choose=1)
        people.converse(40)
        chosen = {s.exchange: s.correction for s in signals(people, "choice")}
        proposed = {e.id for e in exchanges(people) if people.truth[e.id].label in e.choices[1:]}
        assert chosen == {id: people.truth[id].label for id in proposed}
        assert 0 < len(chosen) < 40

    def test_who_was_answered_wrongly_asks_again_in_other_words_in_the_same_conversation(self, crowd):
        people = crowd(UNKNOWN, rephrase=1)
        tally = people.converse(15)
        assert (tally.served, tally.right) == (30, 0)
        talks = {}
        for exchange in exchanges(people):
            talks.setdefault(exchange.episode, []).append(exchange)
        assert [len(talk) for talk in talks.values()] == [2] * 15
        assert all(a.subject == b.subject and a.input != b.input for a, b in talks.values())

    def test_a_second_wish_is_a_right_answer_too(self):
        both = Message("lost, so I want my money back", "parcel", also="refund")
        assert [both.answered_by(x) for x in ("parcel", "refund", "gift", "")] == [True, True, False, False]
        assert not Message("hello", "refund").answered_by("")


class TestExperts:
    def test_they_answer_what_is_asked_about_these_people_and_nothing_else(self, crowd):
        people = crowd(KNOWN)
        stranger = people.wheel.ask("route", "who are you?")
        people.converse(10)
        asked = [e.id for e in exchanges(people)]
        people.wheel.store.experts.ask([*asked[:4], stranger.id], task="route", why="doubt")
        assert people.experts_answer() == 3
        assert [q.exchange for q in people.wheel.store.experts.open()] == [stranger.id]
        labels = {s.exchange: s.correction for s in signals(people, "label")}
        assert labels == {id: people.truth[id].label for id in asked[1:4]}
        assert people.experts_answer() == 0

    def test_one_who_is_never_right_says_another_label(self, crowd):
        people = crowd(KNOWN + UNKNOWN, expert_right=0)
        people.converse(30)
        people.wheel.store.experts.ask(list(people.truth), task="route", why="doubt")
        assert people.experts_answer() == 30
        assert {s.correction for s in signals(people, "label")} == {"refund", "parcel", "gift"}
        assert not [s for s in signals(people, "label") if s.correction == people.truth[s.exchange].label]


class TestTraffic:
    def test_every_message_of_a_label_is_written_before_one_comes_again(self, crowd):
        people = crowd(UNKNOWN)
        people.converse(len(UNKNOWN))
        assert Counter(e.input for e in exchanges(people)) == dict.fromkeys((m.text for m in UNKNOWN), 1)
        people.converse(1)
        assert max(Counter(e.input for e in exchanges(people)).values()) == 2

    @pytest.mark.parametrize("zipf", [0, 2])
    def test_labels_are_as_popular_as_the_exponent_says(self, zipf, crowd):
        people = crowd(KNOWN + UNKNOWN, zipf=zipf)
        people.converse(600)
        counts = sorted(Counter(m.label for m in people.truth.values()).values(), reverse=True)
        shares = [1, 2**-zipf, 3**-zipf]
        for count, share in zip(counts, shares, strict=True):
            assert count == pytest.approx(600 * share / sum(shares), abs=60)  # 5 standard deviations

    def test_wheels_that_answer_differently_meet_the_same_questions(self, wheel, open_wheel):
        lively = Behaviour(rate=0.5, correct=0.5)
        other = open_wheel("untaught")
        crowds = [Crowd(w, "route", KNOWN + UNKNOWN, lively, seed=3) for w in (wheel, other)]
        for people in crowds:
            people.converse(30)  # their moods have differed by now
        tallies = [c.converse(30) for c in crowds]
        assert tallies[0].answered != tallies[1].answered
        asked = [[e.input for e in exchanges(c)] for c in crowds]
        assert asked[0] == asked[1]
        assert tallies[0].users == tallies[1].users

    def test_another_seed_asks_other_questions(self, open_wheel):
        crowds = [Crowd(open_wheel(f"untaught{n}"), "route", KNOWN, CALM, seed=n) for n in (0, 1)]
        for people in crowds:
            people.converse(30)
        assert len({tuple(m.text for m in c.truth.values()) for c in crowds}) == 2
