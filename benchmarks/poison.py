"""Can hostile accounts steer the wheel?  python -m benchmarks.poison [--json]

The shop's sample messages, cut into seeds (two examples of 70 % of the intents), traffic and a test part.
Honest people rate a quarter of the answers and correct 15 % of the wrong ones; experts answer 20 questions a
turn. No cascade: corrections matter most where the model always answers. The same people meet the same
questions in every run of a seed. In an attack 5 % of the accounts are hostile:

votes     they correct every answer to one wrong label, and rate answers with that label up, others down
slow      they do so now and then, and as often for labels drawn at random
sleepers  they are honest for the first half of the turns
key       they have no names, and share one API key
loud      they ask so much more that they are a fifth of the traffic
intent    they ask about one intent alone, so that the texts of their votes are alike

Two losses, in points of accuracy on the test part. What hostile votes taught: the last model against one that
is taught on the same rows without theirs. The whole wheel: the models of the second half of the turns against
those of a run without an attack; a chance in one turn changes all later ones, so it varies by some points.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct

from benchmarks.flywheel import TASK, Memo, accuracy, cold_start, interval
from benchmarks.mob import ATTACKS, NOBODY, Mob
from benchmarks.report import Row as Bar
from benchmarks.report import at_most, finish, say
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.nouns import Dataset, Row, Signal, Verdict
from openflywheel.base.quarantine import judged
from openflywheel.base.settings import parse
from openflywheel.customize import Lesson
from openflywheel.store.vectors import Encoder
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window.crowd import Message
from openflywheel.window.demo import BEHAVIOUR, sample_messages
from openflywheel.window.simulate import cycle

TURNS, CONVERSATIONS = 6, 400
TESTED = 0.25
OFF = "{per_subject: 1000000, per_block: 1000000, blind: 1.0}"

SETTINGS = """
name: poison
store: wheel
tasks: {{route: {{kind: label}}}}
collect: {{files: {{path: seeds.jsonl}}, experts: {{}}, traffic: {{}}}}
curate: [normalise, dedupe]
customize: {{head: {{}}}}
evaluate: {{accuracy: {{margin: 0.02}}}}
study: {{taught: {{}}, active: {{}}, audit: {{}}}}
wheel: {{budget: {{labels: 20, holdout: 20}}, holdout: {{share: 0.1}}, seed: {seed}, trust: {trust}}}
"""


class Outcome(Struct):
    """One run: accuracy of the model that was taught in each turn, and of two others after the last one.

    `clean` is taught without the corrections of hostile people, `whole` with the honest ones that wait.
    `hostile` counts corrections that are wrong, `caught` those of them that wait at the end; `honest` and
    `refused` likewise for those that are right.
    """

    taught: list[float]
    clean: float = 0.0
    whole: float = 0.0
    hostile: int = 0
    caught: int = 0
    honest: int = 0
    refused: int = 0


Runs = dict[tuple[str, bool], list[Outcome]]


def run(attack: str, seed: int, encoder: Encoder, messages: Sequence[Message], *, trust: bool) -> Outcome:
    """All the turns of one attack in a fresh store."""
    seeds, rest = cold_start(messages, seed)
    cut = round(TESTED * len(rest))
    with tempfile.TemporaryDirectory() as folder, _wheel(folder, seeds, seed, encoder, trust) as wheel:
        wheel.turn()
        mob, out = Mob(wheel, TASK, rest[cut:], BEHAVIOUR, seed), Outcome([])
        mob.agree(attack, seed, TURNS // 2)
        for _ in range(TURNS):
            cycle(mob, CONVERSATIONS)
            out.taught.append(accuracy(wheel, rest[:cut], gated=False))
        _compare(mob, out, rest[:cut])
    return out


def _compare(mob: Mob, out: Outcome, test: Sequence[Message]) -> None:
    """Count the corrections, and teach on other rows than the last model's."""
    store = mob.wheel.store
    passed, waiting = judged(store.all(Verdict)), []
    for signal in store.all(Signal):
        if signal.correction and signal.source == "user":
            waits, message = passed.get(signal.id) == "no", mob.truth[signal.exchange]
            if not message.answered_by(signal.correction):
                out.hostile, out.caught = out.hostile + 1, out.caught + waits
            else:
                out.honest, out.refused = out.honest + 1, out.refused + waits
                waiting += [
                    Row(text=message.text, source="traffic", labels={TASK: signal.correction})
                ] * waits
    dataset = [d for d in store.all(Dataset) if d.role == "train"][-1]
    rows = list(store.get(Row, dataset.rows).values())
    false = {r.id for r in rows if r.labelled_by == "user" and not _true(mob, r)}
    (teach,) = mob.wheel.plugins["customize"]
    for name, changed in (("clean", [r for r in rows if r.id not in false]), ("whole", [*rows, *waiting])):
        says = mob.wheel.handed.predict(teach(Lesson(dataset, changed)), [m.text for m in test])
        setattr(out, name, float(np.mean([s == m.label for s, m in zip(says, test, strict=True)])))


