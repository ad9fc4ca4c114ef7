"""Whether what a model wrote may become a row: it is as little to be trusted as any other text."""

import re

from openflywheel.curate._enrich.asking import Kind

QUESTION = 300  # characters
WIDER = 1.5  # a paraphrase is at most so many times as long as its text, and 100 characters
GROUNDED = {"question": 0.5, "paraphrase": 0.3}  # share of its content that must stand in the text
STEM = 5  # letters of a word that are compared: returned, returns
WORD = re.compile(r"\w+")
FIGURE = re.compile(r"\d+(?:[.,:]\d+)*")


def fault(kind: Kind, answer: str, text: str) -> str | None:
    """Why an answer is not kept, as a reason to drop; None for a good one."""
    most = QUESTION if kind == "question" else WIDER * len(text) + 100
    if not answer:
        return "synthesise: empty"
    if len(answer) > most:
        return "synthesise: too long"
    if _folded(answer) == _folded(text):
        return "synthesise: a copy"
    if set(FIGURE.findall(answer)) - set(FIGURE.findall(text)):
        return "synthesise: figures of its own"
    return None if _share(answer, text) >= GROUNDED[kind] else "synthesise: not grounded"


def _folded(text: str) -> str:
    return " ".join(WORD.findall(text.casefold()))


def _share(answer: str, text: str) -> float:
    said, known = _content(answer), _content(text)
    return len(said & known) / len(said) if said else 0.0


def _content(text: str) -> set[str]:
    """Beginnings of the words of four letters and more; pairs of letters where words are not told apart."""
    found = set()
    for word in WORD.findall(text.casefold()):
        if word.isascii() or word[0] < "\u2e80":
            found |= {word[:STEM]} if len(word) >= 4 else set()
        else:
            found |= {word[n : n + 2] for n in range(len(word) - 1)}
    return found
