"""Whose feedback counts: verdicts on corrections and ratings, from what the room is given."""

from collections import Counter

import numpy as np
import pytest

from openflywheel.base.ids import event_id
from openflywheel.base.nouns import Exchange, Row, Signal, Verdict
from openflywheel.base.quarantine import QUARANTINE, judged
from openflywheel.base.settings import Trust
from openflywheel.signals._trust import judge

TOPICS = "abcdefghij"


class Shelf:
    """What the room is given, from memory; what came after `mark` is new."""

    def __init__(self):
        self.nouns, self.mark = [], 0

    def put(self, *nouns):
        self.nouns += nouns
        return self.nouns[-1]

    def _of(self, kind, nouns):
        return [n for n in nouns if type(n) is kind]

    def all(self, kind):
        return self._of(kind, self.nouns)

    def new(self, kind):
        return self._of(kind, self.nouns[self.mark :])

    def newest(self, kind, limit):
        return self.all(kind)[-limit:]

    def get(self, kind, ids):
        known = {n.id: n for n in self.all(kind)}
        return {i: known[i] for i in dict.fromkeys(ids) if i in known}

    def heard(self, ids):
        out = {}
        for signal in self.all(Signal):
            if signal.exchange in ids:
                out.setdefault(signal.exchange, []).append(signal)
        return out


class World:
    """Ten topics; the model answers each with its own letter in capitals, except "a", which it calls "B"."""

    def __init__(self, encoder, **trust):
        self.shelf, self.encoder, self.trust = Shelf(), encoder, Trust(**trust)
        self.random = np.random.default_rng(0)
        self.shelf.put(*(self.row(topic) for topic in TOPICS for _ in range(3)))

    def row(self, topic, by="seed"):
        text = f"{topic} {event_id()}"
        return Row(text=text, source="files", labels={"route": topic.upper()}, labelled_by=by)

    def ask(self, topic, **fields):
        said = {"output": "B" if topic == "a" else topic.upper(), "confidence": 0.5, **fields}
        asked = Exchange(
            episode="e", task="route", input=f"{topic} {event_id()}", variant="m", subject=event_id(), **said
        )
        return self.shelf.put(asked)

    def traffic(self, n=60):
        for i in range(n):
            self.ask(TOPICS[i % len(TOPICS)])

    def correct(self, exchange, right, **fields):
        return self.say(exchange, "correction", -1.0, correction=right, **fields)

    def rate(self, exchange, value=1.0, **fields):
        return self.say(exchange, "rating", value, **fields)

    def say(self, exchange, kind, value, **fields):
        said = {"subject": exchange.subject, "source": "user", **fields}
        about = {"exchange": exchange.id, "task": "route", "explicit": True}
        return self.shelf.put(Signal(kind=kind, value=value, **about, **said))

    def attack(self, n, label="J"):
        """So many accounts call one label right, whatever they asked."""
        return [self.correct(self.ask(self.random.choice(list(TOPICS[:9]))), label) for _ in range(n)]

    def honest(self, n):
        return [self.correct(self.ask("a"), "A") for _ in range(n)]

    def judge(self):
        """One passage; returns its verdicts by the signal that they are about."""
        said = list(judge(self.shelf, encoder=self.encoder, trust=self.trust))
        self.shelf.mark = len(self.shelf.nouns)
        self.shelf.put(*said)
        assert {v.check for v in said} <= {QUARANTINE}
        assert max(Counter(v.about for v in said).values(), default=1) == 1
        return {v.about: v for v in said}

    def passed(self, signals):
        now = judged(self.shelf.all(Verdict))
        return [now.get(s.id) for s in signals]


@pytest.fixture
def world(encoder):
    made = World(encoder)
    made.traffic()
    return made


