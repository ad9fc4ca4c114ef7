"""What the parts of a site have brought so far: Beta posteriors by host, folder and family of file names.

A part nobody has looked at yet is believed to be like the part around it, with the doubt of few looks: the
counts of a bandit's arms (Thompson 1933; Agrawal & Goyal 2012), smoothed along the path.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

STRENGTH = 2.0  # looks that the part around is worth
DEEPEST = 3  # folders of a path that are told apart
MOST = 512  # parts that are remembered: some 40 KB
FAMILY = re.compile(r"^([^\W\d_]{2,})[-_.\d]")  # "sql-select.html" and "sql-update.html" are one family


def parts(url: str) -> list[str]:
    """The parts of a site that a URL lies in, the widest first: host, folders, family of its file name."""
    split = urlsplit(url)
    *folders, file = split.path.split("/")[1:] or [""]
    paths = ["/".join(folders[:n]) for n in range(1, min(len(folders), DEEPEST) + 1)]
    out = [split.netloc, *(f"{split.netloc}/{path}/" for path in paths)]
    family = FAMILY.match(file)
    return [*out, f"{out[-1]}#{family[1]}"] if family else out


class Yields:
    """Mean worth of documents (0 to 1) by part of a site."""

    def __init__(self) -> None:
        self._parts: dict[str, list[float]] = {}

    def add(self, url: str, brought: float) -> None:
        """A document came, and brought so much (0 to 1)."""
        for part in ("", *parts(url)):
            total, looks = self._parts.pop(part, (0.0, 0.0))
            self._parts[part] = [total + brought, looks + 1]
        while len(self._parts) > MOST:
            del self._parts[next(iter(self._parts))]

    def expected(self, url: str) -> tuple[float, float]:
        """Posterior mean of what a document of this URL brings, and how many looks stand behind it."""
        mean, folder = 0.5, 0.0
        for part in ("", *parts(url)):
            total, looks = self._parts.get(part, (0.0, 0.0))
            mean = (total + STRENGTH * mean) / (looks + STRENGTH)
            folder = folder if "#" in part else looks
        return mean, folder

    def state(self) -> dict[str, list[float]]:
        return dict(self._parts)

    def restore(self, state: Mapping[str, list[float]]) -> None:
        self._parts = {part: list(counts) for part, counts in state.items()}
