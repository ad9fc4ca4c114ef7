"""A gap becomes what one types into a search engine.

They are chosen as one summarises (facility location, Lin & Bilmes 2011, ACL-HLT): each next one is that which
brings the failing examples nearest to some query, so the first ones speak for most of them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import sqrt

from openflywheel.base.nouns import Gap
from openflywheel.collect._value.personal import Detect, impersonal
from openflywheel.collect._value.words import STOP, WORD

WORDS = 10  # search engines weigh hardly more
READ = 200  # failing examples that are looked at: bounds the work to some 10 CPU-ms
CHARACTERS = 2_000  # of an example

Bag = Mapping[str, float]


def queries(gap: Gap, failing: Sequence[str], most: int = 5, *, detect: Detect | None = None) -> list[str]:
    """At most `most` distinct queries of at most 10 words; the first cover most of the failing examples.

    They are made of the gap's own queries, of `failing` (texts of exchanges that went wrong) and of its topic
    (the cluster's terms). What looks personal is left out (personal.py); `detect` is the guards' own: text ->
    (text as it may go out, verdicts), and a verdict that says "no" keeps the whole text back.
    """
    texts = [impersonal(t[:CHARACTERS], detect) for t in (*gap.queries, *failing[:READ])]
    examples = [_bag(text) for text in texts if _bag(text)]
    topic = " ".join(WORD.findall(impersonal(gap.topic, detect)))
    common = Counter(word for bag in (_bag(topic), *examples) for word in bag)
    short = dict.fromkeys(filter(None, (_shortened(text, common) for text in (*texts, topic))))
    return _greedy([s for s in _distinct(short) if _bag(s)], examples or [_bag(topic)], most)


def _bag(text: str) -> Bag:
    """The words of a text that say something, as a unit vector."""
    said = {w for w in WORD.findall(text.casefold()) if w not in STOP}
    return dict.fromkeys(sorted(said), 1 / sqrt(len(said))) if said else {}


def _shortened(text: str, common: Mapping[str, int]) -> str:
    """A short text as it is; of a longer one the words that most examples share, in their order."""
    if len(text.split()) <= WORDS:
        return text
    said = [w for w in dict.fromkeys(WORD.findall(text)) if w.casefold() not in STOP]
    kept = sorted(said, key=lambda w: -common[w.casefold()])[:WORDS]
    return " ".join(w for w in said if w in kept)


def _distinct(texts: Sequence[str] | Mapping[str, None]) -> list[str]:
    """Without those that ask for the same words in another order."""
    return list({tuple(_bag(text)): text for text in reversed(list(texts))}.values())[::-1]


def _greedy(candidates: Sequence[str], examples: Sequence[Bag], most: int) -> list[str]:
    near = [[_alike(_bag(text), example) for example in examples] for text in candidates]
    covered, chosen = [0.0] * len(examples), list[str]()
    left = list(range(len(candidates)))
    while left and len(chosen) < most:
        best = max(left, key=lambda i: (_gain(near[i], covered), -i))
        left.remove(best)
        chosen.append(candidates[best])
        covered = [max(c, s) for c, s in zip(covered, near[best], strict=True)]
    return chosen


def _gain(near: Sequence[float], covered: Sequence[float]) -> float:
    return sum(max(0.0, s - c) for s, c in zip(near, covered, strict=True))


def _alike(one: Bag, other: Bag) -> float:
    """Cosine of two bags."""
    return sum(weight * other.get(word, 0.0) for word, weight in one.items())
