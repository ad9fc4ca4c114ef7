"""What a derived signal is worth: nothing, until its correlation with people's ratings is shown.

velocity measures it (signal_validity.py), study and `flywheel signals` read it here.
"""

from collections.abc import Iterable

from openflywheel.base.nouns import Reading

PREFIX = "signal_validity_"


def validities(readings: Iterable[Reading]) -> dict[str, Reading]:
    """kind of signal -> the newest reading of its validity; `readings` come oldest first."""
    return {r.name.removeprefix(PREFIX): r for r in readings if r.name.startswith(PREFIX)}


def weight(reading: Reading) -> float:
    """The correlation, from -1 to 1, or 0 while its interval holds 0."""
    low, high = reading.low, reading.high
    return reading.value if low is not None and high is not None and (low > 0 or high < 0) else 0.0


def weights(readings: Iterable[Reading]) -> dict[str, float]:
    """kind of signal -> its weight, for those that have one."""
    return {kind: found for kind, r in validities(readings).items() if (found := weight(r))}
