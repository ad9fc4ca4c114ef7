"""What people have just taught us: exchanges whose right answer is known since the last look."""

from collections.abc import Iterator

from openflywheel.base.nouns import Gap
from openflywheel.study import TRUSTED, Evidence


def taught(evidence: Evidence) -> Iterator[Gap]:
    """One Gap a task: collect turns its evidence into Records (see collect/traffic.py)."""
    tasks: dict[str, list[str]] = {}
    for signal in evidence.signals:
        if signal.correction and signal.source in TRUSTED and signal.exchange in evidence.exchanges:
            tasks.setdefault(evidence.exchanges[signal.exchange].task, []).append(signal.exchange)
    for task, ids in tasks.items():
        unique = tuple(dict.fromkeys(ids))
        yield Gap(topic=task, why=f"people answered {len(unique)} exchanges", task=task, evidence=unique)
