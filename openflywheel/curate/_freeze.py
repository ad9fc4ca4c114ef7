"""Frozen versions of training sets, validation sets and holdouts.

A text that teaches is no question any more: it leaves the holdout and the validation set. (The other way
round, one held-out person who asks what everybody asks would take it from training.) Of contradicting labels
for one text the most trusted, then the newest stays.
"""

from collections.abc import Iterable, Iterator, Sequence

from openflywheel.base.nouns import Dataset, Drop, Role, Row

TRUST = ("", "seed", "user", "expert")
ROLES: tuple[Role, ...] = ("holdout", "validation", "train")  # a text is of the last of those that it has


def freeze(rows: Sequence[Row], before: Iterable[Dataset], recipe: str) -> Iterator[Dataset | Drop]:
    """A new version of every (task, role) whose rows changed."""
    frozen = {d.id for d in before}
    for task in sorted({task for row in rows for task in row.labels}):
        about = [row for row in rows if task in row.labels]
        best = [*_best(row for row in about if row.role != "preference"), *_liked(about)]
        for role in (*ROLES, "preference"):
            ids = tuple(row.id for row in best if row.role == role)
            dataset = Dataset(name=f"{task}-{role}", task=task, role=role, rows=ids, recipe=recipe)
            if ids and dataset.id not in frozen:
                yield dataset


def _liked(rows: Sequence[Row]) -> Iterator[Row]:
    """Answers that people liked or did not, any number to a text; none to a text that is held out."""
    sealed = {_same(row.text) for row in rows if row.role == "holdout"}
    yield from (row for row in rows if row.role == "preference" and _same(row.text) not in sealed)


def _best(rows: Iterable[Row]) -> list[Row]:
    """One row a text: training rows first, then by trust, then the newest; in the order of arrival."""
    chosen: dict[str, Row] = {}
    for row in rows:
        key = _same(row.text)
        if key not in chosen or _rank(row) >= _rank(chosen[key]):
            chosen[key] = row
    return list(chosen.values())


def _same(text: str) -> str:
    """Texts are the same but for case and white space."""
    return " ".join(text.casefold().split())


def _rank(row: Row) -> tuple[int, int, float]:
    role = ROLES.index(row.role) if row.role in ROLES else -1
    trust = TRUST.index(row.labelled_by) if row.labelled_by in TRUST else 0
    return role, trust, row.at
