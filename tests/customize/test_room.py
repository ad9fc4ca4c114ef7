"""Dataset -> Model: which trainers are called, with what."""

import os
import stat
import sys
import time
from functools import partial
from types import SimpleNamespace

import pytest

from openflywheel import customize
from openflywheel.base.errors import SettingsError, StoreError
from openflywheel.base.nouns import Dataset, Drop, Fault, Model, Paid, Reading, Row
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
def places(tmp_path):
    """Where trainers work, and where models are kept."""
    (tmp_path / "models").mkdir()
    return {"workspace": tmp_path / "customize", "artefacts": tmp_path / "models"}


@pytest.fixture
def teach(given, monkeypatch, places):
    """What the room asks of a trainer of label tasks."""
    lessons, state = [], {}

    def trainer(lesson):
        lessons.append(lesson)
        return Model(name="m", task=lesson.dataset.task, base="b", method="m", taught_by=(lesson.dataset.id,))

    def run(*took, teaches=("label",), tasks=None):
        trainer.__module__ = "of_trainer"
        monkeypatch.setitem(sys.modules, "of_trainer", SimpleNamespace(KINDS=teaches))
        lessons.clear()
        kinds = tasks or {"route": "label"}
        allow = lambda name, estimate: pytest.fail("a trainer without an estimate just starts")  # noqa: E731
        made = list(customize.run(took, given, [trainer], kinds=kinds, allow=allow, state=state, **places))
        assert [m.taught_by[0] for m in made if isinstance(m, Model)] == [
            lesson.dataset.id for lesson in lessons
        ]
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


def test_items_come_beside_the_rows_and_new_ones_teach_again(given, teach):
    clicks, tasks = given.freeze(rows("find", "a"), task="find"), {"find": "rank"}
    (bare,) = teach(clicks, tasks=tasks, teaches=("rank",))
    assert (bare.items, bare.taught_by) == ((), (clicks.id,))
    items = rows("find", "i", role="items")
    catalogue = given.freeze(items, task="find")
    (lesson,) = teach(catalogue, tasks=tasks, teaches=("rank",))
    assert (lesson.dataset, [r.text for r in lesson.rows], lesson.items) == (clicks, ["a"], items)
    assert lesson.taught_by == (clicks.id, catalogue.id)


@pytest.mark.parametrize("role", ["validation", "holdout"])
def test_what_judges_teaches_nothing(role, given, teach):
    assert len(teach(given.freeze(rows("route", "a")))) == 1
    assert teach(given.freeze(rows("route", "v", role=role))) == []


def test_a_trainer_is_spared_what_it_cannot_teach(given, teach):
    sets = [given.freeze(rows("route", "a")), given.freeze(rows("price", "a"), task="price")]
    tasks = {"route": "label", "price": "number"}
    assert [lesson.dataset.task for lesson in teach(*sets, tasks=tasks)] == ["route"]
    assert [lesson.kind for lesson in teach(*sets, tasks=tasks, teaches=("number",))] == ["number"]


class TestSettings:
    """A trainer is shown what others were taught before it came, or before its settings changed."""

    def use(self, room, name="lora", **settings):
        room.trainers.clear()
        room.has(made, name)
        room.trainers[:] = [partial(room.trainers[0], **settings)]

    @pytest.fixture
    def room(self, room):
        def has(teach, name):
            def trainer(lesson, **settings):
                return made(lesson, f"{name} {settings}")

            trainer.__name__, trainer.__module__ = name, f"of_{name}"
            room.patch.setitem(sys.modules, trainer.__module__, SimpleNamespace(KINDS=("label",)))
            room.trainers.append(trainer)

        room.has, room.kinds = has, {"route": "label"}
        return room

    def test_a_new_trainer_learns_from_the_newest_set_although_it_is_not_new(self, room, given):
        self.use(room, "head")
        assert len(room.turn(given.freeze(rows("route", "a")))) == 1
        assert room.turn() == []
        self.use(room, "lora")
        assert [model.method for model in room.turn()] == ["lora {}"]
        assert room.turn() == []

    def test_so_does_one_with_other_settings_and_what_is_handed_in_is_none(self, room, given):
        self.use(room, rank=8, seed=0)
        room.turn(given.freeze(rows("route", "a")))
        self.use(room, rank=8, seed=1)
        assert room.turn() == [], "the seed of a turn is handed in"
        self.use(room, rank=16, seed=1)
        assert [model.method for model in room.turn()] == ["lora {'rank': 16, 'seed': 1}"]

    def test_a_task_that_no_trainer_can_teach_is_told_once(self, room, given):
        room.kinds = {"price": "number"}
        self.use(room, "head")
        said = "price: no trainer in flywheel.yaml teaches its kind, number"
        assert room.turn(given.freeze(rows("price", "a"), task="price")) == [Drop(said)]
        assert room.turn() == []


