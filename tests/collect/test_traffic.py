import pytest

from openflywheel.base.holdout import DRAWN, held_out
from openflywheel.base.nouns import Exchange, Gap, Signal
from openflywheel.base.thumbs import TEACHER, WHY
from openflywheel.collect.traffic import traffic

SHARE = 0.5


class Queue:
    """An experts' queue in which everything in `drawn` was asked for the holdout."""

    def __init__(self, drawn=()):
        self.drawn = drawn

    def why(self, exchange):
        return DRAWN if exchange in self.drawn else "doubted"


def exchange(*, held):
    """An exchange of a person who is held out, or not."""
    people = (f"p{i}" for i in range(100))
    return next(e for p in people if held_out(e := _by(p), SHARE) is held)


def _by(person):
    return Exchange(
        episode="e", task="route", input=f"hello from {person}", output="x", variant="m", subject=person
    )


def said(about, right, source="user", at=1.0, kind="correction"):
    return Signal(
        exchange=about.id,
        kind=kind,
        value=-1.0,
        source=source,
        explicit=True,
        correction=right,
        at=at,
        task="route",
    )


def records(exchanges, signals, drawn=()):
    gap = Gap(topic="route", why="", task="route", evidence=tuple(e.id for e in exchanges))
    heard = {e.id: [s for s in signals if s.exchange == e.id] for e in exchanges}
    known = {e.id: e for e in exchanges}
    return list(
        traffic(
            gap,
            exchanges=lambda ids: {i: known[i] for i in ids},
            heard=lambda ids: heard,
            experts=Queue(drawn),
            holdout=SHARE,
        )
    )


def test_a_correction_becomes_a_record_with_its_provenance():
    asked = exchange(held=False)
    correction = said(asked, "refund")
    (record,) = records([asked], [correction])
    assert (record.text, record.labels, record.labelled_by) == (asked.input, {"route": "refund"}, "user")
    assert record.purposes == ("training",)
    assert record.parents == (asked.id, correction.id)
    assert record.subject == asked.subject


def test_an_expert_is_believed_before_a_user_and_the_newest_before_older_ones():
    asked = exchange(held=False)
    signals = [said(asked, "a", "expert", 1), said(asked, "b", "expert", 2), said(asked, "c", "user", 3)]
    assert records([asked], signals)[0].labels == {"route": "b"}


def test_what_a_model_or_a_rule_says_never_teaches():
    asked = exchange(held=False)
    assert records([asked], [said(asked, "a", "model"), said(asked, "b", "code")]) == []


def test_volunteered_corrections_of_held_out_people_are_not_used_at_all():
    asked = exchange(held=True)
    assert records([asked], [said(asked, "a"), said(asked, "a", "expert")]) == []


def test_what_was_drawn_for_the_holdout_may_only_serve_evaluation():
    asked = exchange(held=True)
    (record,) = records([asked], [said(asked, "wrong"), said(asked, "right", "expert")], drawn=[asked.id])
    assert record.purposes == ("evaluation",)
    assert record.labels == {"route": "right"}


def test_a_correction_says_which_answer_was_not_right():
    asked = exchange(held=False)
    (record,) = records([asked], [said(asked, "refund")])
    assert record.meta == {"rejected": "x"}
    (record,) = records([asked], [said(asked, "x")])
    assert record.meta == {}


def test_what_a_teacher_answered_is_kept_as_a_models_word():
    asked = exchange(held=False)
    gap = Gap(topic="route", why=TEACHER, task="route", evidence=(asked.id,))
    (record,) = traffic(
        gap,
        exchanges=lambda ids: {asked.id: asked},
        heard=lambda ids: {},
        experts=Queue(),
        holdout=SHARE,
    )
    assert (record.labels, record.labelled_by, record.meta) == ({"route": "x"}, "model", {})


@pytest.mark.parametrize(("why", "thumb"), [(why, thumb) for why, thumb in WHY.items()])
def test_a_thumb_keeps_the_answer_that_was_given(why, thumb):
    asked, held = exchange(held=False), exchange(held=True)
    gap = Gap(topic="route", why=why, task="route", weight=0.4, evidence=(asked.id, held.id))
    known = {e.id: e for e in (asked, held)}
    (record,) = traffic(
        gap,
        exchanges=lambda ids: {i: known[i] for i in ids},
        heard=lambda ids: {},
        experts=Queue(),
        holdout=SHARE,
    )
    assert (record.text, record.labels) == (asked.input, {"route": "x"})
    assert record.meta == {"thumb": thumb, "counts": "0.4"}
    assert (record.labelled_by, record.purposes) == ("model", ("training",))
    assert record.parents == (asked.id,)
