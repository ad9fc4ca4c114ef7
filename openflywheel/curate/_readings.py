"""What each step of curation costs and lets through, as Readings; the slowest is named."""

from collections.abc import Iterator, Sequence

from openflywheel.base.nouns import Reading
from openflywheel.curate._engine.stats import Stats


def readings(steps: Sequence[Stats]) -> Iterator[Reading]:
    """Cost (CPU-ms a row that it took) and yield (share that went on) of every step, and which costs most."""
    worked = [step for step in steps if step.took]
    for step in worked:
        yield Reading(
            name=f"curate.{step.step}.cost",
            value=1_000 * step.cpu_seconds / step.took,
            unit="CPU-ms a row",
            note=f"{step.took:,} rows in {step.cpu_seconds:.2f} CPU-s",
        )
        left = step.took - sum(step.dropped.values())
        yield Reading(
            name=f"curate.{step.step}.yield",
            value=left / step.took,
            unit="share",
            note=", ".join(f"{n:,} {reason}" for reason, n in sorted(step.dropped.items())),
        )
    total = sum(step.cpu_seconds for step in worked)
    if total:
        slowest = max(worked, key=lambda step: step.cpu_seconds)
        share = slowest.cpu_seconds / total
        yield Reading(name="curate.slowest", value=share, unit="share of CPU", note=slowest.step)
