"""A dataset as a training file on disk: for a provider whose jobs are started by hand, or by other tools."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from openflywheel.base.errors import SettingsError, suggest
from openflywheel.base.nouns import Row
from openflywheel.customize._hosted.formats import LINES, Format
from openflywheel.customize._hosted.lines import check, lines

GONE = "no longer in the store"


class Exported(Struct, frozen=True, kw_only=True):
    """What was written: `tokens` by estimate; `dropped`: reason -> rows that were left out."""

    path: str
    form: str
    rows: int
    bytes: int
    tokens: int
    dropped: dict[str, int]


def export(
    rows: Sequence[Row], task: str, to: Path, form: Format, *, system: str = "", gone: int = 0
) -> Exported:
    """Write rows as JSONL, in their order; the file is there whole or not at all.

    Left out, and counted with the reason, are rows that the format cannot say, and the `gone`, which
    could not be given any more. Raises SettingsError for held-out rows, for a format that there is not, and
    for a file that its provider would refuse.
    """
    if form not in LINES:
        raise SettingsError(f"there is no format {form!r}; {suggest(form, LINES)}")
    if held := [row.id for row in rows if row.role == "holdout"]:
        raise SettingsError(
            f"{len(held)} of these rows are held out, the first is {held[0]}: they teach nobody"
        )
    dropped, count, size, tokens = Counter({GONE: gone} if gone else {}), 0, 0, 0
    fresh = to.with_name(f".{to.name}.new")
    try:
        with fresh.open("wb") as out:
            for line in lines(rows, task, form, system=system):
                dropped.update([line.reason] if line.reason else [])
                count += not line.reason
                tokens += line.tokens
                size += out.write(line.json)
            out.flush()
            os.fsync(out.fileno())
        check(count, size, dropped, form, task)
        fresh.replace(to)
    finally:
        fresh.unlink(missing_ok=True)
    return Exported(path=str(to), form=form, rows=count, bytes=size, tokens=tokens, dropped=dict(dropped))
