from openflywheel.base.nouns import Gap, Signal
from openflywheel.collect.experts import experts


class Queue:
    def __init__(self):
        self.asked = []

    def ask(self, exchanges, *, task, why, known):
        self.asked.append((tuple(exchanges), task, why, tuple(known)))


def test_the_budget_decides_how_many_are_asked_and_answers_are_not_asked_for_again():
    queue = Queue()
    resolved = Signal(exchange="b", kind="label", value=0.0, source="expert", explicit=True, correction="x")
    gap = Gap(topic="t", why="doubted", task="route", evidence=("a", "b", "c"), budget=2)
    assert list(experts(gap, experts=queue, heard=lambda ids: {"b": [resolved]})) == []
    assert queue.asked == [(("a", "b"), "route", "doubted", ("b",))]


def test_a_gap_without_budget_asks_nobody():
    queue = Queue()
    list(experts(Gap(topic="t", why="", evidence=("a",)), experts=queue, heard=lambda ids: {}))
    assert queue.asked == [((), "", "", ())]
