"""SIGKILL at any point of a turn loses nothing and doubles nothing."""

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from openflywheel.base.nouns import KINDS
from openflywheel.store import Store
from openflywheel.wheel.flywheel import Flywheel

KILLS = 25
SETTINGS = """
name: killed
store: wheel
encoder: ngrams
tasks: {route: {kind: label, costs: {call: 0.002, error: 6, person: 4}}}
collect: {files: {path: seeds.jsonl, basis: no_personal_data}, experts: {}, traffic: {basis: contract}}
curate: [normalise, redact, length, dedupe]
customize: {head: {}}
evaluate: {accuracy: {}}
guard: {pii: {}, secrets: {}}
serve: {cascade: {}}
signals: {uncertainty: {}, rephrase: {}}
study: {taught: {}, active: {}, audit: {}}
velocity: {bottleneck: {}}
wheel: {holdout: {share: 0.3}}
"""
# Turns until the turn after the given one is whole, as an operator would who starts it again.
CHILD = """
import sys
from openflywheel.base.nouns import Step
from openflywheel.wheel.flywheel import Flywheel
with Flywheel.open(sys.argv[1]) as wheel:
    print("go", flush=True)
    while not wheel.store.get(Step, ["000001-velocity"]):
        wheel.turn()
    print("done", flush=True)
"""
WORDS = {
    "refund": ["money back please", "where is my refund", "refund me now", "i want my cash returned"],
    "parcel": ["where is my parcel", "parcel not here", "track my package", "delivery is late"],
    "login": ["cannot sign in", "password forgotten", "login code missing", "account locked out"],
}
MOMENTS = {"Reading": {"id", "value", "note", "low", "high"}, "Verdict": {"id"}}
VOLATILE = {"at", "seconds", "cpu_seconds", "cost", "latency"}


def _prepare(folder: Path) -> Path:
    """A wheel after its cold start, with conversations and signals that wait for a turn."""
    seeds = "\n".join(f'{{"text": "{t}", "label": "{label}"}}' for label, ts in WORDS.items() for t in ts[:2])
    (folder / "seeds.jsonl").write_text(seeds)
    path = folder / "flywheel.yaml"
    path.write_text(SETTINGS)
    with Flywheel.open(path) as wheel:
        wheel.turn()
        for i in range(60):
            label = list(WORDS)[i % 3]
            exchange = wheel.ask("route", f"{WORDS[label][i % 4]} number {i}", subject=f"p{i % 20}")
            if i % 2:
                wheel.signal(exchange, correction=label)
            elif i % 5 == 0:
                wheel.signal(exchange, rating=-1)
    return path


def _start(path: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "go\n"
    return child


def _finish(path: Path) -> float:
    """Let a child turn to the end; returns the seconds that the turn itself took."""
    child = _start(path)
    start = time.monotonic()
    assert child.stdout.readline() == "done\n"
    seconds = time.monotonic() - start
    assert child.wait() == 0
    child.stdout.close()
    return seconds


def _tables(folder: Path) -> dict[str, list[str]]:
    """Every table's rows in a comparable form: without clocks, and without the ids of moments."""
    store = Store(folder / "wheel")
    out = {}
    for kind in KINDS:
        rows = store.table(kind).drop_columns("seq").to_pylist()
        skip = VOLATILE | MOMENTS.get(kind.__name__, set())
        out[kind.__name__] = sorted(repr({k: v for k, v in row.items() if k not in skip}) for row in rows)
    store.close()
    return out


@pytest.mark.fault
@pytest.mark.slow
def test_a_turn_killed_at_random_points_ends_like_an_undisturbed_one(tmp_path):
    before = tmp_path / "before"
    before.mkdir()
    _prepare(before)
    calm = shutil.copytree(before, tmp_path / "calm")
    whole = _finish(calm / "flywheel.yaml")
    expected = _tables(calm)
    assert expected["Model"] != _tables(before)["Model"]

    chance, cut = random.Random(0), 0
    for kill in range(KILLS):
        folder = shutil.copytree(before, tmp_path / f"kill{kill}")
        child = _start(folder / "flywheel.yaml")
        time.sleep(chance.uniform(0, whole))
        child.send_signal(signal.SIGKILL)
        cut += child.wait() == -signal.SIGKILL
        child.stdout.close()
        _finish(folder / "flywheel.yaml")
        assert _tables(folder) == expected
        shutil.rmtree(folder)
    assert cut >= KILLS // 2  # else the kills came too late to say anything
