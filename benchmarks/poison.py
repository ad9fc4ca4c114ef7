"""Can hostile accounts steer the wheel?  python -m benchmarks.poison [--json]

The shop's sample messages, cut into seeds (two examples of 70 % of the intents), traffic and a test part.
Honest people rate a quarter of the answers and correct 15 % of the wrong ones; experts answer 20 questions a
turn. No cascade: corrections matter most where the model always answers. The same people meet the same
questions in every run of a seed. 5 % of the accounts are hostile; with `nobody` they ask and say nothing.

votes     they correct every answer to one wrong label, and rate answers with that label up, others down
slow      they do so now and then, and as often for labels drawn at random
sleepers  they are honest for the first half of the turns
key       they have no names, and share one API key
loud      they ask so much more that they are a fifth of the traffic
intent    they ask about one intent alone, so that the texts of their votes are alike

Losses are in points of accuracy on the test part, the mean over all turns. Rows: those of each turn's
training set against the same without false votes and with the right ones that wait, which is what a wheel
that knew would be taught. The whole wheel: the rows of each turn against those of the run in which the same
accounts are silent. From the first vote on other questions are asked there, so it varies by a point or two.

The way of fitting is held fixed (kernel ridge, which the head prefers). The head chooses among three by
held-out accuracy, and on the same rows they differ by up to 2.5 points on the test: a handful of rows,
hostile or not, decides by chance which is chosen, and this would drown what the votes do.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct

from benchmarks.flywheel import TASK, Memo, cold_start, interval
from benchmarks.mob import ATTACKS, NOBODY, Mob
from benchmarks.report import Row as Bar
from benchmarks.report import at_most, finish, say
from openflywheel.base.forms.head import Head
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.instruments.vectors import classes
from openflywheel.base.nouns import Dataset, Row, Signal, Verdict
from openflywheel.base.quarantine import judged
from openflywheel.base.settings import parse
from openflywheel.customize._fitting import kernel_ridge
from openflywheel.store.vectors import Encoder
from openflywheel.wheel.flywheel import Flywheel
from openflywheel.window.crowd import Message
from openflywheel.window.demo import BEHAVIOUR, sample_messages
from openflywheel.window.simulate import cycle

TURNS, CONVERSATIONS = 6, 400
TESTED = 0.33
OPEN = (NOBODY, "votes")  # what is run without trust as well
OFF = "{per_subject: 1000000, per_block: 1000000, blind: 1.0}"

SETTINGS = """
name: poison
store: wheel
tasks: {{route: {{kind: label}}}}
collect: {{files: {{path: seeds.jsonl, basis: consent}}, experts: {{}}, traffic: {{basis: contract}}}}
curate: [normalise, dedupe]
customize: {{head: {{}}}}
evaluate: {{accuracy: {{margin: 0.02}}}}
study: {{taught: {{}}, active: {{}}, audit: {{}}}}
wheel: {{budget: {{labels: 20, holdout: 20}}, holdout: {{share: 0.1}}, seed: {seed}, trust: {trust}}}
"""


class Outcome(Struct):
    """One run: accuracy of what is taught by the rows of each turn, and by those that a wheel that knew had.

    `hostile` counts corrections that are wrong, `caught` those of them that wait at the end; `honest` and
    `refused` likewise for those that are right; `ratings` and `muted` for ratings of honest people.
    """

    taught: list[float]
    known: list[float]
    hostile: int = 0
    caught: int = 0
    honest: int = 0
    refused: int = 0
    ratings: int = 0
    muted: int = 0


Runs = dict[tuple[str, bool], list[Outcome]]


def run(attack: str, seed: int, encoder: Encoder, messages: Sequence[Message], *, trust: bool) -> Outcome:
    """All the turns of one attack in a fresh store."""
    seeds, rest = cold_start(messages, seed)
    cut = round(TESTED * len(rest))
    with tempfile.TemporaryDirectory() as folder, _wheel(folder, seeds, seed, encoder, trust) as wheel:
        wheel.turn()
        mob, out = Mob(wheel, TASK, rest[cut:], BEHAVIOUR, seed), Outcome([], [])
        mob.agree(attack, seed, TURNS // 2)
        for _ in range(TURNS):
            cycle(mob, CONVERSATIONS)
            rows = _rows_now(mob)
            out.taught.append(_reached(rows, rest[:cut], encoder))
            out.known.append(_reached(_as_if_known(mob, rows), rest[:cut], encoder))
        _count(mob, out)
    return out


def _rows_now(mob: Mob) -> list[Row]:
    dataset = [d for d in mob.wheel.store.all(Dataset) if d.role == "train"][-1]
    return list(mob.wheel.store.get(Row, dataset.rows).values())


def _as_if_known(mob: Mob, rows: Sequence[Row]) -> list[Row]:
    """The rows without what users taught falsely, and with what they say rightly and waits."""
    right = [r for r in rows if r.labelled_by != "user" or _true(mob, r)]
    known = {r.text for r in right}
    return right + [
        Row(text=mob.truth[s.exchange].text, source="traffic", labels={TASK: s.correction})
        for s, passed in _corrections(mob)
        if passed == "no" and _right(mob, s) and mob.truth[s.exchange].text not in known
    ]


def _reached(rows: Sequence[Row], test: Sequence[Message], encoder: Encoder) -> float:
    """Accuracy of kernel ridge on the test part."""
    labels, right = classes([row.labels[TASK] for row in rows])
    vectors, weight = encoder.encode([row.text for row in rows]), np.ones(len(rows), np.float32)
    fitted = kernel_ridge(vectors, right, len(labels), weight)
    assert fitted is not None  # there are fewer rows than it can take
    head = Head(labels, fitted.weights, fitted.bias, encoder.name, 1.0, fitted.support, fitted.gamma)
    says = head.predict(encoder.encode([m.text for m in test]))
    return float(np.mean([said == m.label for said, m in zip(says, test, strict=True)]))


def _corrections(mob: Mob) -> list[tuple[Signal, str]]:
    """Users' corrections, each with what the quarantine says of it last."""
    store = mob.wheel.store
    passed = judged(store.all(Verdict))
    said = [s for s in store.all(Signal) if s.correction and s.source == "user"]
    return [(s, passed.get(s.id, "")) for s in said]


