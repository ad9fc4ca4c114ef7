"""Which room holds the wheel up?"""

from collections.abc import Iterator

from openflywheel.base.nouns import Reading
from openflywheel.velocity import Log


def bottleneck(log: Log) -> Iterator[Reading]:
    """Where the newest turn's time went; failed passages and rooms that were called singly count too.

    turn_seconds: sum of `Step.seconds` over all rooms but velocity, whose own step is not written yet.
    bottleneck: share of these seconds that the slowest room took; the note names it.
    """
    spent: dict[str, float] = {}
    for step in log.new_steps:
        if step.turn == log.turn and step.room != "velocity":
            spent[step.room] = spent.get(step.room, 0.0) + step.seconds
    if not spent:
        return
    total, room = sum(spent.values()), max(spent, key=spent.__getitem__)
    yield Reading(name="turn_seconds", value=total, turn=log.turn, unit="seconds", note=f"{len(spent)} rooms")
    if total:
        note = f"{room}: {spent[room]:.3g} of {total:.3g} seconds"
        yield Reading(name="bottleneck", value=spent[room] / total, turn=log.turn, unit="share", note=note)
