"""What each step of curation costs and lets through, as Readings; the slowest is named."""

from collections.abc import Iterator, Mapping, Sequence

from openflywheel.base.nouns import Reading
from openflywheel.curate._engine.stats import Stats

NAMED = 3  # texts of holdouts that a reading names


def readings(steps: Sequence[Stats], given_away: Mapping[str, int] = {}) -> Iterator[Reading]:
    """Cost (CPU-ms a row that it took) and yield (share that went on) of every step, and which costs most.

    given_away: name of a holdout's text -> rows that were dropped because of it.
    """
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
    if given_away:
        most = sorted(given_away.items(), key=lambda item: (-item[1], item[0]))[:NAMED]
        named = ", ".join(f"{n} {name}" for name, n in most)
        yield Reading(
            name="curate.given_away",
            value=float(sum(given_away.values())),
            unit="rows",
            note=f"{len(given_away):,} texts of holdouts; most: {named}",
        )
