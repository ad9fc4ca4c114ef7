"""Lessons for hosted trainers, and the trainer with what the wheel would hand in."""

from openflywheel.base.forms.hosted import opened
from openflywheel.base.instruments.account import Account
from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson
from openflywheel.customize.hosted import estimate, hosted
from openflywheel.serve.providers import Provider

KEY = "sk-very-secret"
LABELS = ("cancel", "refund", "track")
SLOW = {"tuning": {"running": 3600}}
CREATE = {"path": "/fine_tuning/jobs", "model": "fake-small"}


def rows_of(n, role="train", task="route", **more):
    return [
        Row(text=f"{role} question {i}", source="test", labels={task: LABELS[i % 3]}, role=role, **more)
        for i in range(n)
    ]


def lesson_of(rows, kind="label", validation=(), preference=(), task="route", recipe="r"):
    dataset = Dataset(name=task, task=task, role="train", rows=tuple(r.id for r in rows), recipe=recipe)
    return Lesson(dataset, rows, kind, validation, preference)


class Teacher:
    """The trainer with what the wheel would hand in."""

    def __init__(self, fake, folder):
        self.fake, self.folder = fake, folder
        self.workspace, self.artefacts = folder / "customize", folder / "models"
        self.artefacts.mkdir()
        self.providers = {"far": Provider(url=fake.url, key=KEY)}
        self.told = []

    def teach(self, lesson, **settings):
        return list(hosted(lesson, **self._given(settings)))

    def foreseen(self, lesson, **settings):
        return estimate(lesson, **self._given(settings))

    def _given(self, settings):
        chosen = {"provider": "far", "base": "fake-small", "price": 25.0, "wait": 0.0, **settings}
        handed = {
            "providers": self.providers, "artefacts": self.artefacts, "workspace": self.workspace, "seed": 3,
            "progress": self.told.append,
        }  # fmt: skip
        return {**chosen, **handed}

    def open(self, model):
        return opened(self.folder / model.uri, providers=self.providers)

    def jobs(self):
        return Account("far", self.providers["far"]).get("/fine_tuning/jobs")["data"]
