"""What trainers reach and cost.  python -m benchmarks.customize [--json]; exits with 1 when a bar is missed.

heads      the head at 100 to all labels, the cost of an update, the coverage of its intervals for numbers
encoder    LoRA of the sentence encoder at 1,000 labels beside the best head
domain     a language model from scratch, whose labels constrained decoding holds
sft        LoRA of a causal language model on conversations; a run that is killed and resumed
preference DPO on pairs and KTO on thumbs: held-out reward accuracy
moe        a mixture of experts, upcycled, beside a dense model of equal active parameters
retriever  a tuned retriever beside the untuned encoder
recommend  recommendations beside the most popular items
distil     a student of a teacher that is wrong in places, beside people's corrections
active     which exchanges to have labelled: ways of choosing, by what they teach
swap       adapters swapped while clients ask
gpu        LoRA of a billion parameters on CUDA: tokens a second beside the measured ceiling
"""

import argparse
import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from benchmarks.report import Row, finish, some_of

PARTS = (
    "heads", "encoder", "domain", "sft", "preference", "moe", "retriever", "recommend", "distil", "active",
    "swap", "gpu",
)  # fmt: skip
DATA = Path(__file__).parents[3] / "shared" / "data"


def measure(part: str, data: Path, folder: Path, rounds: int) -> list[Row]:
    """The rows of one part, whose module is named like it: one part needs no library of another."""
    rows: list[Row] = import_module(f"benchmarks.customize.{part}").measure(data, folder, rounds)
    return rows


def main() -> None:
    """Measure, print, and fail when a bar is missed."""
    options = _options()
    rows = list[Row]()
    with tempfile.TemporaryDirectory() as name:
        for part in options.only:
            folder = Path(name) / part
            folder.mkdir()
            rows += measure(part, options.data, folder, options.rounds)
    finish("customize", rows, options.rounds, as_json=options.json, cores=os.cpu_count())
    sys.exit(any(row.holds is False for row in rows))


def _options() -> argparse.Namespace:
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    parser.add_argument("--only", type=some_of(PARTS), default=list(PARTS), help=",".join(PARTS))
    parser.add_argument("--rounds", type=int, default=3, help="seeds of each part")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of public data")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
