"""Trainers that tune a language model, from rows in a file to an answer over HTTP."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from teaching import ask, loaded, said, settings, turned

from openflywheel.base.nouns import Dataset, Model, Step
from openflywheel.wheel.flywheel import Flywheel

ANSWERS = {
    "where is my parcel?": "it is on its way.",
    "cancel my order, please.": "your order was cancelled.",
    "how do i reset my password?": "ask for a link.",
}
DOMAINS = dict(zip(ANSWERS, ("order", "order", "account"), strict=True))
FAST = {"base": "base", "batch": 8, "rate": 2e-2, "rank": 4}
TUNED = {"answer": {"variants": {"small": None, "tuned": {"model": "flywheel/champion"}}}}
SERVE = {"cascade": None, "routes": TUNED, "generators": {"own": {"engine": "transformers"}}}

# peft uses an old name of transformers when it opens an adapter.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny checkpoint beside flywheel.yaml that an adapter can make sure of what it says."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "customize")
    place: Path = import_module("lessons").able(tmp_path / "base", "qwen3")
    return place


def rows(people: int = 8, **more: Any) -> list[dict[str, Any]]:
    """Everybody asks everything, and says it in a way of their own."""
    return [
        {"text": f"{text} {person}", "label": answer, "person": f"p{person}", "domain": DOMAINS[text], **more}
        for person in range(people)
        for text, answer in ANSWERS.items()
    ]


def test_an_upcycled_mixture_answers(teach, base):
    trainer = {"moe": {**FAST, "size": 2, "steps": 40}}
    gate = teach(rows(), "answer", "text", trainer, "rouge", serve=SERVE)
    assert gate.model.method == "moe.upcycle"
    for text, answer in ANSWERS.items():
        assert said(gate, "answer", f"{text} 3") == answer


def test_a_mixture_of_adapters_answers_by_domain(teach, base):
    trainer = {"moe": {**FAST, "by": "adapters", "steps": 30}}
    gate = teach(rows(), "answer", "text", trainer, "rouge", serve=SERVE)
    assert (gate.model.method, gate.model.report["domains"]) == ("moe.adapters", 2)
    for text, answer in ANSWERS.items():
        assert said(gate, "answer", f"{text} 3") == answer


WRONG = dict(zip(ANSWERS, (*list(ANSWERS.values())[1:], "it is on its way."), strict=True))


def test_corrections_and_thumbs_teach_what_people_like(written, gateway, fake, base, tmp_path):
    """The model that answers now is liked by some and not by others, and for a part of them says why."""
    fake.script({"rules": [{"contains": text, "answer": answer} for text, answer in WRONG.items()]})
    corrected = [{**row, "rejected": WRONG[text]} for row in rows() for text in WRONG if text in row["text"]]
    trainer = {"preference": {**FAST, "method": "orpo", "steps": 40}}
    asked = {"variants": {"small": {"model": "up/small"}}}
    changes = settings(
        corrected, tmp_path, "answer", "text", trainer, "rouge",
        serve={**SERVE, "routes": {"answer": asked}},
        study=["taught", "thumbs"], wheel={"holdout": {"share": 0}},
    )  # fmt: skip
    changes["collect"]["traffic"] = {"basis": "contract"}
    gate = gateway(tmp_path, **changes)
    for person, text in enumerate(ANSWERS):
        ask(gate, "answer", f"{text} {person}", f"t{person}")
        told = {"exchange": gate.exchanges()[-1].id, "rating": -1}
        assert gate.http().post("/v1/signals", json=told).status_code == 200
    model = turned(tmp_path / "flywheel.yaml", "answer")
    assert {d.role: len(d.rows) for d in gate.kept(Dataset)} == {"train": 24, "preference": 3}
    changes["serve"]["routes"] = TUNED
    gate = gateway(tmp_path, **changes)
    gate.model = model
    loaded(gate, "answer")
    for text, answer in ANSWERS.items():
        assert said(gate, "answer", f"{text} 3") == answer


def customized(wheel: Flywheel) -> Step:
    """What one turn's passage through customize came to."""
    [step] = [step for step in wheel.turn() if step.room == "customize"]
    assert step.error == ""
    return step


def test_a_job_at_a_provider_outlives_turns_and_its_model_answers(written, gateway, fake, tmp_path):
    trainer = {"hosted": {"provider": "up", "base": "fake-small", "price": 25.0, "wait": 0.0}}
    serve = {"cascade": None, "routes": TUNED}
    changes = settings(
        rows(), tmp_path, "answer", "text", trainer, "rouge", serve=serve,
        wheel={"budget": {"training_dollars": 0.001}},
    )  # fmt: skip
    file = written(tmp_path, **changes)
    fake.script({"tuning": {"running": 3600}})
    with Flywheel.open(file) as wheel:
        [refused] = customized(wheel).dropped
        assert "hosted would take 0 s and 0.0" in refused
        assert fake.requests() == []
        wheel.handed.agree = lambda trainer, estimate: trainer == "hosted"
        assert customized(wheel).dropped == {"still running at the provider": 1}
    fake.script({})
    with Flywheel.open(file) as wheel:  # another process, and nobody has to agree again
        assert customized(wheel).gave == 1
        model = wheel.champion("answer")
    assert isinstance(model, Model)
    gate = gateway(tmp_path, **changes)
    gate.model = model
    loaded(gate, "answer")
    for text, answer in ANSWERS.items():
        assert said(gate, "answer", f"{text} 3") == answer
    assert fake.requests()[-1].body["model"].startswith("ft:fake-small")
