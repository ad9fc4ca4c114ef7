"""Makes the benchmark's files from public data: python -m benchmarks.data --from ../shared/data --to DIR.

CLINC150: `train` to live on, `val` to be examined with (the official test part is not there); Banking77: of
its training file 15 % of every intent are set apart (seed 0).
"""

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

TESTED = 0.15
Pairs = Iterable[tuple[str, str]]


def write(path: Path, pairs: Pairs) -> None:
    """A CSV with the columns text and label."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(pairs)


def clinc150(source: Path, to: Path) -> None:
    """CLINC150 (Larson et al. 2019) without its out-of-scope part."""
    data = json.loads((source / "clinc150/data_full.json").read_text(encoding="utf-8"))
    write(to / "clinc150_train.csv", data["train"])
    write(to / "clinc150_test.csv", data["val"])


def banking77(source: Path, to: Path) -> None:
    """Banking77 (Casanueva et al. 2020), split within each intent."""
    intents = defaultdict(list)
    with (source / "banking77/train.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            intents[row["category"]].append((row["text"], row["category"]))
    random = np.random.default_rng(0)
    train, test = [], []
    for pairs in intents.values():
        order = random.permutation(len(pairs))
        apart = round(TESTED * len(pairs))
        test += [pairs[i] for i in order[:apart]]
        train += [pairs[i] for i in order[apart:]]
    write(to / "banking77_train.csv", train)
    write(to / "banking77_test.csv", test)


def main() -> None:
    """Write all four files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    args = parser.parse_args()
    args.to.mkdir(parents=True, exist_ok=True)
    clinc150(args.source, args.to)
    banking77(args.source, args.to)


if __name__ == "__main__":
    main()
