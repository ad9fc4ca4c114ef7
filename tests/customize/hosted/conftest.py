"""Lessons, and a provider at which runs go on at once."""

import pytest
from hosted_lessons import KEY, Teacher, lesson_of, rows_of

from openflywheel.base.instruments import account
from openflywheel.customize._hosted import job
from openflywheel.serve.providers import Provider


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Nobody waits before another try or another look."""
    monkeypatch.setattr(account, "PAUSES", (0.0,))
    monkeypatch.setattr(job, "PAUSE", 0.02)


@pytest.fixture
def providers(fake):
    return {"far": Provider(url=fake.url, key=KEY)}


@pytest.fixture
def lesson():
    return lesson_of(rows_of(12), validation=rows_of(6, "validation"))


@pytest.fixture
def teacher(fake, tmp_path):
    return Teacher(fake, tmp_path)