class TestBlind:
    def test_coordinated_votes_for_one_label_are_refused_with_numbers(self, world):
        votes = world.attack(30)
        said = world.judge()
        refused = [said[v.id] for v in votes if said[v.id].passed == "no"]
        assert len(refused) >= 27
        assert all(v.reason.startswith("blind: ") and "votes for it: 30" in v.reason for v in refused)
        assert all(v.score > 0.5 and v.n == 30 and v.task == "route" for v in refused)

    def test_honest_corrections_pass_beside_them(self, world):
        honest, votes = world.honest(8), world.attack(30)
        world.judge()
        assert world.passed(honest) == ["yes"] * 8
        assert world.passed(votes).count("no") >= 27

    def test_slow_ones_are_added_up_over_turns(self, world):
        votes = []
        for _ in range(10):
            votes += world.attack(3)
            world.judge()
        assert world.passed(votes[15:]).count("no") >= 13

    def test_a_label_that_is_new_is_learned_from_people_who_agree(self, world):
        fresh = [world.correct(world.ask("k", output="C"), "K") for _ in range(6)]
        world.judge()
        assert world.passed(fresh) == ["yes"] * 6

    def test_one_person_who_agrees_with_himself_is_not_many(self, encoder):
        alone, many = World(encoder), World(encoder)
        for world, who in ((alone, "ann"), (many, "")):
            world.traffic()
            asked = [world.ask("k", output="C", confidence=0.9) for _ in range(8)]
            votes = [world.correct(e, "K", **({"subject": who} if who else {})) for e in asked]
            said = world.judge()
            world.chance = max(said[v.id].score for v in votes)
        assert many.chance < 0.1
        assert alone.chance > 0.5

    def test_before_there_is_traffic_to_compare_with_everything_counts(self, encoder):
        world = World(encoder)
        votes = world.attack(15)
        world.judge()
        assert world.passed(votes) == ["yes"] * 15

    def test_it_can_be_switched_off(self, encoder):
        world = World(encoder, blind=1.0)
        world.traffic()
        votes = world.attack(30)
        world.judge()
        assert world.passed(votes) == ["yes"] * 30


class TestWaiting:
    def test_what_waits_is_judged_again_and_said_again_only_when_it_is_cleared(self, world):
        votes = world.attack(30)
        world.judge()
        assert world.judge() == {}
        refused = [v for v in votes if world.passed([v]) == ["no"]]
        expert = Signal(
            exchange=refused[0].exchange,
            kind="label",
            value=-1.0,
            source="expert",
            explicit=True,
            correction="J",
        )
        world.shelf.put(expert)
        assert {id: v.passed for id, v in world.judge().items()} == {refused[0].id: "yes"}

    def test_known_examples_of_its_label_clear_a_correction(self, world):
        world.attack(10, "K")  # nobody knows the label yet
        honest = world.correct(world.ask("k", output="C"), "K")
        world.judge()
        assert world.passed([honest]) == ["no"]
        world.shelf.put(*(world.row("k", "expert") for _ in range(4)))
        assert world.judge()[honest.id].passed == "yes"

    def test_rows_that_users_taught_are_no_examples(self, world):
        world.attack(10, "K")
        honest = world.correct(world.ask("k", output="C"), "K")
        world.judge()
        world.shelf.put(*(world.row("k", "user") for _ in range(4)))
        assert world.judge() == {}
        assert world.passed([honest]) == ["no"]

    def test_what_an_expert_contradicts_is_refused(self, world):
        vote = world.correct(world.ask("a"), "J")
        world.shelf.put(
            Signal(
                exchange=vote.exchange,
                kind="label",
                value=-1.0,
                source="expert",
                explicit=True,
                correction="A",
            )
        )
        said = world.judge()[vote.id]
        assert (said.passed, said.score) == ("no", 1.0)
        assert said.reason == "expert: 'A' is right, the user said 'J'"

    def test_what_counts_once_counts_for_good(self, world):
        early = world.honest(1)
        world.judge()
        assert world.passed(early) == ["yes"]
        world.attack(30, "A")
        world.judge()
        assert world.passed(early) == ["yes"]


class TestCaps:
    def test_a_person_has_so_many_corrections_a_turn_and_the_rest_wait(self, encoder):
        world = World(encoder, per_subject=3)
        votes = [world.correct(world.ask("a"), "A", subject="ann") for _ in range(5)]
        other = world.correct(world.ask("a"), "A")
        said = world.judge()
        assert world.passed(votes) == ["yes"] * 3 + ["no"] * 2
        assert world.passed([other]) == ["yes"]
        assert said[votes[4].id].reason == "subject: 3 in a turn"
        world.judge()
        assert world.passed(votes) == ["yes"] * 5

    @pytest.mark.parametrize("origin", ["key", "network"])
    def test_a_block_that_names_nobody_has_a_number_or_a_share(self, encoder, origin):
        world = World(encoder, per_block=4, block_share=0.5)
        few = [world.correct(world.ask("a"), "A", subject="", **{origin: "one"}) for _ in range(6)]
        assert {v.reason for v in world.judge().values() if v.passed == "no"} == {f"{origin}: 4 in a turn"}
        assert world.passed(few).count("yes") == 4
        many = [world.correct(world.ask("a"), "A", subject="", **{origin: "two"}) for _ in range(20)]
        world.judge()
        assert world.passed(many).count("yes") == 11  # half of 22, two of which waited

    def test_an_application_that_names_its_people_has_no_cap(self, encoder):
        world = World(encoder, per_block=4, block_share=0.1)
        votes = [world.correct(world.ask("a"), "A", key="app") for _ in range(20)]
        world.judge()
        assert world.passed(votes) == ["yes"] * 20

    def test_ratings_have_the_same_caps_and_are_named_only_when_refused(self, encoder):
        world = World(encoder, per_subject=3)
        ratings = [world.rate(world.ask("b"), subject="ann") for _ in range(5)]
        world.judge()
        assert world.passed(ratings) == [None] * 3 + ["no"] * 2

    def test_ratings_of_those_whose_corrections_look_blind_do_not_count(self, world):
        votes = world.attack(30)
        ratings = [world.rate(world.ask("j"), subject=v.subject) for v in votes]
        honest = world.rate(world.ask("b"))
        said = world.judge()
        assert world.passed(ratings).count("no") >= 27
        assert {said[r.id].reason for r in ratings if r.id in said} == {
            "caught: corrections of the same person were refused"
        }
        assert world.passed([honest]) == [None]


