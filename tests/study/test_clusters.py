from functools import partial

import numpy as np
import pytest

from openflywheel import collect
from openflywheel.base.holdout import held_out
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Dataset, Drop, Exchange, Row, Signal
from openflywheel.collect.experts import experts
from openflywheel.collect.files import files
from openflywheel.collect.traffic import traffic
from openflywheel.customize import Lesson
from openflywheel.customize.head import Head, head
from openflywheel.store import Store
from openflywheel.study import Evidence
from openflywheel.study.clusters import clusters, distinctive, fails, kmeans
from openflywheel.window.demo import sample_messages

ENCODER = NgramEncoder()
TOPICS = {
    "parcel": "where is my parcel number {}",
    "refund": "please refund order {} at once",
    "password": "I forgot the password of account {}",
    "invoice": "send the invoice for purchase {}",
    "sofa": "is the green sofa {} in stock",
    "voucher": "my voucher {} does not work",
}


def exchange(text="hi", output="a", **fields):
    given = {"episode": text, "task": "route", "input": text, "output": output, "variant": "m"}
    return Exchange(**given | fields)


def said(about, **fields):
    given = {"kind": "rating", "value": -1.0, "source": "user", "explicit": True, "task": about.task}
    return Signal(exchange=about.id, **given | fields)


def evidence(fresh, signals=()):
    heard = {e.id: [s for s in signals if s.exchange == e.id] for e in fresh}
    return Evidence(fresh, {e.id: e for e in fresh}, heard, signals, (), {})


def found(fresh, signals=(), holdout=0.0, seed=0, **settings):
    given = evidence(fresh, signals)
    return list(clusters(given, encoder=ENCODER, holdout=holdout, seed=seed, **settings))


def traffic_of(failing, each=40, by_chance=0.1, seed=0, **fields):
    """Messages on every topic in random order; those on `failing` topics mostly go to a person."""
    chance = np.random.default_rng(seed)
    pairs = [(name, text.format(i)) for name, text in TOPICS.items() for i in range(each)]
    chance.shuffle(pairs)
    rates = {name: 0.8 if name in failing else by_chance for name in TOPICS}
    return [
        exchange(text, "" if chance.random() < rates[name] else "a", **fields) for name, text in pairs
    ]


@pytest.mark.parametrize("failing", [{"parcel"}, {"refund", "voucher"}])
def test_planted_topics_that_fail_are_found_by_name(failing):
    fresh = traffic_of(failing)
    gaps = found(fresh)
    assert {name for name in TOPICS for gap in gaps if name in gap.topic.split(", ")} == failing
    assert all(any(name in gap.topic for name in failing) for gap in gaps)


def test_a_gap_says_what_fails_how_surely_and_asks_nobody():
    fresh = traffic_of({"parcel"})
    known, gap = {e.id: e for e in fresh}, found(fresh, size=40)[0]
    failures, n = (int(word) for word in gap.why.split()[:3:2])
    share = sum(not e.output for e in fresh) / len(fresh)
    assert gap.why.startswith(f"{failures} of {n} failed (lift {failures / n / share:.1f}), p = ")
    assert gap.weight == pytest.approx(failures - n * share)
    assert (gap.task, gap.budget, len(gap.evidence)) == ("route", 0, failures)
    assert all("parcel" in known[id].input and not known[id].output for id in gap.evidence)
    assert len(set(gap.queries)) == 3
    assert all("parcel" in text for text in gap.queries)


def test_healthy_traffic_seldom_raises_an_alarm():
    alarms = [bool(found(traffic_of((), by_chance=0.3, seed=s), seed=s)) for s in range(20)]
    assert sum(alarms) <= 4  # of 20; two are expected at most


def test_intents_that_nobody_seeded_surface_on_the_sample_messages(tmp_path):
    messages = sample_messages()
    chance = np.random.default_rng(0)
    labels = sorted({m.label for m in messages} - {"out_of_scope"})
    unseeded = set(chance.choice(labels, 4, replace=False))
    seeds, others = [], []
    for label in labels:
        ours = [m for m in messages if m.label == label]
        seeds += ours[:20] if label not in unseeded else []
        others += ours[20:40] if label not in unseeded else ours
    model = taught(seeds, tmp_path)
    fresh = [exchange(m.text, o) for m, o in zip(others, model.predict(vectors(others)), strict=True)]
    ratings = [
        said(e)
        for e, m in zip(fresh, others, strict=True)
        if chance.random() < (0.05 if e.output == m.label else 0.5)
    ]
    wishes = {e.id: m.label for e, m in zip(fresh, others, strict=True)}
    gaps = found(fresh, ratings)
    for gap in gaps:
        print(gap.topic, gap.why, [wishes[i] for i in gap.evidence], gap.queries)
    print(unseeded)
    assert 0


def vectors(messages):
    return ENCODER.encode([m.text for m in messages])


def taught(messages, folder):
    rows = [Row(text=m.text, source="t", labels={"route": m.label}) for m in messages]
    dataset = Dataset(name="d", task="route", role="train", rows=tuple(r.id for r in rows), recipe="")
    head(Lesson(dataset, rows), encoder=ENCODER, artefacts=folder)
    return Head.read(next(folder.iterdir()))
