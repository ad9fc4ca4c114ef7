"""What a run will take, told before it starts: by counting, since nothing has been built yet."""

from openflywheel.customize import Lesson
from openflywheel.customize._budget import Estimate

LETTERS = 4  # a token, about, in English
SPEED = 3e10  # operations a CPU-second of one core in the training loop, measured at width 256, all included
BLOCK = 10  # x width^2 weights of a block: 4 of attention, 6 of the rest
CPU_HOUR = 0.05  # dollars: a usual price to rent a core in 2025


def estimated(lesson: Lesson, width: int, layers: int, epochs: int, most: float) -> Estimate:
    """6 operations a token and weight of the blocks (Kaplan et al. 2020, arXiv 2001.08361), or `most` s."""
    task = lesson.dataset.task
    letters = sum(len(row.text) for row in lesson.rows)
    if lesson.kind == "text":
        letters += sum(len(row.labels[task]) for row in lesson.rows)
    tokens = epochs * (letters // LETTERS + 3 * len(lesson.rows))  # a chat's own tokens
    wanted = tokens * 6 * layers * BLOCK * width**2 / SPEED
    seconds = min(most, wanted)
    note = f"{tokens:,} tokens in {epochs} epochs" + ("; its seconds end it sooner" if wanted > most else "")
    return Estimate(tokens=tokens, cpu_seconds=seconds, dollars=seconds / 3_600 * CPU_HOUR, note=note)
