from math import inf

from openflywheel.signals import _past
from openflywheel.signals._past import Past


def test_nothing_is_read_until_it_is_asked_for_and_then_once(asked):
    reads = []
    past = Past(lambda: reads.append(1) or [asked(at=2), asked(at=1)])
    assert reads == []
    assert [e.at for e in past.exchanges] == [1, 2]
    assert past.of("") == ()
    assert reads == [1]


def test_a_persons_exchanges_are_found(asked):
    past = Past(lambda: [asked(at=1, subject="ann"), asked(at=2, subject="bob"), asked(at=3, subject="ann")])
    assert [e.at for e in past.of("ann")] == [1, 3]
    assert past.of("eve") == ()


def test_memory_reaches_back_to_the_oldest_once_it_is_full(asked, monkeypatch):
    monkeypatch.setattr(_past, "NEWEST", 2)
    assert Past(lambda: [asked(at=5), asked(at=7)]).since == 5
    assert Past(lambda: [asked(at=5)]).since == -inf
    assert Past().since == -inf


def test_a_sample_is_spread_over_a_task_and_embedded_once(asked, encoder, monkeypatch):
    monkeypatch.setattr(_past, "SAMPLE", 4)
    own = [asked(f"a{i}", at=i) for i in range(10)]
    past = Past(lambda: [*own, asked("b", task="tone"), asked("")])
    sample = past.sample("route", encoder)
    assert [e.at for e in sample.exchanges] == [0, 3, 6, 9]
    assert past.sample("route", encoder) is sample
    assert encoder.encoded == 4
    assert sample.vectors.shape == (4, 26)
    assert sample.before(own[6]) == 2


def test_a_task_without_exchanges_has_an_empty_sample(encoder):
    assert len(Past().sample("route", encoder).exchanges) == 0


def test_likeness_is_the_cosine_with_what_came_before(asked, encoder):
    old = [asked("a", at=0), asked("b", at=1), asked("a later", at=5)]
    before, alike = Past(lambda: old).likeness(asked("a new", at=3), encoder)
    assert ([e.at for e in before], alike.tolist()) == ([0, 1], [1.0, 0.0])


def test_what_will_be_asked_is_compared_at_once_and_nothing_twice(asked, encoder, monkeypatch):
    monkeypatch.setattr(_past, "BLOCK", 3)
    old, fresh = [asked("a", at=0)], [asked(f"a{i}", at=1 + i) for i in range(7)]
    past = Past(lambda: old, [*fresh, asked(""), asked("b", task="tone")])
    for exchange in fresh:
        for _ in range(2):
            assert past.likeness(exchange, encoder)[1].tolist() == [1.0]
    assert encoder.encoded == 1 + 7
    assert past.likeness(asked("b", at=9), encoder)[1].tolist() == [0.0]
