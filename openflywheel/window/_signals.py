"""Which signals are heard, what they are worth, and which could be heard and are not."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from rich.console import RenderableType

from openflywheel.base.settings import read
from openflywheel.store import Store
from openflywheel.wheel.captured import Captured, Ledger, look_at_signals
from openflywheel.window._command import command, file_option
from openflywheel.window._figures import ago, interval, shares


def _show(ledger: Ledger) -> Iterator[RenderableType]:
    if not ledger.captured:
        yield "No signals yet."
    else:
        yield f"{'signal':<13} {'count':>7} {'newest':<15} {'weight':<6} why"
        yield from map(_line, ledger.captured)
    if ledger.quarantined:
        yield f"\nQuarantined, so they do not count: {shares(ledger.quarantined)}"
    if ledger.owed:
        yield f"\nSignals debt: {len(ledger.owed)} that this product could capture and does not."
    for owed in ledger.owed:
        yield f"  {owed.signal}: {owed.teaches}\n    {owed.how}"


def _line(kind: Captured) -> str:
    why = f"said outright ({', '.join(kind.sources)})" if kind.explicit else kind.note
    if kind.validity is not None:
        why = f"correlation {kind.validity:+.2f} ({interval(kind.low, kind.high)}): {kind.note}"
    return f"{kind.kind:<13} {kind.count:>7,} {ago(kind.last):<15} {kind.weight:<6.2f} {why}"


@command("signals", show=_show)
@file_option
def signals(file: Path) -> Ledger:
    """Show what is heard, what it is worth, and what is not heard.

    A derived signal weighs as much as it goes with people's ratings, and nothing without evidence. Then the
    signals debt: what could be captured, what it would teach, and how to send it.
    """
    settings = read(file)
    with closing(Store.of(settings)) as store:
        return look_at_signals(settings, store)


COMMANDS = {"signals": signals}
