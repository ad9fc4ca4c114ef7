"""What is known of every block, as numbers: its text, the areas around it, its neighbours, its place."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openflywheel.curate._extract.areas import NOISE, Areas, Ints, Reals, areas, best, scores
from openflywheel.curate._extract.blocks import CODES, Page
from openflywheel.curate._extract.letters import COMMA, DENSE, DIGIT, END, SPACE, UPPER
from openflywheel.curate._extract.words import GROUPS

Columns = dict[str, NDArray[Any]]

_HEADINGS = [CODES[f"h{n}"] for n in range(1, 7)]
_IS = ("p", "li", "pre", "blockquote", "figcaption", "div", "td")
_IN = (
    "article",
    "main",
    "aside",
    "header",
    "footer",
    "nav",
    "form",
    "figure",
    "blockquote",
    "li",
    "table",
    "dl",
)


def features(pages: Sequence[Page]) -> tuple[Areas, Columns]:
    """The measures of pages, and a column of numbers for each feature, one for each block."""
    of = areas(pages)
    points = scores(of)
    top = best(of, points)
    return of, {
        **_text(of),
        **_elements(of),
        **_words(of),
        **_surroundings(of, points, top),
        **_list(of),
        **_place(of, top),
        **_neighbours(of),
        **_page(of),
    }


def matrix(columns: Columns) -> NDArray[np.float32]:
    """The features, shape (blocks, features)."""
    return np.stack([np.asarray(values, np.float32) for values in columns.values()], 1)


def _text(of: Areas) -> Columns:
    counts, size = of.letters.counts, of.letters.size
    return {
        "size": np.log1p(size),
        "words": counts[SPACE] + counts[DENSE] / 2 + 1,
        "linked": of.linked,
        "unlinked": np.log1p(size * (1 - of.linked)),
        "commas": counts[COMMA],
        "ends": counts[END],
        "stopped": of.letters.last == END,
        "digits": counts[DIGIT] / of.letters.characters,
        "upper": counts[UPPER] / of.letters.characters,
        "heading": np.where(np.isin(of.kind, _HEADINGS), of.kind - _HEADINGS[0] + 1, 0),
    }


def _elements(of: Areas) -> Columns:
    within = of.within[of.area]
    return {f"is_{name}": of.kind == CODES[name] for name in _IS} | {
        f"in_{name}": within >> CODES[name] & 1 for name in _IN
    }


def _words(of: Areas) -> Columns:
    parent = of.parents[of.area]
    near = of.words[of.area] | of.words[parent] | of.words[of.parents[parent]]
    under = of.under[of.area]
    return {
        **{f"any_{name}": under >> bit & 1 for bit, (name, _) in enumerate(GROUPS)},
        **{f"near_{name}": near >> bit & 1 for bit, (name, _) in enumerate(GROUPS)},
        "noise": under & NOISE > 0,
    }


def _surroundings(of: Areas, points: Reals, top: Ints) -> Columns:
    """Of the area around the block, and of the two around that."""
    columns: Columns = {}
    at = of.home
    most, whole = np.maximum(points[top], 1)[of.page], of.size[of.first_area][of.page]
    for level in range(3):
        size = np.maximum(of.size[at], 1)
        columns |= {
            f"up{level}_size": np.log1p(of.size[at]),
            f"up{level}_share": of.size[at] / whole,
            f"up{level}_density": of.density[at],
            f"up{level}_mean": np.log1p(of.size[at] / of.count[at]),
            f"up{level}_prose": of.prose[at] / size,
            f"up{level}_score": points[at] / most,
        }
        at = of.parents[at]
    return columns


def _list(of: Areas) -> Columns:
    at = of.lists[of.area]
    size, count = np.maximum(of.size[at], 1), np.maximum(of.count[at], 1)
    columns = {"density": of.density[at], "mean": np.log1p(size / count), "prose": of.prose[at] / size}
    return {f"list_{name}": np.where(at >= 0, values, -1) for name, values in columns.items()} | {
        "list_count": np.where(at >= 0, count, 0)
    }


def _place(of: Areas, top: Ints) -> Columns:
    """In the page, and in the area that scores best."""
    at, area = np.arange(len(of.page)), top[of.page]
    start, end, around = of.starts[area], of.ends[area], of.parents[area]
    sums = np.concatenate(([0], np.cumsum(of.letters.size)))
    whole = of.size[of.first_area][of.page]
    inside = (at >= start) & (at < end)
    far = (sums[at] - sums[start]) / np.maximum(of.size[area], 1)
    titles = np.concatenate(([0], np.cumsum(of.kind == _HEADINGS[0])))
    first, last = of.first_block[of.page], of.ends[of.first_area][of.page]
    return {
        "in_top": inside,
        "top_place": np.where(inside, far, np.where(at < start, -1, 2)),
        "in_top_parent": (at >= of.starts[around]) & (at < of.ends[around]),
        "top_share": of.size[area] / whole,
        "before": (sums[at] - sums[first]) / whole,
        "before_h1": (titles[at + 1] == titles[first]) & (titles[last] > titles[first]),
    }


def _neighbours(of: Areas) -> Columns:
    """Of the two blocks before and the two after."""
    columns: Columns = {}
    at, around = np.arange(len(of.page)), of.parents[of.area]
    for step in (-2, -1, 1, 2):
        there = np.clip(at + step, 0, len(at) - 1)
        same = (there == at + step) & (of.page[there] == of.page)
        columns |= {
            f"next{step}_size": np.where(same, np.log1p(of.letters.size[there]), -1),
            f"next{step}_linked": np.where(same, of.linked[there], -1),
            f"next{step}_sibling": same & ((of.area[there] == of.area) | (around[there] == around)),
            f"next{step}_heading": same & np.isin(of.kind[there], _HEADINGS),
        }
    return columns


def _page(of: Areas) -> Columns:
    """What kind of page it is: an article, a list, documentation."""
    whole = of.first_area[of.page]
    size = of.size[whole]
    code = of.total(np.where(of.kind == CODES["pre"], of.letters.size, 0))
    return {
        "page_size": np.log1p(size),
        "page_density": of.density[whole],
        "page_prose": of.prose[whole] / size,
        "page_code": code[whole] / size,
        "page_mean": np.log1p(size / of.count[whole]),
    }
