"""What a crawl is after: which URL is worth fetching next, and whether any is still worth its price."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

from openflywheel.base.nouns import Gap
from openflywheel.collect._value.likeness import Likeness
from openflywheel.collect._value.link import Link, Page
from openflywheel.collect._value.scale import Encoder

EXAMPLES = 12  # of a gap: bounds the state and the work


class Aim(Protocol):
    """Orders a crawl. One crawl has one aim, and one thread uses it."""

    def rate(self, links: Sequence[Link], page: Page | None, depth: int) -> list[float]:
        """Expected value of fetching each link, higher first; comparable within one crawl.

        `page` is what they stand on (None: start URLs, sitemaps), `depth` is how many links they are from the
        start. A page is rated before it is learnt from.
        """
        ...

    def learn(self, url: str, text: str) -> float:
        """A document came. Returns what it was worth, in the currency of the task."""
        ...

    def revised(self) -> dict[str, float]:
        """What the most promising of the rated URLs are worth by now, after what came since."""
        ...

    def enough(self, best: float) -> str:
        """Why to stop, when `best` is the highest rating that waits; "" to go on."""
        ...

    def state(self) -> dict[str, Any]:
        """What has been learned, JSON-able, at most 64 KB."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as if the crawl that gave this state had never stopped."""
        ...


class BreadthFirst:
    """The aim of a crawl without a gap: the nearest to the start first, and never enough."""

    def rate(self, links: Sequence[Link], page: Page | None, depth: int) -> list[float]:  # noqa: ARG002
        """Minus the depth."""
        return [float(-depth)] * len(links)

    def learn(self, url: str, text: str) -> float:  # noqa: ARG002
        """Nothing is worth more than anything else."""
        return 0.0

    def revised(self) -> dict[str, float]:
        """Nothing changes."""
        return {}

    def enough(self, best: float) -> str:  # noqa: ARG002
        """Never."""
        return ""

    def state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """There is nothing to remember."""


breadth_first: Aim = BreadthFirst()


def toward(
    gap: Gap,
    *,
    encoder: Encoder,
    known: Callable[[], Sequence[str]],
    worth: float,
    price: float,
    failing: Sequence[str] = (),
) -> Aim:
    """The aim of a crawl for a gap; the method is described in toward.py.

    `worth` is what closing the whole gap is worth and `price` what a document costs, in one currency.
    `failing` are texts of exchanges that went wrong, beside the gap's own queries; `known()` gives the newest
    texts that are stored: what is near to them brings nothing, but closes nothing either, since the gap is
    open in spite of them. A gap without any example is aimed at by its topic.
    """
    texts = (text.strip() for text in (*gap.queries, *failing))
    examples = list(dict.fromkeys(text for text in texts if text))[:EXAMPLES] or [gap.topic]
    likeness = Likeness(examples, encoder)
    likeness.remember(known())
    # Loaded here: its normal distribution is scipy's, which takes every crawl .3 CPU-s, and few are aimed.
    aimed: Aim = import_module("openflywheel.collect._value.toward").Toward(likeness, worth, price)
    return aimed
