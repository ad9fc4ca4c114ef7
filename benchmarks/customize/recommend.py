"""Recommendations beside the most popular items: in sessions that are made up, and in a shop's logged clicks.

The made-up shop flatters: people have two of twelve tastes, items one, and an item's words tell it. It shows
that what is there to learn is learned, for known people, strangers and new items. Open Bandit (Saito et al.
2021, arXiv:2008.07146) is real: the log of Thompson sampling teaches, and on the log of uniform choice the
click rates of three policies are estimated by SNIPS (Swaminathan & Joachims 2015). It holds few clicks.
"""

import csv
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from benchmarks.report import Row, at_least
from openflywheel.base.forms.recommender import Recommender, opened
from openflywheel.base.instruments.answers import Asked
from openflywheel.base.instruments.cumulative_gain import ndcg
from openflywheel.base.instruments.encoder import Encoder, open_encoder
from openflywheel.base.nouns import Dataset
from openflywheel.base.nouns import Row as Example
from openflywheel.customize import Lesson
from openflywheel.customize.recommend import recommend

THEMES = (
    "tent lantern campfire rucksack hiking", "lipstick mascara perfume powder blush",
    "guitar drums violin amplifier strings", "puppy leash kennel collar bone",
    "saucepan whisk oven spatula baking", "keyboard monitor laptop mouse charger",
    "cradle diaper rattle stroller bib", "saddle helmet bicycle pedals chain",
    "novel bookmark poetry paperback library", "rake seeds shovel flowerpot compost",
    "racket tennis dumbbell treadmill yoga", "necklace bracelet earrings pearl ring",
)  # fmt: skip
ITEMS, PEOPLE, TASTES = 300, 900, len(THEMES)
COLD, STRANGERS = 0.1, 0.3  # of the items nobody chose yet; of the people nobody knows
BAR = 0.05  # of nDCG@10 above the most popular items
DRAWS = 1_000  # of the bootstrap
Figures = NDArray[np.float64]


class Visit(Struct, frozen=True):
    """What somebody chose in order; the last item is the one to be foretold."""

    person: str
    chosen: tuple[int, ...]
    stranger: bool


def measure(data: Path, folder: Path, rounds: int) -> list[Row]:
    """nDCG@10 of the next item against popularity, the mean of `rounds` shops; click rates off policy."""
    encoder = open_encoder()
    every = [_shop(encoder, folder, seed) for seed in range(rounds)]
    rows = _gains(every)
    source = data / "open_bandit"
    if not source.is_dir():
        return [*rows, Row(row="recommend, Open Bandit", value=None, unit=f"skipped: {source} is missing")]
    return [*rows, *_bandit(source, encoder, folder)]


def _shop(encoder: Encoder, folder: Path, seed: int) -> dict[str, float]:
    """nDCG@10 of both for known people, strangers and new items; CPU-seconds of training."""
    random = np.random.default_rng(seed)
    taste = random.integers(TASTES, size=ITEMS)
    visits = [_visit(random, taste, str(number)) for number in range(PEOPLE)]
    start = time.process_time()
    model = recommend(_lesson(taste, visits, random), encoder=encoder, artefacts=folder, seed=seed)
    found = {"seconds": time.process_time() - start}
    made = opened(folder / Path(model.uri).name, encoder=encoder)
    popular = _popular(made, encoder)
    parts = {
        "known people": [v for v in visits if not v.stranger and not _cold(v.chosen[-1])],
        "strangers": [v for v in visits if v.stranger and not _cold(v.chosen[-1])],
        "new items": [v for v in visits if _cold(v.chosen[-1])],
    }
    for name, some in parts.items():
        found[name] = _gain(made, some)
        found[f"{name}, popular"] = _gain(popular, some)
    return found


def _visit(random: np.random.Generator, taste: NDArray[np.intp], person: str) -> Visit:
    """Items of two tastes are 30 times as likely; a new item comes last, for some."""
    liked = random.choice(TASTES, 2, replace=False)
    weight = (1 / np.arange(1, ITEMS + 1) ** 0.7) * np.where(np.isin(taste, liked), 30.0, 1.0)
    weight[_cold(np.arange(ITEMS))] = 0
    chosen = random.choice(ITEMS, int(random.integers(3, 12)), replace=False, p=weight / weight.sum())
    new = np.flatnonzero(_cold(np.arange(ITEMS)) & np.isin(taste, liked))
    last = [int(random.choice(new))] if len(new) and random.random() < COLD else []
    return Visit(person, (*map(int, chosen), *last), bool(random.random() < STRANGERS))


def _cold(item: Any) -> Any:
    """Is an item, or which of several are, among those that nobody chose yet?"""
    return item % round(1 / COLD) == 7


