"""Which rows and exchanges speak for and against a vote, and what an expert settles."""

import numpy as np
import pytest

from openflywheel.base.ids import event_id
from openflywheel.base.nouns import Exchange, Row, Signal
from openflywheel.signals._votes import FEW, LEAST, Vote, look


def exchange(topic, output="B", **fields):
    said = {"confidence": 0.5, "task": "route", **fields}
    return Exchange(episode="e", input=f"{topic} {event_id()}", output=output, variant="m", **said)


def vote(asked, label, expert="", **who):
    said = {"subject": event_id(), **who}
    signal = Signal(
        exchange=asked.id,
        kind="correction",
        value=-1.0,
        source="user",
        explicit=True,
        correction=label,
        **said,
    )
    return Vote(signal, asked, expert)


def row(topic, label, by="seed", role="train", task="route"):
    text = f"{topic} {event_id()}"
    return Row(text=text, source="files", labels={task: label}, labelled_by=by, role=role)


def traffic(n=60, task="route"):
    """Exchanges about b to j, each answered with its own letter."""
    return [exchange("bcdefghij"[i % 9], "BCDEFGHIJ"[i % 9], task=task) for i in range(n)]


def chances(encoder, votes, rows=(), recent=None):
    found = look(votes, rows, traffic() if recent is None else recent, encoder)
    return {f.vote.signal.id: f for f in found}


def first(encoder, votes, *args):
    return chances(encoder, votes, *args)[votes[0].signal.id]


KNOWN = [("a", "A")] * 3


class TestExamples:
    def test_a_vote_near_known_examples_of_its_label_is_believed(self, encoder):
        near, far = vote(exchange("a"), "A"), vote(exchange("b"), "A")
        rows = [row(*each) for each in KNOWN]
        found = chances(encoder, [near, far], rows)
        assert found[near.signal.id].p < 0.1
        assert found[near.signal.id].chance < found[far.signal.id].chance
        assert found[near.signal.id].votes == 2

    @pytest.mark.parametrize("wrong", [{"by": "user"}, {"role": "holdout"}, {"task": "risk"}, {"label": "C"}])
    def test_what_users_taught_is_held_out_or_of_another_task_or_label_is_no_example(self, encoder, wrong):
        alone = vote(exchange("a"), "A")
        fields = {"topic": "a", "label": "A", **wrong}
        assert first(encoder, [alone], [row(**fields) for _ in range(3)]).p == 1.0

    def test_votes_speak_for_each_other_only_while_few_examples_are_known(self, encoder):
        votes = [vote(exchange("a"), "A") for _ in range(4)]
        assert first(encoder, votes).p < 0.1
        elsewhere = [row("j", "A") for _ in range(FEW)]
        assert first(encoder, votes, elsewhere).p > 0.1

    @pytest.mark.parametrize("origin", [{"subject": "ann"}, {"subject": "", "key": "app"}, {"subject": ""}])
    def test_one_origin_does_not_speak_for_itself(self, encoder, origin):
        votes = [vote(exchange("a"), "A", **origin) for _ in range(4)]
        assert first(encoder, votes).p == 1.0


class TestTraffic:
    def test_with_too_little_to_compare_with_votes_pass(self, encoder):
        asked = vote(exchange("j"), "A")
        rows = [row(*each) for each in KNOWN]
        assert first(encoder, [asked], rows, traffic(LEAST - 1)).chance == 0
        assert first(encoder, [asked], rows, traffic(LEAST)).chance > 0

    def test_of_other_tasks_of_the_same_answer_and_of_the_votes_themselves_is_none(self, encoder):
        votes = [vote(e, "A") for e in traffic(LEAST)]
        same = [exchange("a", "A") for _ in range(LEAST)]
        for recent in (traffic(task="risk"), same, [v.exchange for v in votes]):
            assert all(f.chance == 0 for f in chances(encoder, votes, (), recent).values())

    def test_where_the_model_is_sure_a_vote_is_believed_less(self, encoder):
        sure, unsure = (vote(exchange("b", confidence=c), "A") for c in (0.95, 0.2))
        rows = [row(*each) for each in KNOWN]
        assert first(encoder, [sure], rows).chance > first(encoder, [unsure], rows).chance

    def test_to_agree_with_a_sure_answer_is_no_less_believed(self, encoder):
        agreed = [vote(exchange("a", "A", confidence=c), "A") for c in (0.95, 0.2)]
        one, other = (first(encoder, [v], [row(*each) for each in KNOWN]).chance for v in agreed)
        assert one == pytest.approx(other)


class TestExperts:
    def test_their_word_settles_a_vote(self, encoder):
        right, wrong = vote(exchange("j"), "A", expert="A"), vote(exchange("a"), "A", expert="B")
        found = chances(encoder, [right, wrong], [row(*each) for each in KNOWN])
        assert [found[v.signal.id].chance for v in (right, wrong)] == [0, 1]

    def test_and_says_something_of_the_others_for_the_label(self, encoder):
        rows = [row(*each) for each in KNOWN]
        doubtful = vote(exchange("b"), "A")
        others = [exchange("b") for _ in range(6)]
        refuted = [doubtful, *(vote(e, "A", expert="B") for e in others)]
        proved = [doubtful, *(vote(e, "A", expert="A") for e in others)]
        assert first(encoder, refuted, rows).chance > first(encoder, proved, rows).chance


def test_labels_and_tasks_are_judged_apart(encoder):
    mob = [vote(exchange("bcdefghij"[i % 9]), "A") for i in range(20)]
    fine = vote(exchange("c", "B"), "C")
    rows = [row("c", "C") for _ in range(3)] + [row(*each) for each in KNOWN]
    found = chances(encoder, [fine, *mob], rows)
    assert found[fine.signal.id].chance < 0.1
    assert np.mean([found[v.signal.id].chance > 0.3 for v in mob]) > 0.8
    assert found[fine.signal.id].votes == 1
