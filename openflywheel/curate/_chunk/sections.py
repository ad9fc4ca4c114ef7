"""The headings that a chunk stands under."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.curate._chunk.lines import Ints, Lines, Mask

JOINT = " > "
LONGEST = 200  # characters of a heading: a line of rubbish that begins with # is no path


class Sections:
    """Every line's headings, outermost first."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        marks = np.flatnonzero(lines.level)
        self._section = np.searchsorted(marks, np.arange(len(lines.level)), "right")  # 0: before the first
        self._paths = [(-1, ()), *_paths(lines, marks)]
        self._says = np.flatnonzero(_says(lines))

    def of(self, first: int, last: int) -> str:
        """The headings that all of the lines first..last (inclusive) stand under."""
        inside = self._says[slice(*np.searchsorted(self._says, [first, last + 1]))]
        numbers = np.unique(self._section[inside]) if len(inside) else self._section[[first, last]]
        document = self._lines.document[first]
        known = [self._paths[n] for n in numbers]
        return JOINT.join(common([path if of == document else () for of, path in known]))


def common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What all paths begin with."""
    least, most = min(paths), max(paths)
    same = [a == b for a, b in zip(least, most, strict=False)]
    return least[: same.index(False) if False in same else len(same)]


def _says(lines: Lines) -> Mask:
    """Lines that are no headings and not empty."""
    says: Mask = (lines.level == 0) & (np.diff(lines.starts) > 1)
    return says


def _paths(lines: Lines, marks: Ints) -> list[tuple[int, tuple[str, ...]]]:
    """(document, headings) at each heading."""
    found: list[tuple[int, tuple[str, ...]]] = []
    stack: list[tuple[int, str]] = []
    texts = [lines.text(int(lines.starts[m]), int(lines.starts[m + 1])) for m in marks]
    names = pc.replace_substring_regex(pa.array(texts, pa.string()), r"^\s*#+\s*|\s*#*\s*$", "")
    for mark, name in zip(marks.tolist(), names.to_pylist(), strict=True):
        document, level = int(lines.document[mark]), int(lines.level[mark])
        kept = found and found[-1][0] == document
        stack = [s for s in stack if kept and s[0] < level]
        stack.append((level, name[:LONGEST]))
        found.append((document, tuple(name for _, name in stack if name)))
    return found
