"""Texts of drawn English words that the rules of quality keep."""

import random

WORDS = (
    "harbour letter garden captain window winter bridge market doctor silver music station river candle "
    "village morning teacher paper kitchen summer engine forest island journey question answer evening "
    "reason number office weather children history water building machine language picture minute "
    "walked opened brought carried followed remembered noticed promised returned waited listened wrote "
    "quiet early narrow heavy gentle famous careful broken distant yellow ancient simple strange"
)
LITTLE = "the of and to that with have in was for on as by from at were this which"


def prose(seed, sentences=24):
    """Drawn sentences of English words, three to a line."""
    chance = random.Random(seed)
    lines = [
        " ".join(
            " ".join(
                chance.choice((LITTLE if n % 2 else WORDS).split()) for n in range(chance.randrange(9, 18, 2))
            ).capitalize()
            + "."
            for _ in range(3)
        )
        for _ in range(sentences // 3)
    ]
    return "\n\n".join(lines)
