"""What tuning the encoder will take, told before it starts: by counting letters."""

from openflywheel.customize._budget import Estimate
from openflywheel.customize._retriever.pairs import Pairs
from openflywheel.customize._retriever.tuning import LONGEST

LETTERS = 4  # a token, about, in English
SECOND = 7e-4  # CPU-seconds a token, there and back, all included: hetPQA, one thread with bfloat16
CPU_HOUR = 0.05  # dollars: a usual price to rent a core in 2025


def estimated(found: Pairs, epochs: int) -> Estimate:
    """Each epoch takes every question with its right items."""
    texts = [t for q in found.taught for t in (q.text, *(found.texts[place] for place in q.right))]
    tokens = epochs * sum(min(LONGEST, 2 + len(text) // LETTERS) for text in texts)
    seconds = SECOND * tokens
    note = f"{tokens:,} tokens in {epochs} epochs, about"
    return Estimate(tokens=tokens, cpu_seconds=seconds, dollars=seconds / 3_600 * CPU_HOUR, note=note)
