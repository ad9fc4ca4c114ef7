"""A flywheel that has turned once with a trainer, and the gateway before its model."""

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import openai

from openflywheel.base.nouns import Model
from openflywheel.wheel.flywheel import Flywheel

Rows = Iterable[dict[str, Any]]


def settings(rows: Rows, folder: Path, task: str, kind: str, trainer: dict, metric: str, **more: Any) -> dict:
    """Of a wheel with one task and trainer, whose rows are in a file: changes for `written`."""
    rows = list(rows)
    (folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = {"path": "seeds.jsonl", "person": "person" if "person" in rows[0] else ""}
    return {
        "tasks": {"route": None, "answer": None, task: {"kind": kind}},
        "collect": {"files": {**source, "basis": "no_personal_data"}},
        "curate": ["normalise", "dedupe"],
        "customize": trainer,
        "evaluate": [metric],
        "guard": {"pii": None, "secrets": None},
        "serve": {"cascade": None, "routes": None},
        **more,
    }


def turned(file: Path, task: str) -> Model:
    """The champion of a task after one turn without an error."""
    with Flywheel.open(file) as wheel:
        assert [step.error for step in wheel.turn() if step.error] == []
        (model,) = wheel.store.all(Model)
        assert model.cost > 0
        assert model.report
        assert wheel.champion(task) == model
        return model


def teacher(written: Callable[..., Path], gateway: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """Teach with rows, then start the gateway: `gate.model` is what serves."""

    def teach(rows: Rows, task: str, kind: str, trainer: dict[str, Any], metric: str, **more: Any) -> Any:
        changes = settings(rows, folder, task, kind, trainer, metric, **more)
        model = turned(written(folder, **changes), task)
        gate = gateway(folder, **changes)
        gate.model = model
        if kind == "text":
            loaded(gate, task)
        return gate

    return teach


def loaded(gate: Any, task: str) -> None:
    """Wait for the language model; a process that imports torch on a busy machine needs half a minute."""
    ends = time.monotonic() + 120
    while True:
        try:
            ask(gate, task, "hello")
            return
        except openai.InternalServerError as error:
            if error.code != "no_champion" or time.monotonic() > ends:
                raise
            time.sleep(0.1)


def ask(gate: Any, task: str, text: str, person: str = "ann") -> Any:
    """What OpenAI's client gets."""
    asked = [{"role": "user", "content": text}]
    return gate.openai(timeout=60).chat.completions.create(
        model=f"flywheel/{task}", messages=asked, user=person
    )


def said(gate: Any, task: str, text: str, person: str = "ann") -> str:
    """What the taught model answers over HTTP; what is kept names it, or its variant of a text task."""
    reply = ask(gate, task, text, person)
    kept, call = gate.exchanges()[-1], gate.calls()[-1]
    assert kept.id == call.id
    assert (kept.task, kept.input, kept.output) == (task, text, reply.choices[0].message.content)
    assert {gate.model.id, "tuned"} & {kept.variant, *(attempt.model for attempt in call.attempts)}
    return str(kept.output)
