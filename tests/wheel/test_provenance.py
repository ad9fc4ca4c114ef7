"""Which model is meant, and the chain behind it."""

import pytest

from openflywheel.base.champion import PROMOTION
from openflywheel.base.errors import UnknownModel
from openflywheel.base.nouns import Dataset, Exchange, Gap, Model, Record, Row, Signal, Verdict
from openflywheel.base.quarantine import QUARANTINE
from openflywheel.store import Store
from openflywheel.wheel.provenance import SAMPLES, resolve, trace


@pytest.fixture
def store(tmp_path):
    """A new store."""
    opened = Store(tmp_path / "wheel")
    yield opened
    opened.close()


def model(id, task="route", taught_by=()):
    return Model(id=id, name=f"{task}-head", task=task, base="b", method="m", taught_by=taught_by)


def promotion(about, passed="yes", **fields):
    return Verdict(check=PROMOTION, about=about, task="route", passed=passed, **fields)


class TestResolve:
    @pytest.fixture(autouse=True)
    def models(self, store):
        store.append([model("abc1"), model("abd2"), model("route3"), model("p4", task="price")])
        store.append([promotion("abd2"), promotion("abc1"), promotion("abd2", against="abc1")])

    @pytest.mark.parametrize(
        ("name", "id"),
        [
            ("abc1", "abc1"),
            ("abc", "abc1"),
            ("abd", "abd2"),
            ("route3", "route3"),
            ("p", "p4"),
            ("route", "abd2"),
        ],
    )
    def test_an_id_a_beginning_or_a_task(self, name, id, store):
        assert resolve(store, name) == id

    @pytest.mark.parametrize(
        ("name", "complaint"),
        [
            ("ab", "'ab' is the beginning of 2 models: abc1, abd2"),
            ("price", "task 'price' has no champion yet; its newest model is p4"),
            ("abc9", "there is no model 'abc9'; did you mean 'abc1'?"),
            ("zzz", "there is no model 'zzz'; choices: abc1, abd2, p4, route, route3"),
            ("", "there is no model ''; choices: abc1, abd2, p4, route, route3"),
        ],
    )
    def test_what_is_not_known_is_answered_with_choices(self, name, complaint, store):
        with pytest.raises(UnknownModel) as raised:
            resolve(store, name)
        assert str(raised.value) == complaint

    def test_of_many_models_the_newest_are_offered(self, store):
        store.append([model(f"m{n:02}") for n in range(30)])
        with pytest.raises(UnknownModel, match=r"choices: m25, m26, m27, m28, m29, route$"):
            resolve(store, "zzz")


def test_without_models_the_next_command_is_named(store):
    with pytest.raises(UnknownModel, match="teach one with: flywheel turn"):
        resolve(store, "route")
    with pytest.raises(UnknownModel, match="there is no model 'x'"):
        trace(store, "x")


@pytest.fixture
def taught(store):
    """A model that one conversation and some seeds taught, judged on an old and a new holdout; its nouns."""
    exchange = Exchange(episode="e", task="route", input="late", output="billing", variant="m0")
    said = Signal(
        exchange=exchange.id, kind="correction", value=-1, source="user", explicit=True, correction="track"
    )
    gap = Gap(topic="route", why="people answered 1 exchange", task="route", evidence=(exchange.id,))
    other = Gap(topic="route", why="something else", task="route", evidence=("x",))
    record = Record(text="late", source="traffic", parents=(exchange.id, said.id))
    learned = Row(
        text="late",
        source="traffic",
        labels={"route": "track"},
        labelled_by="user",
        parents=(record.id,),
        at=5,
    )
    seeds = [
        Row(text=f"seed {n}", source="files", labels={"route": "billing"}, labelled_by="seed", at=10 + n)
        for n in range(8)
    ]
    judge = Row(text="judge", source="traffic", labelled_by="expert", role="holdout")

    def dataset(role, rows, at):
        ids = tuple(row.id for row in rows)
        return Dataset(name=f"route-{role}", task="route", role=role, rows=ids, recipe=str(at), at=at)

    train = dataset("train", [learned, *seeds], 20)
    holdouts = [dataset("holdout", [judge], at) for at in (1, 50, 200)]
    new = model("m1", taught_by=(train.id,))
    checks = [
        Verdict(check="accuracy", about="m1", task="route", passed="yes", at=100),
        Verdict(check="guard.pii", about="m1", task="route", passed="yes", at=101),
        Verdict(check="accuracy", about="m0", task="route", passed="no", at=102),
        promotion("m1", at=103, against="m0"),
    ]
    store.append([exchange, said, gap, other, record, learned, *seeds, judge, train, *holdouts, new, *checks])
    named = (exchange, said, gap, record, learned, train, holdouts, checks)
    names = ("exchange", "signal", "gap", "record", "row", "train", "holdouts", "checks")
    return dict(zip(names, named, strict=True))


def test_decisions_and_checks_are_told_newest_first(store, taught):
    found = trace(store, "m1")
    assert found.serves
    assert found.decisions == [taught["checks"][3]]
    assert found.checks == [taught["checks"][1], taught["checks"][0]]


def test_a_model_that_was_replaced_does_not_serve(store, taught):
    store.append([model("m2"), promotion("m2")])
    assert not trace(store, "m1").serves


def test_a_dataset_is_told_by_labeller_and_source(store, taught):
    (lineage,) = trace(store, "m1").taught_by
    assert lineage.dataset == taught["train"]
    assert lineage.size == 9
    assert lineage.labelled_by == {"seed": 8, "user": 1}
    assert lineage.sources == {"files": 8, "traffic": 1}


def test_a_conversation_is_followed_back_to_signals_and_gaps(store, taught):
    samples = trace(store, "m1").taught_by[0].samples
    assert len(samples) == SAMPLES
    first = samples[0]
    assert first.row == taught["row"]
    assert first.records == [taught["record"]]
    assert first.exchange == taught["exchange"]
    assert first.signals == [taught["signal"]]
    assert first.gaps == [taught["gap"]]


def test_a_seed_has_no_conversation_behind_it(store, taught):
    seed = trace(store, "m1").taught_by[0].samples[1]
    assert (seed.row.text, seed.records, seed.exchange, seed.signals, seed.gaps) == (
        "seed 7",
        [],
        None,
        [],
        [],
    )


def test_the_holdout_is_the_newest_before_the_first_check(store, taught):
    (lineage,) = trace(store, "m1").judged_on
    assert lineage.dataset == taught["holdouts"][1]


def test_a_model_that_nobody_checked_has_no_holdout(store, taught):
    store.append([model("m3", taught_by=(taught["train"].id,))])
    found = trace(store, "m3")
    assert (found.decisions, found.checks, found.judged_on) == ([], [], [])


def test_signals_about_its_task_that_do_not_count_are_counted(store, taught):
    def refused(about, reason, task="route"):
        return Verdict(check=QUARANTINE, about=about, task=task, passed="no", reason=reason)

    assert trace(store, "m1").quarantined == {}
    store.append([refused("a", "blind: 60%"), refused("b", "blind: 70%")])
    store.append([refused("c", "blind: 80%", "price")])
    assert trace(store, "m1").quarantined == {"blind": 2}