def _lesson(taste: NDArray[np.intp], visits: Sequence[Visit], random: np.random.Generator) -> Lesson:
    """Items with words of their taste among others, and all that known people chose but the last."""
    texts = [" ".join(random.choice(THEMES[t].split(), 3, replace=False)) for t in taste]
    items = [Example(text=text, source="b", meta={"item": str(i)}) for i, text in enumerate(texts)]
    rows = [
        Example(text="", source="b", subject=visit.person, labels={"next": str(item)}, at=float(place))
        for visit in visits
        if not visit.stranger
        for place, item in enumerate(visit.chosen[:-1])
    ]
    dataset = Dataset(name="d", task="next", role="train", rows=(), recipe="")
    return Lesson(dataset, rows, "rank", items=items)


def _popular(made: Recommender, encoder: Encoder) -> Recommender:
    return Recommender(replace(made.tastes, weights=np.array([0.0, 0.0, 1.0])), encoder, made.explore)


def _gain(made: Recommender, visits: Sequence[Visit]) -> float:
    asked = [Asked(subject=v.person, session=tuple(map(str, v.chosen[:-1]))) for v in visits]
    best = made.best(asked, 10)
    return float(
        np.mean([ndcg([i for i, _ in one], {str(v.chosen[-1])}) for one, v in zip(best, visits, strict=True)])
    )


def _gains(every: Sequence[dict[str, float]]) -> list[Row]:
    rows = []
    for name in ("known people", "strangers", "new items"):
        ours, popular = (np.array([one[n] for one in every]) for n in (name, f"{name}, popular"))
        label, gain = f"recommend, made-up shop, {name}", ours - popular
        rows.append(Row(row=f"{label}: nDCG@10 by popularity", value=float(popular.mean()), unit=""))
        between = (float(gain.min()), float(gain.max()))
        rows.append(at_least(f"{label}: gain in nDCG@10", float(gain.mean()), BAR, "", between))
    seconds = max(one["seconds"] for one in every)
    return [*rows, Row(row="recommend: training, with embedding", value=seconds, unit="CPU-s")]


def _bandit(source: Path, encoder: Encoder, folder: Path) -> list[Row]:
    """People are known by their four hashed features alone, so a person here is a segment."""
    taught, judged = (_log(source / policy / "men" / "men.csv") for policy in ("bts", "random"))
    rows = [
        Example(text="", source="b", subject=_segment(row), labels={"next": row["item_id"]}, at=float(place))
        for place, row in enumerate(taught)
        if row["click"] == "1"
    ]
    items = [Example(text="", source="b", meta={"item": str(i)}) for i in range(34)]
    dataset = Dataset(name="d", task="next", role="train", rows=(), recipe="")
    lesson = Lesson(dataset, rows, "rank", items=items)
    made = opened(
        folder / Path(recommend(lesson, encoder=encoder, artefacts=folder, seed=0).uri).name, encoder=encoder
    )
    clicks = np.array([row["click"] == "1" for row in judged], float)
    chance = {"ours": _chances(made, judged), "popularity": _chances(_popular(made, encoder), judged)}
    logged = np.array([float(row["propensity_score"]) for row in judged])
    out = [
        Row(
            row=f"recommend, Open Bandit: clicks that teach, {len(taught)} rows",
            value=float(len(rows)),
            unit="",
        )
    ]
    for name, weight in {
        "uniform": np.ones(len(clicks)),
        **{n: c / logged for n, c in chance.items()},
    }.items():
        value, between = _snips(weight, clicks)
        label = f"recommend, Open Bandit: click rate of {name}, SNIPS over {int(clicks.sum())} clicks"
        out.append(Row(row=label, value=100 * value, unit="%", interval=between))
    return out


def _log(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _segment(row: dict[str, str]) -> str:
    return " ".join(row[f"user_feature_{i}"][:8] for i in range(4))


def _chances(made: Recommender, log: Sequence[dict[str, str]]) -> Figures:
    """The propensity of the logged item at the first place of a draw."""
    best = made.best([Asked(subject=_segment(row)) for row in log], 34)
    out = []
    for row, order in zip(log, best, strict=True):
        likely = {item: np.exp(score - order[0][1]) for item, score in order}
        share = likely[row["item_id"]] / sum(likely.values())
        out.append((1 - made.explore) * share + made.explore / len(order))
    return np.array(out)


def _snips(weight: Figures, reward: Figures) -> tuple[float, tuple[float, float]]:
    """The estimate, and its 95 % interval in percent by a bootstrap over rows."""
    drawn = np.random.default_rng(0).integers(len(reward), size=(DRAWS, len(reward)))
    values = (weight * reward)[drawn].sum(axis=1) / weight[drawn].sum(axis=1)
    low, high = np.percentile(100 * values, [2.5, 97.5])
    return float((weight * reward).sum() / weight.sum()), (float(low), float(high))
