"""The comparison of ways of choosing, on vectors in clear clusters."""

import numpy as np
import pytest

from benchmarks.customize import active
from openflywheel.study._choosing import WAYS


@pytest.fixture(scope="module")
def data():
    """Twelve intents, each a cluster of 40 unit vectors, and a test of the same kind."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(12, 16))

    def drawn(each):
        y = np.repeat(np.arange(12), each)
        x = centres[y] + 0.4 * random.normal(size=(len(y), 16))
        return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y

    return active.Data(*drawn(40), *drawn(10))


@pytest.fixture
def short(monkeypatch):
    for name, value in {"TURNS": 2, "MESSAGES": 80, "LABELS": 8}.items():
        monkeypatch.setattr(active, name, value)


def test_labels_that_are_asked_for_teach(data, short, monkeypatch):
    found = {row.row: row.value for row in active.compared("made up", data, 1)}
    assert len(found) == 2 + len(WAYS)
    monkeypatch.setattr(active, "LABELS", 0)
    nothing = active.lived(data, "doubt", 0)
    assert all(value >= nothing for value in found.values())
    assert max(found.values()) > nothing


def test_every_way_sees_the_same_traffic(data, short):
    assert active.lived(data, "doubt", 3) == active.lived(data, "doubt", 3)
    first = [active._traffic(data.y, np.random.default_rng(1))[0].tolist() for _ in range(2)]
    assert first[0] == first[1]


def test_ratings_are_drawn_by_message_not_by_way(data):
    said, names = np.array([[0.9, 0.1]] * 4, np.float32), np.array([0, 1])
    drawn = np.array([[0.0, 0.0, 0.0, 0.9], [0.5, 0.01, 0.5, 0.5]])
    doubts = active._doubts(said, names, np.array([0, 0, 1, 0]), drawn)
    good, flipped, bad, unrated = doubts
    assert good < unrated < bad
    assert flipped == bad
    assert unrated == pytest.approx(0.1)


def test_a_set_that_is_missing_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(active, "open_encoder", lambda: active.CachedEncoder)
    monkeypatch.setattr(active, "CachedEncoder", lambda *_: type("E", (), {"close": lambda self: None})())
    rows = active.measure(tmp_path, tmp_path, 1)
    assert [row.value for row in rows] == [None, None]
    assert rows[0].row == "active: CLINC150 is missing"
