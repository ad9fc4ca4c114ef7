"""Who has seen a task, by name and settings."""

from functools import partial

from openflywheel.customize._seen import by_name, identity, see, unseen


def head(lesson, *, rank=1, seed=0):
    return lesson, rank, seed


def lora(lesson):
    return lesson


def test_uses_of_one_trainer_stand_together_in_their_order():
    small, large = partial(head, rank=1), partial(head, rank=2)
    assert by_name([small, lora, large]) == {"head": [small, large], "lora": [lora]}


def test_settings_make_the_identity_and_what_is_handed_in_does_not():
    assert identity([partial(head, rank=1, seed=1)]) == identity([partial(head, seed=2, rank=1)])
    assert identity([partial(head, rank=1)]) != identity([partial(head, rank=2)])
    assert identity([partial(head, rank=1)]) != identity([partial(head, rank=1)] * 2)
    assert identity([partial(partial(head, rank=1), rank=3)]) == identity([partial(head, rank=3)])


def test_what_was_seen_is_known_by_task_and_name():
    state = {}
    see(state, "route", "head", "1")
    assert not unseen(state, "route", "head", "1")
    assert unseen(state, "route", "head", "2")
    assert unseen(state, "route", "lora", "1")
    assert unseen(state, "risk", "head", "1")