class TestBudget:
    """A trainer that says beforehand what it takes."""

    @pytest.fixture
    def costly(self, given, monkeypatch, places):
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
            return list(
                customize.run(took, given, [trainer], kinds=kinds, allow=allow, state=state, **places)
            )

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


class Room:
    """The room with some trainers of label tasks, turn after turn."""

    def __init__(self, given, places, monkeypatch):
        self.given, self.places, self.state, self.patch = given, places, {}, monkeypatch
        self.kinds, self.trainers = {"route": "label", "risk": "label"}, []

    def has(self, teach, name):
        """A trainer of that name; its answer is what `teach` makes of the lesson."""

        def trainer(lesson):
            return teach(lesson)

        trainer.__name__, trainer.__module__ = name, f"of_{name}"
        self.patch.setitem(sys.modules, trainer.__module__, SimpleNamespace(KINDS=("label",)))
        self.trainers.append(trainer)

    def turn(self, *took):
        return list(
            customize.run(
                took, self.given, self.trainers, kinds=self.kinds, allow=None, state=self.state, **self.places
            )
        )


def made(lesson, method="m"):
    return Model(
        at=1.0, name="m", task=lesson.dataset.task, base="b", method=method, taught_by=(lesson.dataset.id,)
    )


@pytest.fixture
def room(given, places, monkeypatch):
    return Room(given, places, monkeypatch)


class TestFailing:
    """A trainer that fails for a task stops nobody else, and loses nothing of theirs."""

    @pytest.fixture
    def both(self, given):
        """A task that can be taught, and one that can't."""
        return given.freeze(rows("risk", "a"), task="risk"), given.freeze(rows("route", "a"))

    @staticmethod
    def choosy(lesson):
        if lesson.dataset.task == "risk":
            raise SettingsError("task 'risk' has examples of 1 label")
        return made(lesson)

    def test_the_other_tasks_and_trainers_go_on(self, room, both):
        room.has(self.choosy, "head")
        room.has(made, "lora")
        fault, *models = room.turn(*both)
        assert fault == Fault("head, risk: task 'risk' has examples of 1 label")
        assert [(m.task, m.taught_by) for m in models] == [
            ("risk", (both[0].id,)),
            ("route", (both[1].id,)),
            ("route", (both[1].id,)),
        ]

    def test_only_who_failed_is_shown_its_task_again_until_it_succeeds(self, room, both):
        shown = []

        def head(lesson):
            shown.append(lesson.dataset.task)
            return self.choosy(lesson)

        room.has(head, "head")
        room.turn(*both)
        assert [type(thing) for thing in room.turn()] == [Fault]
        assert shown == ["risk", "route", "risk"]
        room.trainers.clear()
        room.has(made, "head")
        assert [m.task for m in room.turn()] == ["risk"]
        assert room.turn() == []

    def test_what_was_paid_and_made_before_it_failed_stands(self, room, both):
        def paid(lesson):
            yield Paid(2.0, "far")
            yield made(lesson)
            raise ConnectionError("the line went dead")

        room.kinds = {"route": "label"}
        room.has(paid, "hosted")
        assert [type(thing) for thing in room.turn(both[1])] == [Paid, Model, Fault]

    def test_of_two_uses_of_one_trainer_the_one_that_fails_is_not_forgotten(self, room, both):
        room.kinds = {"risk": "label"}
        room.has(self.choosy, "head")
        room.has(made, "head")
        assert [type(thing) for thing in room.turn(both[0])] == [Fault, Model]
        assert [type(thing) for thing in room.turn()] == [Fault, Model]

    def test_rubbish_is_a_failure(self, room, both):
        room.kinds = {"route": "label"}
        room.has(lambda lesson: None, "none")
        room.has(made, "lora")
        fault, model = room.turn(both[1])
        assert fault.said.startswith("none, route: TypeError: ")
        assert isinstance(model, Model)

    def test_a_task_whose_rows_are_lost_stops_only_itself(self, room, both, monkeypatch):
        read = room.given.rows

        def rows_of(dataset):
            if dataset.task == "risk":
                raise StoreError("dataset lacks 1 of its rows")
            return read(dataset)

        monkeypatch.setattr(room.given, "rows", rows_of)
        room.has(made, "head")
        fault, model = room.turn(*both)
        assert fault == Fault("head, risk: dataset lacks 1 of its rows")
        assert model.task == "route"

    def test_a_task_that_is_gone_from_the_settings_is_let_be(self, room, both):
        room.has(self.choosy, "head")
        room.turn(*both)
        del room.kinds["risk"]
        assert [m.task for m in room.turn(*both)] == ["route"]
        assert room.turn() == []


