"""One passage through one room, and the order of the ring.

Rooms never meet: each takes what is new for it from the store and leaves there what it made. So the wheel
may stop anywhere and go on later, and time, volume, drops and errors are measured here and nowhere else.
"""

import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from msgspec.structs import replace

from openflywheel import collect, curate, customize, evaluate, guard, serve, signals, study, velocity
from openflywheel.base.instruments.threads import one_thread
from openflywheel.base.nouns import Drop, Fault, Noun, Paid, Reading, Step
from openflywheel.store import Store

RING: Mapping[str, ModuleType] = {
    m.__name__.rpartition(".")[2]: m
    for m in (collect, curate, customize, evaluate, guard, serve, signals, study)
}
TURN = ("signals", "study", "collect", "curate", "customize", "evaluate", "guard", "serve", "velocity")
"""The order within a turn: from what was heard since the last one to what serves after it."""

ROOMS: Mapping[str, ModuleType] = {**RING, "velocity": velocity}

LONGEST_ERROR = 2_000  # characters of a Step's error

log = logging.getLogger("openflywheel")
Plugins = Mapping[str, list[Callable[..., Any]]]


def advance(
    store: Store, room: str, name: str, turn: int, plugins: Plugins, extra: Mapping[str, Any], settings: str
) -> Step:
    """Let one room work on what is new for it; returns how that went, a Step whose id is `name`.

    A plugin that fails, or gives what cannot be kept, fails its room: nothing of this passage is kept but a
    Step with the reason and what was paid, and the room takes the same things again the next time.
    """
    module, clock = ROOMS[room], _Clock()
    step = Step(id=name, turn=turn, room=room, took=0, settings=settings)
    out: list[Any] = []
    try:
        with store.passage(room, module.ARROW, name) as passage:
            if passage.done:
                return store.get(Step, [name])[name]
            step = replace(step, took=len(passage.took))
            if module.ARROW.stateful:
                extra = {**extra, "state": passage.state}
            with one_thread():
                out.extend(module.run(passage.took, passage.given, plugins.get(room, []), **extra))
            dropped = Counter(thing.reason for thing in out if isinstance(thing, Drop))
            nouns = [_noun(thing, turn) for thing in out if not isinstance(thing, Drop | Fault | Paid)]
            gave = sum(isinstance(n, module.ARROW.gives) or not isinstance(n, Reading) for n in nouns)
            done = replace(
                step, gave=gave, dropped=dict(dropped), error=_faults(out), **_paid(out), **clock.read()
            )
            passage.tray += [*nouns, done]
        if done.error:
            log.error("turn %d: %s failed: %s", turn, room, done.error)
        return done
    except Exception as error:  # whatever a plugin does must not stop the other rooms
        log.exception("turn %d: %s failed", turn, room)
        told = _paid([thing for thing in out if not getattr(thing, "run", "")])  # a run's is told again
        failed = replace(step, id=f"{name}-failed", error=_reason(error), **told, **clock.read())
        store.append([failed])
        return failed


def _faults(out: Sequence[object]) -> str:
    """What went wrong in parts of the room while the others went on."""
    return "; ".join(thing.said for thing in out if isinstance(thing, Fault))[:LONGEST_ERROR]


def _paid(out: Sequence[object]) -> dict[str, Any]:
    """What providers took in this passage, and who they are."""
    paid = [thing for thing in out if isinstance(thing, Paid)]
    providers = sorted({p.provider for p in paid})
    return {"cost": sum(p.dollars for p in paid), "provider": ", ".join(providers)}


def _noun(thing: object, turn: int) -> Noun:
    if not isinstance(thing, Noun):
        raise TypeError(f"a plugin gave {thing!r}, which is no noun")
    return replace(thing, turn=turn) if isinstance(thing, Reading) else thing


class _Clock:
    """Wall and CPU seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        return {"seconds": time.perf_counter() - self._wall, "cpu_seconds": time.process_time() - self._cpu}


def _reason(error: Exception) -> str:
    """The error in a line, with the plugin's file and line."""
    last = traceback.extract_tb((error.__cause__ or error).__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
