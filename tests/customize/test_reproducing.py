"""The same store teaches the same model: dataset, order of rows and artefact, in every process."""

import json
import os
import shutil
import subprocess
import sys

import pytest

SETTINGS = """
name: again
store: wheel
encoder: ngrams
tasks: {route: {kind: label}, price: {kind: number}, next: {kind: rank}}
collect:
  - files: {path: routes.jsonl, person: person, task: route, basis: no_personal_data}
  - files: {path: prices.jsonl, task: price, basis: no_personal_data}
  - files: {path: chosen.jsonl, person: person, task: next, basis: no_personal_data}
curate: [normalise, dedupe]
customize: {head: {}, recommend: {factors: 4}}
evaluate: [accuracy]
"""
CODE = """
import json, sys
from openflywheel.base.nouns import Dataset, Model, Row
from openflywheel.wheel.flywheel import Flywheel

with Flywheel.open(sys.argv[1]) as wheel:
    for room in sys.argv[2:]:
        assert not wheel.advance(room).error
    rows = {row.id: row.text for row in wheel.store.all(Row)}
    sets = [[d.name, d.id, [rows[id] for id in d.rows]] for d in wheel.store.all(Dataset)]
    print(json.dumps([sets, [[m.name, m.id, m.uri] for m in wheel.store.all(Model)]]))
"""
WORDS = {"refund": "money back", "parcel": "late parcel", "login": "lost password"}


@pytest.fixture
def folder(tmp_path):
    """A wheel that has collected, and done nothing else."""
    routes = [
        {"text": f"{text} number {n}", "label": label, "person": f"p{n}"}
        for n in range(12)
        for label, text in WORDS.items()
    ]
    prices = [{"text": f"a box of {n} apples", "label": str(2 * n)} for n in range(1, 25)]
    chosen = [{"text": "{}", "label": f"{p % 3}-{(p + n) % 5}", "person": f"p{p}"}
              for p in range(30) for n in range(3)]  # fmt: skip
    chosen += [{"text": f"thing {n}", "item": f"{n % 3}-{n % 5}"} for n in range(15)]
    (tmp_path / "one").mkdir()
    (tmp_path / "one/flywheel.yaml").write_text(SETTINGS)
    for name, rows in (("routes", routes), ("prices", prices), ("chosen", chosen)):
        (tmp_path / f"one/{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    passed(tmp_path / "one", "0", "collect")
    return tmp_path


def passed(folder, seed, *rooms):
    """The datasets with their texts in order, and the models, after a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, folder / "flywheel.yaml", *rooms],
        env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_same_store_teaches_the_same_in_every_process(folder):
    shutil.copytree(folder / "one", folder / "two")
    first, second = (
        passed(folder / name, str(seed), "curate", "customize") for seed, name in ((1, "one"), (2, "two"))
    )
    assert first == second
    sets, models = first
    assert {name for name, _, _ in sets} == {"route-train", "price-train", "next-train", "next-items"}
    assert {name.partition("-")[0] for name, _, _ in models} == {"route", "price", "next"}
    for _, _, uri in models:
        one, two = (sorted((folder / name / "wheel" / uri).iterdir()) for name in ("one", "two"))
        assert [file.read_bytes() for file in one] == [file.read_bytes() for file in two]
