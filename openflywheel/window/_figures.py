"""Figures as people read them."""

import time

SPANS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
SHORT = 12  # of a name's 32 digits: `flywheel why` takes the beginning of a name


def ago(moment: float) -> str:
    """ "3 hours ago"."""
    return f"{span(time.time() - moment)} ago"


def span(seconds: float) -> str:
    """ "3 hours": the largest unit that fits."""
    for size, unit in SPANS:
        if seconds >= size:
            return plural(int(seconds // size), unit)
    return "a moment"


def plural(number: int, noun: str) -> str:
    """ "1 row", "1,204 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def short(name: str) -> str:
    """The beginning of an id."""
    return name[:SHORT]


def interval(low: float | None, high: float | None) -> str:
    """ "0.81 to 0.93"; empty when there is none."""
    return "" if low is None or high is None else f"{low:.3g} to {high:.3g}"


def shares(counts: dict[str, int]) -> str:
    """ "seed 120, user 31"."""
    return ", ".join(f"{name} {number:,}" for name, number in counts.items())


def quoted(text: str) -> str:
    """ "“in quotes”", on one line: what people wrote must not steer the terminal."""
    return f"“{''.join(c if c.isprintable() else ' ' for c in text)}”"
