"""Dataset -> Model: which trainers are called, with what."""

import pytest

from openflywheel import customize
from openflywheel.base.nouns import Dataset, Model, Row
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

    def rows(self, dataset):
        return self.held[dataset.id]


@pytest.fixture
def given():
    return Given()


@pytest.fixture
def teach(given):
    """What the room asks of a trainer of label tasks."""
    lessons = []

    def trainer(lesson):
        lessons.append(lesson)
        return Model(name="m", task=lesson.dataset.task, base="b", method="m", taught_by=(lesson.dataset.id,))

    def run(*took, kinds=("label",), tasks=None):
        trainer.__module__ = __name__
        globals()["KINDS"] = kinds
        lessons.clear()
        made = list(customize.run(took, given, [trainer], kinds=tasks or {"route": "label"}))
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
    assert [lesson.kind for lesson in teach(*sets, tasks=tasks, kinds=("number",))] == ["number"]
