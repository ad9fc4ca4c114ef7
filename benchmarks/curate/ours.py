"""Our curation in a process of its own.  python -m benchmarks.curate.ours TIER FILES FOLDER [ENGINE]

FILES is a folder of documents, FOLDER gets the dataset. ENGINE is a number of processes, or "ray" or
"ray:ADDRESS". Prints what came of it as a JSON object.
"""

import json
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from openflywheel.base.settings import parse
from openflywheel.curate._engine.engine import Engine
from openflywheel.curate._engine.local import Local
from openflywheel.curate._engine.reading import Terms, shards
from openflywheel.curate._engine.run import curate
from openflywheel.curate._engine.writing import write
from openflywheel.store import Store
from openflywheel.wheel.curating import opener, recipe

if TYPE_CHECKING:
    from openflywheel.curate._engine.ray import Ray

SETTINGS = """
name: benchmark
store: store
tasks: {}
guard: [pii]
curate: [%s, quality, near_duplicates, redact]
"""
TIERS: Mapping[str, str] = {
    "careful": "extract, normalise, language: {keep: [en], least: 0.65}",
    "fast": "extract: {tier: fast}, normalise, language: {keep: [en], least: 0.65, sample: 2000}",
}
TERMS = Terms(basis="open", purposes=("training",))


def run(tier: str, files: Path, to: Path, engine: Engine) -> dict[str, object]:
    """Curate a folder of documents into a dataset."""
    to.mkdir(parents=True, exist_ok=True)
    settings = parse(SETTINGS % TIERS[tier], folder=to, rooms=("guard", "curate"))
    found = shards(files, terms=TERMS)
    with closing(Store.of(settings)) as store:
        code = recipe(settings, store)
    with curate(found, opener(settings), recipe=code, engine=engine, work=to / "work") as result:
        card = write(result, to / "dataset", settings.rooms["curate"], code=code)
    steps = {
        s.step: {"cpu": s.cpu_seconds, "took": s.took, "dropped": sum(s.dropped.values())}
        for s in result.stats
    }
    return {"kept": card.rows, "version": card.version, "steps": steps}


def engine(name: str) -> "Local | Ray":
    """Processes of this machine, or a cluster."""
    if not name.startswith("ray"):
        return Local(int(name))
    from openflywheel.curate._engine.ray import Ray  # noqa: PLC0415  an extra

    return Ray(name.partition(":")[2] or None)


if __name__ == "__main__":
    with engine(sys.argv[4] if len(sys.argv) > 4 else "2") as where:
        print(json.dumps(run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), where)))
