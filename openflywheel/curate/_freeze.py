"""Frozen versions of training sets, validation sets, items and holdouts.

A text that teaches is no question any more: it leaves the holdout and the validation set. (The other way
round, one held-out person who asks what everybody asks would take it from training.) Of contradicting labels
for one text the most trusted, then the newest stays. Choices and sales contradict nothing: all of them stay.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from openflywheel.base.items import happened, is_item
from openflywheel.base.nouns import Dataset, Drop, Role, Row

TRUST = ("", "seed", "user", "expert")
ROLES: tuple[Role, ...] = ("holdout", "validation", "train")  # a text is of the last of those that it has


def freeze(
    rows: Sequence[Row], before: Iterable[Dataset], recipe: str, kinds: Mapping[str, str]
) -> Iterator[Dataset | Drop]:
    """A new version of every (task, role) whose rows changed; `kinds` maps a task to its kind.

    The items are a set of their own for each rank task.
    """
    frozen = {d.id for d in before}
    items = [row for row in rows if is_item(row)]
    for task in sorted({task for row in rows for task in row.labels}):
        about = [row for row in rows if task in row.labels]
        asked = [row for row in about if row.role != "preference"]
        best = _best(_last(asked), kinds.get(task, ""))
        sets: dict[Role, list[Row]] = {role: [row for row in best if row.role == role] for role in ROLES}
        sets["preference"] = list(_liked(about))
        sets["items"] = items if kinds.get(task) == "rank" else []
        for role, chosen in sets.items():
            ids = tuple(row.id for row in chosen)
            dataset = Dataset(name=f"{task}-{role}", task=task, role=role, rows=ids, recipe=recipe)
            if ids and dataset.id not in frozen:
                yield dataset


def _liked(rows: Sequence[Row]) -> Iterator[Row]:
    """Answers that people liked or did not, any number to a text; none to a text that is held out."""
    sealed = {_same(row.text) for row in rows if row.role == "holdout"}
    yield from (row for row in rows if row.role == "preference" and _same(row.text) not in sealed)


def _last(rows: Sequence[Row]) -> list[Row]:
    """All rows of a text that have the last of its roles."""
    last: dict[str, int] = {}
    for row in rows:
        last[_same(row.text)] = max(last.get(_same(row.text), 0), ROLES.index(row.role))
    return [row for row in rows if ROLES.index(row.role) == last[_same(row.text)]]


def _best(rows: Iterable[Row], kind: str) -> list[Row]:
    """One row a text, by trust, then the newest; and all that happened. In the order of arrival."""
    chosen: dict[str, Row] = {}
    for row in rows:
        key = row.id if happened(row, kind) else _same(row.text)
        if key not in chosen or _rank(row) >= _rank(chosen[key]):
            chosen[key] = row
    return list(chosen.values())


def _same(text: str) -> str:
    """Texts are the same but for case and white space."""
    return " ".join(text.casefold().split())


def _rank(row: Row) -> tuple[int, float]:
    trust = TRUST.index(row.labelled_by) if row.labelled_by in TRUST else 0
    return trust, row.at
