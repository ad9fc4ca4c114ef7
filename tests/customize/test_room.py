"""Dataset -> Model: which trainers are called, with what."""

import sys
from functools import partial
from types import SimpleNamespace

import pytest

from openflywheel import customize
from openflywheel.base.nouns import Dataset, Drop, Model, Reading, Row
from openflywheel.customize import Lesson


def rows(task, *texts, role="train"):
    return [Row(text=text, source="t", labels={task: "x"}, role=role) for text in texts]


class Given:
    """A store with these rows, as frozen sets."""

    def __init__(self):
        self.sets, self.held = [], {}

    def freeze(self, found, task="route", recipe="r"):
        dataset = Dataset(
            name=f"{task}-{found[0].role}",
            task=task,
            role=found[0].role,
            rows=tuple(row.id for row in found),
            recipe=recipe,
        )
        self.sets.append(dataset)
        self.held[dataset.id] = found
        return dataset

    def all(self, kind):
        return self.sets

    def get(self, kind, ids):
        return {}

    def rows(self, dataset):
        return self.held[dataset.id]


@pytest.fixture
def given():
    return Given()


@pytest.fixture
def teach(given, monkeypatch):
    """What the room asks of a trainer of label tasks."""
    lessons = []

    def trainer(lesson):
        lessons.append(lesson)
        return Model(name="m", task=lesson.dataset.task, base="b", method="m", taught_by=(lesson.dataset.id,))

    def run(*took, teaches=("label",), tasks=None):
        trainer.__module__ = "of_trainer"
        monkeypatch.setitem(sys.modules, "of_trainer", SimpleNamespace(KINDS=teaches))
        lessons.clear()
        kinds = tasks or {"route": "label"}
        allow = lambda name, estimate: pytest.fail("a trainer without an estimate just starts")  # noqa: E731
        made = list(customize.run(took, given, [trainer], kinds=kinds, allow=allow, state={}))
        assert [m.taught_by[0] for m in made] == [lesson.dataset.id for lesson in lessons]
        return list(lessons)

    return run


def test_the_newest_training_set_teaches_with_what_stands_beside_it(given, teach):
    train, fresh = rows("route", "a", "b"), rows("route", "a", "b", "c")
    sets = [given.freeze(train), given.freeze(rows("route", "v", role="validation")), given.freeze(fresh)]
    given.freeze(rows("route", "p", role="preference"))
    (lesson,) = teach(*sets)
    assert isinstance(lesson, Lesson)
    assert (lesson.dataset, lesson.rows, lesson.kind) == (sets[2], fresh, "label")
    assert [r.text for r in lesson.validation] == ["v"]
    assert [r.text for r in lesson.preference] == ["p"]


def test_sets_of_another_recipe_stand_apart(given, teach):
    given.freeze(rows("route", "v", role="validation"), recipe="old")
    (lesson,) = teach(given.freeze(rows("route", "a")))
    assert (lesson.validation, lesson.preference) == ((), ())


def test_new_preferences_teach_again_from_the_same_training_set(given, teach):
    train = given.freeze(rows("route", "a"))
    liked = given.freeze(rows("route", "p", role="preference"))
    (lesson,) = teach(liked)
    assert (lesson.dataset, [r.text for r in lesson.preference]) == (train, ["p"])


@pytest.mark.parametrize("role", ["validation", "holdout"])
def test_what_judges_teaches_nothing(role, given, teach):
    given.freeze(rows("route", "a"))
    assert teach(given.freeze(rows("route", "v", role=role))) == []


def test_a_trainer_is_spared_what_it_cannot_teach(given, teach):
    sets = [given.freeze(rows("route", "a")), given.freeze(rows("price", "a"), task="price")]
    tasks = {"route": "label", "price": "number"}
    assert [lesson.dataset.task for lesson in teach(*sets, tasks=tasks)] == ["route"]
    assert [lesson.kind for lesson in teach(*sets, tasks=tasks, teaches=("number",))] == ["number"]


class TestBudget:
    """A trainer that says beforehand what it takes."""

    @pytest.fixture
    def costly(self, given, monkeypatch):
        """The room with a trainer that takes `epochs` minutes; what it gave, and its state."""
        started, state, asked = [], {}, []

        def slow(lesson, *, epochs, seed):
            started.append(lesson)
            return Model(name="m", task="route", base="b", method="slow", taught_by=(lesson.dataset.id,))

        def estimate(lesson, *, epochs, seed):
            return SimpleNamespace(cpu_seconds=60.0 * epochs, gpu_seconds=0.0, dollars=0.5, note="guessed")

        slow.__module__ = "of_slow"
        monkeypatch.setitem(sys.modules, "of_slow", SimpleNamespace(KINDS=("label",), estimate=estimate))

        def run(*took, agree):
            trainer = partial(slow, epochs=30, seed=0)

            def allow(name, found):
                asked.append((name, found.cpu_seconds))
                return agree

            kinds = {"route": "label"}
            return list(customize.run(took, given, [trainer], kinds=kinds, allow=allow, state=state))

        return SimpleNamespace(run=run, started=started, asked=asked)

    def test_what_it_will_take_is_read_and_then_it_starts(self, costly, given):
        seconds, dollars, model = costly.run(given.freeze(rows("route", "a")), agree=True)
        assert costly.asked == [("slow", 1800.0)]
        assert isinstance(seconds, Reading)
        assert (seconds.name, seconds.value, seconds.unit) == ("customize.slow.estimated_seconds", 1800, "s")
        assert (dollars.name, dollars.value, dollars.note) == (
            "customize.slow.estimated_cost",
            0.5,
            "guessed",
        )
        assert isinstance(model, Model)

    def test_what_nobody_agrees_to_waits_and_is_asked_again(self, costly, given):
        dropped = costly.run(given.freeze(rows("route", "a")), agree=False)[-1]
        assert isinstance(dropped, Drop)
        assert "slow would take 1,800 s and 0.50 dollars" in dropped.reason
        assert "flywheel turn --yes" in dropped.reason
        assert costly.started == []
        assert isinstance(costly.run(agree=True)[-1], Model)
        assert costly.run(agree=True) == []