def _true(mob: Mob, row: Row) -> bool:
    return mob.truth[row.uri.removeprefix("exchange:")].answered_by(row.labels[TASK])


def _wheel(folder: str, seeds: Sequence[Message], seed: int, encoder: Encoder, trust: bool) -> Flywheel:
    lines = (json.dumps({"text": m.text, "label": m.label}) for m in seeds)
    Path(folder, "seeds.jsonl").write_text("\n".join(lines), encoding="utf-8")
    Path(folder, "wheel").mkdir()
    Path(folder, "wheel/key").write_bytes(np.random.default_rng([seed, 8]).bytes(32))  # the same held out
    settings = SETTINGS.format(seed=seed, trust="{}" if trust else OFF)
    return Flywheel(parse(settings, folder=Path(folder)), encoder=encoder)


def compare(seeds: Sequence[int], encoder: Encoder, messages: Sequence[Message]) -> Runs:
    """Nobody and every attack, with trust and without, on every seed."""
    runs: Runs = {(attack, trust): [] for attack in (NOBODY, *ATTACKS) for trust in (True, False)}
    for seed in seeds:
        for (attack, trust), outs in runs.items():
            outs.append(run(attack, seed, encoder, messages, trust=trust))
            curve = " ".join(f"{a:.3f}" for a in outs[-1].taught)
            say(f"seed {seed} {attack:8} trust {'on ' if trust else 'off'} {curve}")
    return runs


def rows(runs: Runs) -> list[Bar]:
    """What each attack costs with trust and without, what trust costs, and who was caught."""
    calm = runs[NOBODY, True]
    out = [
        _bar(
            "trust, nobody hostile: lost by corrections that wait",
            [o.whole - o.taught[-1] for o in calm],
            0.5,
        )
    ]
    out.append(_bar("trust, nobody hostile: lost by the whole wheel", lost(runs[NOBODY, False], calm)))
    for attack in ATTACKS:
        for trust, what in ((True, f"{attack}, trust on"), (False, f"{attack}, trust off")):
            outs, bar = runs[attack, trust], 1.0 if trust else None
            out.append(_bar(f"{what}: lost to hostile votes", [o.clean - o.taught[-1] for o in outs], bar))
            out.append(_bar(f"{what}: lost by the whole wheel", lost(runs[NOBODY, trust], outs)))
    return out + [row for attack in ATTACKS for row in _caught(attack, runs[attack, True])]


def _bar(what: str, shares: Sequence[float], most: float | None = None) -> Bar:
    points = [100 * share for share in shares]
    value, around = float(np.mean(points)), interval(points)
    if most is None:
        return Bar(row=what, value=value, unit="points", interval=around)
    return at_most(what, value, most, "points", around)


def lost(calm: Sequence[Outcome], hurt: Sequence[Outcome]) -> list[float]:
    """Accuracy that each seed loses, the mean over the second half of the turns."""
    late = slice(TURNS // 2, None)
    means = [[float(np.mean(out.taught[late])) for out in outs] for outs in (calm, hurt)]
    return [before - after for before, after in zip(*means, strict=True)]


def _caught(attack: str, outs: Sequence[Outcome]) -> list[Bar]:
    """Recall and precision of the quarantine, and the share of right corrections that still wait."""
    hostile, caught, honest, refused = (
        sum(getattr(o, name) for o in outs) for name in ("hostile", "caught", "honest", "refused")
    )
    shares = {
        "hostile corrections that were refused": caught / max(hostile, 1),
        "refused corrections that were hostile": caught / max(caught + refused, 1),
        "honest corrections that were refused": refused / max(honest, 1),
    }
    return [Bar(row=f"{attack}: {what}", value=share, unit="") for what, share in shares.items()]


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    runs = compare(range(args.seeds), Memo(open_encoder()), sample_messages())
    finish("poison", rows(runs), args.seeds, as_json=args.json)


if __name__ == "__main__":
    main()