class TestWorkspace:
    """What a trainer keeps while it is at work stays until its model is in the store, and no longer."""

    @pytest.fixture
    def works(self, room, places):
        """A trainer that keeps a file while it is at work; `files` are those that there are."""

        def lora(lesson):
            run = lesson.place(places["workspace"], "lora")
            run.mkdir(exist_ok=True)
            (run / lesson.rows[-1].text).touch()
            if room.breaks:
                raise OSError("no space left")
            return made(lesson)

        room.breaks = False
        room.has(lora, "lora")
        room.files = lambda: sorted(p.name for p in places["workspace"].rglob("*") if p.is_file())
        return room

    def test_it_stays_while_the_passage_may_be_killed_and_goes_in_the_next_one(self, works, given):
        train = given.freeze(rows("route", "a"))
        works.turn(train)
        assert works.files() == ["a"]
        works.turn(train)  # the passage before was killed, so its dataset comes again
        assert works.files() == ["a"]
        works.turn()
        assert works.files() == []
        assert list(works.places["workspace"].iterdir()) == []

    def test_who_failed_finds_what_it_kept(self, works, given):
        works.breaks = True
        works.turn(given.freeze(rows("route", "a")))
        works.turn()
        assert works.files() == ["a"]
        works.breaks = False
        works.turn()
        works.turn()
        assert works.files() == []

    def test_what_was_kept_for_an_older_dataset_goes_before_the_newest_teaches(self, works, given):
        works.breaks = True
        works.turn(given.freeze(rows("route", "a")))
        works.turn(given.freeze(rows("route", "b")))
        assert works.files() == ["b"]

    def test_one_that_goes_on_keeps_nothing_of_others(self, works, given):
        works.has(lambda lesson: 1 / 0, "head")
        works.turn(given.freeze(rows("route", "a")))
        works.turn()
        assert works.files() == []

    def test_what_lies_beside_is_somebodys_own(self, works, given):
        book = works.places["workspace"] / "hosted" / "job.json"
        book.parent.mkdir(parents=True)
        book.touch()
        works.turn(given.freeze(rows("route", "a")))
        works.turn()
        assert works.files() == ["job.json"]

    def test_nobody_else_can_look_into_it(self, works, given):
        train = given.freeze(rows("route", "a"))
        works.turn(train)
        assert stat.S_IMODE((works.places["workspace"] / train.id).stat().st_mode) == 0o700

    def test_what_a_crash_left_among_the_models_goes_after_a_day(self, works):
        for name, age in ((".new-old", 90_000), (".new-young", 80_000), ("model", 90_000)):
            place = works.places["artefacts"] / name
            (place / "checkpoint").mkdir(parents=True)
            os.utime(place, (time.time() - age,) * 2)
        works.turn()
        assert {place.name for place in works.places["artefacts"].iterdir()} == {".new-young", "model"}
