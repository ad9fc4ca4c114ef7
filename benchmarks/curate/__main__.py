"""Our curation beside others.  python -m benchmarks.curate [--json]; exits with 1 when a bar is missed.

extraction   F1 of the main text on real pages that taught nothing, and pages a CPU-second
quality      the rules of Gopher, C4 and FineWeb: agreement with datatrove's filters, and speed
labels       wrong labels that were planted, found again; labellers of unlike skill
steps        CPU-seconds and MB a CPU-second of each step; language, redact and toxicity beside others
duplicates   near-duplicates found, natural and planted ones, and speed beside datasketch and datatrove
pipeline     all steps, documents a CPU-second beside datatrove, in the careful and in the fast tier
incremental  what 1 % of new documents costs
memory       20 GB of input with 2 GB of memory (hours: only when it is named)
ray          two nodes against one, and the same version as without Ray
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.curate import corpus
from benchmarks.curate.peers import PEERS, installed
from benchmarks.report import Row, finish, say, some_of

SIZE = 1_440  # documents of the pipeline
DATA = Path(__file__).parents[3] / "shared" / "data"


class Asked:
    """What is measured on: the options, a folder to work in, and the peers that are installed."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.peers = [peer for peer in options.peers if installed(peer)]
        self.more: dict[str, Any] = {}

    def documents(self, size: int) -> dict[str, Path]:
        """The user's own, or about `size` of ours."""
        own: Path | None = self.options.input
        return corpus.of(own) if own else corpus.real(self.options.data, self.options.manuals, size)


def _module(name: str) -> Any:
    """A part's module: one part needs no library of another."""
    return import_module(f"benchmarks.curate.{name}")


def _pipeline(asked: Asked) -> list[Row]:
    rows, runs = _module("pipeline").measure(
        asked.documents(asked.options.size), asked.folder, asked.peers, asked.options.rounds,
        asked.options.data / "readability_pages",
    )  # fmt: skip
    asked.more["runs"] = msgspec.to_builtins(runs)
    return list(rows)


def _ray(asked: Asked) -> list[Row]:
    own = corpus.of(asked.options.input) if asked.options.input else None
    rows: list[Row] = _module("ray_scaling").measure(own, asked.folder, asked.options.rounds)
    return rows


PARTS: Mapping[str, Callable[[Asked], list[Row]]] = {
    "extraction": lambda a: _module("extraction").measure(a.options.data / "readability_pages"),
    "quality": lambda a: _module("quality").measure(a.options.data, a.options.manuals),
    "labels": lambda a: _module("labels").measure(a.options.data, a.folder),
    "steps": lambda a: _module("steps").measure(a.options.data, a.options.manuals, a.folder),
    "duplicates": lambda a: _module("duplicates").measure(a.options.data, a.options.manuals),
    "pipeline": _pipeline,
    "incremental": lambda a: _module("incremental").measure(a.folder),
    "memory": lambda a: _module("memory").measure(a.folder),
    "ray": _ray,
}


def main() -> None:
    """Measure, print, and fail when a bar is missed."""
    options = _options()
    rows = list[Row]()
    with tempfile.TemporaryDirectory() as name:
        asked = Asked(options, Path(name))
        for missing in (peer for peer in options.peers if peer not in asked.peers):
            say(f"skipped: {missing} is not installed; pip install {PEERS[missing]}")
        for part in options.only:
            asked.folder = Path(name) / part
            asked.folder.mkdir()
            rows += PARTS[part](asked)
    said = {"peers": {peer: installed(peer) for peer in options.peers}, "cores": os.cpu_count()}
    finish("curate", rows, options.rounds, as_json=options.json, **said, **asked.more)
    sys.exit(any(row.holds is False for row in rows))


def _options() -> argparse.Namespace:
    shown = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown)
    usual = [part for part in PARTS if part != "memory"]
    parser.add_argument("--only", type=some_of(PARTS), default=usual, help=",".join(PARTS))
    parser.add_argument("--input", type=Path, help="a folder of your own documents, for pipeline and ray")
    parser.add_argument("--peers", type=some_of(PEERS), default=list(PEERS), help=",".join(PEERS))
    parser.add_argument("--size", type=int, default=SIZE, help="documents of the pipeline")
    parser.add_argument("--rounds", type=int, default=3, help="of the pipeline and of ray")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of public data")
    parser.add_argument(
        "--manuals", type=Path, default=Path("/usr/share/doc"), help="the folder of the manuals"
    )
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
