"""The expected value of a URL for a gap, learned as the crawl goes.

A document answers an example with a probability that rises with its likeness to it, and is worth what it adds
to the chance that each example is answered by some document: probabilistic coverage, monotone and submodular
(Agrawal et al. 2009, WSDM; El-Arini et al. 2009, KDD; Lin & Bilmes 2011, ACL-HLT). Its gain is the mean over
examples of open * p, where open is the product of 1 - p of all that came before. Before it is fetched its
likeness is a guess with a spread, from

- the words of the link and of its URL (best-first search, as focused crawlers do: Chakrabarti et al. 1999),
- the page that the link stands on (Shark-Search, Hersovici et al. 1998),
- what its part of the site brought so far: Beta posteriors, wider where nobody has looked (bandits).

The spread is what makes a crawl try the unknown. How far promises were kept says when to stop.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from scipy.special import ndtr

from openflywheel.collect._value.likeness import Likeness
from openflywheel.collect._value.link import Link, Page
from openflywheel.collect._value.scale import Floats
from openflywheel.collect._value.words import url_words
from openflywheel.collect._value.yields import Yields

ENCODED = 64  # links of a page whose words are encoded, those with most of the examples' words: 70 CPU-ms
# Least squares over 5,800 pairs of a link and a question (tuning half of benchmarks/gap_questions.json) gave
# R2 = .55 with .55, .4, 0 and a spread of .2; from there, what closes those gaps with fewest documents was
# taken. Of links that are not encoded, their shared words stand in.
LINK, PAGE, PART, OVERLAP = 0.9, 0.4, 0.2, 0.6
SPREAD, UNKNOWN = 0.2, 0.3  # of a guess; and more where nobody has looked
# A document answers an example with this probability at most, with half of it at a likeness of 1: likeness is
# weak proof. With .6 an example is given up after few documents that look right, and gaps of the tuning half
# take 40 % more documents.
ANSWERS, AT, WITHIN, FULL = 0.1, 1.0, 0.2, 1.25
ANSWERED = 0.1  # examples of which no more than this is open are answered
MEMORY, BELIEF = 0.98, 5.0  # 50 documents say how far promises are kept; before, that they are, counts as 5
FEWEST = 10  # documents without which nothing is said about their worth
REMEMBERED = 256  # rated URLs, the most promising: some 40 KB of state


class Toward:
    """The aim of one crawl for one gap (Aim)."""

    def __init__(self, likeness: Likeness, worth: float, price: float) -> None:
        self._likeness, self._worth, self._price = likeness, worth, price
        self._open = np.ones(likeness.examples)
        self._yields = Yields()
        self._waiting: dict[str, Floats] = {}  # url -> its guess without its part's, shape (examples,)
        self._promised = self._kept = self._looks = 0.0
        nothing = np.zeros(likeness.examples)
        self._read = ("", nothing, nothing)  # the page that was read last, and its likeness

    def rate(self, links: Sequence[Link], page: Page | None, depth: int) -> list[float]:  # noqa: ARG002
        """Expected value of fetching each link. Where the page is unknown, its part's mean stands in."""
        if not links:
            return []
        urls = [link.url for link in links]
        around = self._document(page.text)[0] if page else self._expected(urls)[0][:, None]
        guesses = (LINK * self._link_likeness(links) + PAGE * np.minimum(around, FULL)).round(3)
        gains = self._gains(urls, guesses)
        for url, guess in zip(urls, guesses, strict=True):
            self._waiting[url] = np.maximum(guess, self._waiting.get(url, guess))
        if len(self._waiting) > 8 * REMEMBERED:
            self.revised()
        return [self._worth * gain for gain in gains.tolist()]

    def learn(self, url: str, text: str) -> float:
        """What a document was worth; moves what is open, yields, and how far promises are trusted."""
        near, new = self._document(text)
        answers = answering(new, 0.0)
        gain = float((self._open * answers).mean())
        if url in self._waiting:
            promised = float(self._gains([url], self._waiting.pop(url)[None])[0])
            for name, value in (("_promised", promised), ("_kept", gain), ("_looks", 1.0)):
                setattr(self, name, MEMORY * getattr(self, name) + value)
        self._open = self._open * (1 - answers)
        self._yields.add(url, min(1.0, float(near.max())))
        self._likeness.lexicon.note(text)
        return self._worth * gain

    def revised(self) -> dict[str, float]:
        """What the rated URLs are worth by now; only the most promising of them are revised again."""
        if not self._waiting:
            return {}
        gains = self._gains(list(self._waiting), np.array(list(self._waiting.values())))
        best = np.argsort(-gains, kind="stable")[:REMEMBERED]
        worth = dict(zip(self._waiting, (self._worth * gains).tolist(), strict=True))
        urls = list(self._waiting)
        self._waiting = {urls[i]: self._waiting[urls[i]] for i in sorted(best)}
        return worth

    def enough(self, best: float) -> str:
        """Why to stop: all is answered; or what the best promises, as far as promises are kept."""
        if (self._open <= ANSWERED).all():
            return "the gap's examples are answered"
        if self._looks < FEWEST:
            return ""
        belief = BELIEF * self._promised / self._looks
        expected = best * (belief + self._kept) / (belief + self._promised)
        if expected >= self._price:
            return ""
        return f"not worth the price: {expected:.2g} expected, a document costs {self._price:.2g}"

    def state(self) -> dict[str, Any]:
        """What is open, yields, word counts, promises, and of the rated URLs the most promising."""
        self.revised()
        return {
            "open": self._open.tolist(),
            "yields": self._yields.state(),
            "words": self._likeness.lexicon.state(),
            "promises": [self._promised, self._kept, self._looks],
            "waiting": {url: guess.tolist() for url, guess in self._waiting.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; an empty one is that of a crawl that has not begun."""
        if not state:
            return
        self._open = np.array(state["open"])
        self._yields.restore(state["yields"])
        self._likeness.lexicon.restore(state["words"])
        self._promised, self._kept, self._looks = state["promises"]
        self._waiting = {url: np.array(guess) for url, guess in state["waiting"].items()}

    def _document(self, text: str) -> tuple[Floats, Floats]:
        """Likeness of a page's text, and of what is new in it; asked once to rate and once to learn."""
        if text != self._read[0]:
            self._read = (text, *self._likeness.of_document(text))
        return self._read[1:]

    def _link_likeness(self, links: Sequence[Link]) -> Floats:
        """Of the words of links and URLs, shape (links, examples)."""
        said = [words_of(link) for link in links]
        places = {text: i for i, text in enumerate(dict.fromkeys(said))}
        texts = list(places)
        overlap = self._likeness.lexicon.overlap(texts)
        near = OVERLAP * overlap
        best = sorted(range(len(texts)), key=lambda i: -overlap[i].max())[:ENCODED]
        near[best] = self._likeness.of_short([texts[i] for i in best], overlap[best])
        return near[[places[text] for text in said]]

    def _expected(self, urls: Sequence[str]) -> tuple[Floats, Floats]:
        means, looks = zip(*(self._yields.expected(url) for url in urls), strict=True)
        return np.array(means), np.array(looks)

    def _gains(self, urls: Sequence[str], guesses: Floats) -> Floats:
        """Expected gain of URLs, shape (urls,): by guesses of shape (urls, examples), and by their parts."""
        means, looks = self._expected(urls)
        spread = np.sqrt(SPREAD**2 + UNKNOWN**2 / (1 + looks))
        return (
            answering(guesses + PART * (means - 0.5)[:, None], spread[:, None]) @ self._open / len(self._open)
        )


def answering(likeness: Floats, spread: Floats | float) -> Floats:
    """Probability that a document answers an example, from its likeness or from a normal guess of it."""
    return np.asarray(ANSWERS * ndtr((likeness - AT) / np.sqrt(WITHIN**2 + spread**2)))


def words_of(link: Link) -> str:
    """What a link says: the last two words of its path, and its text."""
    path = urlsplit(link.url).path.rstrip("/").split("/")
    return f"{url_words('/'.join(path[-2:]))}: {link.text}"