class TestCampaigns:
    def proved(self, world, people=30):
        """People whose corrections counted."""
        votes = world.honest(people)
        world.judge()
        assert world.passed(votes) == ["yes"] * people
        return [v.subject for v in votes]

    def rate_down(self, world, people):
        return [world.rate(world.ask("c"), value=-1.0, subject=who) for who in people]

    def test_newcomers_who_alone_mind_an_answer_are_refused_with_numbers(self, world):
        known = self.proved(world)
        content = [world.rate(world.ask("c"), subject=who) for who in known]
        elsewhere = [world.rate(world.ask("d"), value=-1.0) for _ in range(5)]
        mob = self.rate_down(world, [event_id() for _ in range(30)])
        said = world.judge()
        assert world.passed(mob) == ["no"] * 30
        assert {said[r.id].reason for r in mob} == {
            "campaign: 30 of 30 newcomers rate 'C' down, 0 of 30 others do"
        }
        assert world.passed(content + elsewhere) == [None] * 35

    def test_those_who_proved_their_word_may_mind_it_too(self, world):
        known = self.proved(world)
        kept = [
            *self.rate_down(world, known[:2]),
            *(world.rate(world.ask("c"), subject=w) for w in known[2:]),
        ]
        mob = self.rate_down(world, [event_id() for _ in range(60)])
        world.judge()
        assert world.passed(mob) == ["no"] * 60
        assert world.passed(kept) == [None] * 30

    def test_in_an_outage_everybody_minds_and_everybody_counts(self, world):
        known = self.proved(world)
        outage = self.rate_down(world, known + [event_id() for _ in range(60)])
        world.judge()
        assert world.passed(outage) == [None] * 90

    def test_a_slow_campaign_adds_up(self, world):
        known, found = self.proved(world), []
        for who in known:
            world.rate(world.ask("c"), subject=who)
        for _ in range(10):
            mob = self.rate_down(world, [event_id() for _ in range(2)])
            world.judge()
            found.append(world.passed(mob).count("no"))
        assert found[0] == 0
        assert found[-1] == 2

    def test_where_no_correction_is_put_to_the_proof_nobody_has_proved_anything(self, encoder):
        world = World(encoder, blind=1.0)
        for who in self.proved(world):
            world.rate(world.ask("c"), subject=who)
        mob = self.rate_down(world, [event_id() for _ in range(30)])
        world.judge()
        assert world.passed(mob) == [None] * 30

    def test_the_rating_of_what_somebody_corrected_proves_nothing(self, world):
        """Else those who correct would seem to mind more than others, and praise look like a campaign."""
        for vote in world.honest(30):
            world.rate(
                world.shelf.get(Exchange, [vote.exchange])[vote.exchange], value=-1.0, subject=vote.subject
            )
        world.judge()
        praise = [world.rate(world.ask("a")) for _ in range(40)]
        world.judge()
        assert world.passed(praise) == [None] * 40


class TestWhatIsJudged:
    def test_experts_rules_and_models_are_not(self, world):
        asked = world.ask("a")
        for source in ("expert", "code", "model"):
            world.correct(asked, "J", source=source)
        assert world.judge() == {}

    def test_a_correction_of_nothing_that_is_stored_is_not_and_so_never_counts(self, world):
        gone = Exchange(episode="e", task="route", input="a", output="B", variant="m")
        refused = world.ask("a", output="")
        blank = world.shelf.put(Exchange(episode="e", task="route", input="", output="", variant="person"))
        votes = [world.correct(gone, "A"), world.correct(blank, "A"), world.correct(refused, "A")]
        world.judge()
        assert world.passed(votes) == [None, None, "yes"]

    def test_to_agree_with_the_answer_is_a_vote_too(self, world):
        agreed = world.say(world.ask("b"), "choice", 1.0, correction="B")
        assert world.judge()[agreed.id].passed == "yes"
