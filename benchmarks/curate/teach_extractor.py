"""Teach openflywheel's extractor: `python -m benchmarks.curate.teach_extractor [--root DIR] [--write]`.

Prints what cross-validation says of pages and manuals that the trees have not seen: the tuning half of
readability_pages and manuals (pages.py). With --write it teaches all of them and puts the trees into the
package; the same data gives the same file. Every page is also taught without its class names, without its
sections, without both and <p> (many sites have none), and with comments and teasers that are made up.
"""

import argparse
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from safetensors.numpy import save_file

from benchmarks.curate.boosting import Terms, boost, together
from benchmarks.curate.noise import noisy, sentences
from benchmarks.curate.pages import MANUALS, TUNING, Example, articles, f1, labels, manuals
from openflywheel.curate._extract.areas import Areas
from openflywheel.curate._extract.blocks import CODES, Page, blocks, tree_of
from openflywheel.curate._extract.features import features, matrix
from openflywheel.curate._extract.source import markup
from openflywheel.curate._extract.trees import FILE, Trees, choose

FOLDS, EACH = 7, 6  # folds of articles; pages of each manual
MANUAL = 0.05  # weight of a page of a manual against 1 for an article
CHANGED, NOISY = 0.1, 0.3  # weights of a page in another form against 1 as it is
TIERS = {"fast": 1, "careful": 4}  # classifiers of different seeds, taken together
_SECTIONS = {
    CODES[name]
    for name in ("article", "main", "section", "header", "footer", "aside", "nav", "figure", "figcaption")
}


def nameless(page: Page) -> Page:
    """Without what its attributes say."""
    return msgspec.structs.replace(page, words=[0] * len(page.words))


def sectionless(page: Page) -> Page:
    """With <div> for every section."""
    return msgspec.structs.replace(page, kinds=[0 if kind in _SECTIONS else kind for kind in page.kinds])


def bare(page: Page) -> Page:
    """Without names, sections and paragraphs."""
    page = sectionless(nameless(page))
    return msgspec.structs.replace(page, kinds=[0 if kind == CODES["p"] else kind for kind in page.kinds])


class Lessons(Struct):
    """All blocks of all pages in all forms; `wanted`, `weight` and `fold` are per block."""

    examples: list[Example]  # per page
    pages: list[Page]
    form: NDArray[np.int64]  # per page, of FORMS
    of: Areas
    x: NDArray[np.float32]
    wanted: NDArray[np.float64]
    weight: NDArray[np.float64]
    fold: NDArray[np.int64]


FORMS = {"as it is": 1.0, "nameless": CHANGED, "sectionless": CHANGED, "bare": CHANGED, "noisy": NOISY}


def forms(example: Example, others: Sequence[str]) -> list[Page]:
    """A page in the order of FORMS."""
    page = _read(example)
    return [page, nameless(page), sectionless(page), bare(page), _read(noisy(example, others, seed=0))]


def _read(example: Example) -> Page:
    return blocks(tree_of(markup(example.source)))


def lessons(examples: Sequence[Example]) -> Lessons:
    """Read and label the pages."""
    others = sentences([example for example in examples if not example.group])
    pages = [page for example in examples for page in forms(example, others)]
    of, columns = features(pages)
    each = [example for example in examples for _ in FORMS]
    wanted = [labels(page, example.expected) for page, example in zip(pages, each, strict=True)]
    worth = np.array([MANUAL if example.group else 1.0 for example in each]) * np.tile(
        list(FORMS.values()), len(examples)
    )
    size = np.sqrt(np.minimum(of.letters.size, 2_000))
    share = size / np.bincount(of.page, size)[of.page]
    fold = np.array([_fold(example) for example in each])
    return Lessons(
        each, pages, np.tile(np.arange(len(FORMS)), len(examples)), of, matrix(columns),
        np.concatenate(wanted), worth[of.page] * share, fold[of.page],
    )  # fmt: skip


def _fold(example: Example) -> int:
    """Articles by their name; a manual is left out with all its pages, two manuals at a time."""
    if example.group:
        return FOLDS + [str(folder) for folder, _, _ in MANUALS].index(example.group) // 2
    return int(sha256(example.name.encode()).hexdigest(), 16) // 2 % FOLDS


def teach(given: Lessons, which: NDArray[np.bool_], several: int, terms: Terms) -> Trees:
    """Trees from some of the blocks."""
    x, y, weight = given.x[which], given.wanted[which], given.weight[which]
    return together([boost(x, y, weight, terms, seed) for seed in range(several)])


def validate(given: Lessons, several: int, terms: Terms) -> NDArray[np.float64]:
    """Per page, its F1 and the expected one, by trees that have not seen it."""
    chances = np.zeros(len(given.x))
    for fold in np.unique(given.fold):
        new = given.fold == fold
        chances[new] = teach(given, ~new, several, terms).chances(given.x[new])
    scores = []
    for number, (example, page) in enumerate(zip(given.examples, given.pages, strict=True)):
        start = int(given.of.first_block[number])
        here = slice(start, start + len(page.texts))
        kept, confidence = choose(chances[here], given.of.letters.size[here])
        text = "\n".join(text for text, keep in zip(page.texts, kept, strict=True) if keep)
        scores.append((f1(text, example.text)[0], confidence))
    return np.array(scores)


def report(given: Lessons, scores: NDArray[np.float64]) -> str:
    """Mean F1 of articles and of manuals, as they are and in each changed form."""
    manual = np.array([bool(example.group) for example in given.examples])
    rows = [
        (scores[~manual & (given.form == n)], scores[manual & (given.form == n)]) for n in range(len(FORMS))
    ]
    return "\n".join(
        f"{form:12} articles {a[:, 0].mean():.4f} (told {a[:, 1].mean():.3f}), manuals {b[:, 0].mean():.4f}"
        for form, (a, b) in zip(FORMS, rows, strict=True)
    )


def write(tiers: dict[str, Trees], file: Path = FILE) -> None:
    """Keep the trees, without any code."""
    parts = {"start": np.float64, "columns": np.uint8, "cuts": np.float32, "leaves": np.float32}
    save_file(
        {f"{tier}.{part}": np.atleast_1d(np.asarray(getattr(trees, part), kind))
         for tier, trees in tiers.items() for part, kind in parts.items()}, file)  # fmt: skip


def main() -> None:
    """Command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--root", type=Path, default=Path("/"), help="where Debian's packages are unpacked")
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    given, terms = lessons([*articles(TUNING), *manuals(chosen.root, EACH)]), Terms()
    if chosen.write:
        everything = np.ones(len(given.x), np.bool_)
        write({tier: teach(given, everything, several, terms) for tier, several in TIERS.items()})
        print(f"{FILE}: {FILE.stat().st_size:,} bytes")
        return
    for tier, several in TIERS.items():
        print(tier, report(given, validate(given, several, terms)), sep="\n", flush=True)


if __name__ == "__main__":
    main()
