"""A small shop's lesson, and a checkpoint that can learn it: what tests of tuned generators share."""

import os
import sys
from pathlib import Path

from tiny import tiny

from openflywheel.base.nouns import Dataset, Row
from openflywheel.customize import Lesson

TASK = "shop"
ANSWERS = {
    "where is my parcel?": "it is on its way.",
    "cancel my order, please.": "your order was cancelled.",
    "how do i reset my password?": "ask for a link.",
}
LABELS = dict(zip(ANSWERS, ("delivery", "cancel", "password"), strict=True))
FAST = {"base": "base", "batch": 8, "rate": 2e-2, "rank": 4, "seed": 3}
KILLED = {**FAST, "batch": 4, "steps": 40}


def able(folder: Path, kind: str = "llama") -> Path:
    """A tiny checkpoint whose output layer is ten times as strong: an adapter beside it can make it sure."""
    from safetensors.torch import load_file, save_file

    weights = tiny(folder, kind) / "model.safetensors"
    tensors = load_file(weights)
    tensors["lm_head.weight"] *= 10
    save_file(tensors, weights, metadata={"format": "pt"})
    return folder


def rows(right: dict[str, str], people: range, **more) -> list[Row]:
    """Everybody asks everything."""
    return [
        Row(text=text, source="test", labels={TASK: answer}, subject=f"person-{person}", **more)
        for person in people
        for text, answer in right.items()
    ]


def lesson(kind: str = "text", people: int = 8, validation: int = 0, **more) -> Lesson:
    """A lesson of answers, or of labels; the people of its validation are others."""
    right = LABELS if kind == "label" else ANSWERS
    taught = rows(right, range(people), **more)
    dataset = Dataset(name=TASK, task=TASK, role="train", rows=tuple(r.id for r in taught), recipe="")
    return Lesson(dataset, taught, kind, rows(right, range(people, people + validation)))


def folders(folder: Path) -> dict[str, Path]:
    """What the wheel hands in."""
    made = {"folder": folder, "artefacts": folder / "models", "workspace": folder / "work"}
    for place in made.values():
        place.mkdir(exist_ok=True)
    return made


def kept(folder: Path) -> list[Path]:
    """The files that trainers keep in the workspace while they are at work."""
    return [path for path in (folder / "work").rglob("*") if path.is_file()]


def say(facts: dict[str, float]) -> None:
    """Tells a parent process how far a run is."""
    print(int(facts["step"]), flush=True)


if __name__ == "__main__":  # a run in a process of its own, to be killed
    os.environ["HF_HUB_OFFLINE"] = "1"
    from openflywheel.customize.lora import lora

    lora(lesson(validation=1), **KILLED, **folders(Path(sys.argv[1])), progress=say)
