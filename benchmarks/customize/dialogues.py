"""hh-rlhf, harmless-base (Bai et al. 2022, arXiv 2204.05862): last questions of dialogues, with two answers.

Some of the text is offensive: it is never printed. No two dialogues that begin alike are in different parts.
Only the last question stands before an answer: whole dialogues are three times as long to read.
"""

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from openflywheel.base.ids import share_of
from openflywheel.base.nouns import Dataset
from openflywheel.base.nouns import Row as Example
from openflywheel.base.thumbs import DOWN, REJECTED, THUMB, UP
from openflywheel.customize import Lesson

FILE, TASK = "hh_rlhf/harmless-base-test.jsonl.gz", "answer"
TURN = re.compile(r"\n\n(?:Human|Assistant): ?")
TESTED = 0.2  # of the dialogues


def pairs(data: Path, *, tested: bool) -> list[Example]:
    """The pairs of one part: a row's label is the answer that people chose, its meta has the other one."""
    with gzip.open(data / FILE, "rt", encoding="utf-8") as lines:
        return [row for line in lines for row in _pair(json.loads(line), tested)]


def _pair(said: dict[str, str], tested: bool) -> Iterator[Example]:
    """None where the dialogues differ before their last answer, or one of the answers is empty."""
    chosen, rejected = TURN.split(said["chosen"])[1:], TURN.split(said["rejected"])[1:]
    better, worse = chosen[-1].strip(), rejected[-1].strip()
    alike = chosen[:-1] == rejected[:-1] and better and worse and better != worse
    if alike and (share_of(chosen[0], "test") < TESTED) == tested:
        yield _row(chosen[-2].strip(), better, **{REJECTED: worse})


def thumbs(rows: Sequence[Example]) -> list[Example]:
    """Pairs taken apart: the better answer with a thumb up, the worse one with a thumb down."""
    ups = [_row(row.text, row.labels[TASK], **{THUMB: UP}) for row in rows]
    return ups + [_row(row.text, row.meta[REJECTED], **{THUMB: DOWN}) for row in rows]


def answered(rows: Sequence[Example]) -> list[Example]:
    """Both answers of each pair as something to say: what a model reads before it learns which is better."""
    return [_row(row.text, answer) for row in rows for answer in (row.labels[TASK], row.meta[REJECTED])]


def _row(question: str, answer: str, **meta: str) -> Example:
    return Example(text=question, source="hh-rlhf", labels={TASK: answer}, meta=meta)


def lesson(rows: Sequence[Example], validation: Sequence[Example] = ()) -> Lesson:
    """A lesson of the kind "text"."""
    dataset = Dataset(name=TASK, task=TASK, role="train", rows=tuple(row.id for row in rows), recipe="")
    return Lesson(dataset, rows, "text", validation)