def _right(mob: Mob, signal: Signal) -> bool:
    return mob.truth[signal.exchange].answered_by(signal.correction)


def _count(mob: Mob, out: Outcome) -> None:
    """Count what people said and what waits."""
    for signal, verdict in _corrections(mob):
        waits = verdict == "no"
        if _right(mob, signal):
            out.honest, out.refused = out.honest + 1, out.refused + waits
        else:
            out.hostile, out.caught = out.hostile + 1, out.caught + waits
    passed = judged(mob.wheel.store.all(Verdict))
    for signal in mob.wheel.store.all(Signal):
        if signal.kind == "rating" and signal.source == "user" and signal.subject not in {"", *mob.keys}:
            out.ratings, out.muted = out.ratings + 1, out.muted + (passed.get(signal.id) == "no")


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
    runs: Runs = {(attack, True): [] for attack in (NOBODY, *ATTACKS)}
    runs |= {(attack, False): [] for attack in OPEN}
    for seed in seeds:
        for (attack, trust), outs in runs.items():
            outs.append(run(attack, seed, encoder, messages, trust=trust))
            say(f"seed {seed} {attack:8} trust {'on ' if trust else 'off'} {outs[-1]}")
    return runs


def rows(runs: Runs) -> list[Bar]:
    """What each attack costs with trust and without, what trust costs, and who was caught."""
    calm = runs[NOBODY, True]
    out = [
        _bar("nobody, lost to trust: rows", wanting(calm), 0.5),
        _bar("nobody, lost to trust: the whole wheel", lost(runs[NOBODY, False], calm), 0.5),
    ]
    for (attack, trust), outs in runs.items():
        if attack != NOBODY:
            what, bar = f"{attack}, trust {'on' if trust else 'off'}", 1.0 if trust else None
            out.append(_bar(f"{what}: rows", wanting(outs), bar))
            out.append(_bar(f"{what}: the whole wheel", lost(runs[NOBODY, trust], outs), bar))
    return out + [row for (attack, trust), outs in runs.items() if trust for row in _caught(attack, outs)]


def _bar(what: str, shares: Sequence[float], most: float | None = None) -> Bar:
    points = [100 * share for share in shares]
    value, around = float(np.mean(points)), interval(points)
    if most is None:
        return Bar(row=what, value=value, unit="points", interval=around)
    return at_most(what, value, most, "points", around)


def wanting(outs: Sequence[Outcome]) -> list[float]:
    """Accuracy that each seed's rows lack, against those of a wheel that knew."""
    return [float(np.mean(o.known) - np.mean(o.taught)) for o in outs]


def lost(calm: Sequence[Outcome], hurt: Sequence[Outcome]) -> list[float]:
    """Accuracy that each seed loses against another run."""
    return [float(np.mean(c.taught) - np.mean(h.taught)) for c, h in zip(calm, hurt, strict=True)]


def _caught(attack: str, outs: Sequence[Outcome]) -> list[Bar]:
    """Recall and precision of the quarantine, and the shares of honest words that do not count."""
    hostile, caught, honest, refused, ratings, muted = (
        sum(getattr(o, name) for o in outs)
        for name in ("hostile", "caught", "honest", "refused", "ratings", "muted")
    )
    shares = {
        "hostile corrections that were refused": (caught, hostile),
        "refused corrections that were hostile": (caught, caught + refused if hostile else 0),
        "honest corrections that were refused": (refused, honest),
        "honest ratings that were refused": (muted, ratings),
    }
    return [Bar(row=f"{attack}: {what}", value=a / n, unit="") for what, (a, n) in shares.items() if n]


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    runs = compare(range(args.seeds), Memo(open_encoder()), sample_messages())
    finish("poison", rows(runs), args.seeds, as_json=args.json)


if __name__ == "__main__":
    main()
