"""Damage of the kinds that the rules of quality look for, of any degree, so that both verdicts are there."""

import random
import re
from collections.abc import Callable

SYMBOLS = "|=*#&+~{}[]<>/%$"
STOPS = re.compile(r"\b(the|be|to|of|and|that|have|with)\b")


def lines_again(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    first = chance.randrange(len(lines))
    part = lines[first : first + chance.randint(1, max(1, len(lines) // 3))]
    return "\n".join([*lines[:first], *part * chance.randint(1, 4), *lines[first:]])


def phrase_again(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    size = chance.randint(2, 12)
    first = chance.randrange(max(1, len(words) - size))
    phrase = words[first : first + size]
    for _ in range(chance.randint(2, max(3, int(len(words) * chance.uniform(0, 0.4) / size)))):
        at = chance.randrange(len(words))
        words[at:at] = phrase
    return " ".join(words)


def bare_lines(text: str, chance: random.Random) -> str:
    share = chance.uniform(0.3, 1)
    return _some(text, share, chance, lambda line: line.rstrip(".!?\"';:"))


def cut(text: str, chance: random.Random) -> str:
    return " ".join(text.split(" ")[: chance.randint(20, 120)])


def symbols(text: str, chance: random.Random) -> str:
    share = chance.uniform(0, 0.35)
    words = text.split(" ")
    return " ".join(f"{w} {chance.choice(SYMBOLS)}" if chance.random() < share else w for w in words)


def short_lines(text: str, chance: random.Random) -> str:
    size, share = chance.randint(2, 8), chance.uniform(0.2, 1)
    return _some(text, share, chance, lambda line: re.sub(rf"((?:\S+ ){{{size}}})", r"\1\n", line))


def without_stop_words(text: str, chance: random.Random) -> str:
    return STOPS.sub(lambda found: found[0] if chance.random() < 0.01 else "", text)


def bullets(text: str, chance: random.Random) -> str:
    return _some(text.replace("\n\n", "\n"), chance.uniform(0.6, 1), chance, lambda line: f"- {line}")


def ellipses(text: str, chance: random.Random) -> str:
    return _some(text.replace("\n\n", "\n"), chance.uniform(0.1, 0.6), chance, lambda line: f"{line}...")


def _some(text: str, share: float, chance: random.Random, change: Callable[[str], str]) -> str:
    return "\n".join(change(line) if line and chance.random() < share else line for line in text.split("\n"))


KINDS = (
    lines_again, phrase_again, bare_lines, cut, symbols, short_lines, without_stop_words, bullets, ellipses
)  # fmt: skip
