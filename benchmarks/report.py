"""The one shape of every benchmark's output: rows with a bar, as a table or as a JSON object."""

import json
import platform
import resource
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from typing import Any

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

PACKAGES = ("openflywheel", "numpy", "scipy", "onnxruntime", "deltalake", "pyarrow", "dbos")


class Row(Struct, kw_only=True):
    """One line: `holds` is None when it could not be run, and then `row` says why."""

    row: str
    value: float | None
    unit: str
    interval: tuple[float, float] | None = None
    bar: str | None = None
    holds: bool | None = None


def some_of(names: Iterable[str]) -> Callable[[str], list[str]]:
    """Reads an option that names some of several things, with commas between them."""

    def read(text: str) -> list[str]:
        if unknown := set(chosen := text.split(",")) - set(names):
            raise ArgumentTypeError(f"{', '.join(sorted(unknown))}: choose from {', '.join(names)}")
        return chosen

    return read


def at_least(
    row: str, value: float, bar: float, unit: str, interval: tuple[float, float] | None = None
) -> Row:
    """A row whose value must reach the bar."""
    return Row(row=row, value=value, unit=unit, interval=interval, bar=f">= {bar:g}", holds=value >= bar)


def at_most(
    row: str, value: float, bar: float, unit: str, interval: tuple[float, float] | None = None
) -> Row:
    """A row whose value must stay under the bar."""
    return Row(row=row, value=value, unit=unit, interval=interval, bar=f"<= {bar:g}", holds=value <= bar)


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def finish(benchmark: str, rows: Sequence[Row], seeds: int, *, as_json: bool, **more: Any) -> None:
    """Print the table, or the JSON object as the last line."""
    if not as_json:
        Console(width=130).print(_table(benchmark, rows))
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    said = {
        "benchmark": benchmark,
        "rows": msgspec.to_builtins(rows),
        "seeds": seeds,
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_rss_mb": round(usage.ru_maxrss / 1024),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        **more,
    }
    print(json.dumps(said))


def _table(benchmark: str, rows: Sequence[Row]) -> Table:
    table = Table("what", "value", "interval", "bar", "holds", title=benchmark)
    for row in rows:
        value = "-" if row.value is None else f"{row.value:.4g} {row.unit}"
        interval = "" if row.interval is None else f"{row.interval[0]:.4g} to {row.interval[1]:.4g}"
        holds = {True: "yes", False: "MISSED", None: "not run" if row.bar else ""}[row.holds]
        table.add_row(row.row, value, interval, row.bar or "", holds)
    return table
