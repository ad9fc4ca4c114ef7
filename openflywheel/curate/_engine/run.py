"""From shards to a Result. The work folder is named by recipe, input and state.

A run that is killed leaves it; the same run finds there what was finished and does the rest.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

from openflywheel.base.errors import WheelBusy
from openflywheel.base.ids import content_id
from openflywheel.curate._engine import files
from openflywheel.curate._engine.engine import Engine
from openflywheel.curate._engine.remember import Memory
from openflywheel.curate._engine.result import Result
from openflywheel.curate._engine.running import Running
from openflywheel.curate._engine.shard import Shard
from openflywheel.curate._engine.state import Manifest, State, opened
from openflywheel.curate._engine.stats import Told
from openflywheel.curate._engine.step import Opener, Plan
from openflywheel.curate._engine.telling import Teller


def curate(
    shards: Sequence[Shard], opener: Opener, *, recipe: str, engine: Engine, work: Path,
    state: Path | None = None, progress: Told | None = None,
) -> Result:  # fmt: skip
    """Take the shards through the steps. The rows are the same whatever the engine and the order of shards.

    recipe: names steps and settings. work: a folder that all workers see, for about twice the size of the
    input. state: a folder that remembers the rows of earlier runs, so that new ones meet them. progress: told
    after every shard. Raises StepFailed, StateRefused, and WheelBusy while another process has the same run
    or the state in hand.
    """
    with ExitStack() as held:
        kept = held.enter_context(opened(state, recipe)) if state else State(None, Manifest(recipe))
        run = content_id(recipe, kept.manifest.version, *(shard.name for shard in shards))
        busy = WheelBusy(f"the same curation runs already in {work / run}; wait for it, or stop it")
        held.enter_context(files.locked(work / run / "lock", busy))
        plan = Plan(uuid4().hex, opener)
        held.callback(plan.close)
        running = Running(plan, engine, work / run, kept, Teller(shards, progress))
        curated = running.through(shards)
        memory = Memory(kept, engine, work / run, tuple(running.reached))
        return Result(run, curated, running.teller.stats, running.changed(), memory, held.pop_all())
