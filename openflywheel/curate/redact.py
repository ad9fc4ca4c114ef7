"""Take out of the texts what the guards forbid; drop the rows that they refuse.

The guards' own detectors do it, but only where one of their hints matches (see _windows.py): the result is
the same as if they had read every text from end to end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.base.nouns import Verdict
from openflywheel.curate._batches import META, Batch, as_table, kept, with_column
from openflywheel.curate._nouns import whole
from openflywheel.curate._rows import entries, with_facts
from openflywheel.curate._windows import Hints, windows

Places = NDArray[np.int64]
Opinion = tuple[str, tuple[Verdict, ...]]
Kept = tuple[str, str, tuple[str, ...], str]
"""Token, value, purposes for which it may be restored, and the subject of the row it stood in."""


class Detect(Protocol):
    """The guards: text -> the text as it may go on, and what they say about it."""

    @property
    def hints(self) -> Hints | None: ...

    def __call__(self, text: str) -> Opinion: ...

    def pseudonymous(self, text: str, name: Callable[[str, str], str]) -> Opinion: ...


class Vault(Protocol):
    """What keeps the values behind tokens (store/vault.py)."""

    def token(self, kind: str, value: str, purposes: Sequence[str]) -> str: ...

    def keep(self, found: Sequence[Kept]) -> None: ...


def redact(batch: Batch, *, reversible: tuple[str, ...] = (), detect: Detect, vault: Vault) -> pa.Table:
    """Replace what the guards find in texts and facts; a "no" drops the row, reason "forbidden: <check>".

    For good, by default: <email>, <card>, <secret>. In rows all of whose purposes are among `reversible`,
    personal data becomes a token such as <email-bqxwmtkzlrvpn>, the same for the same value and purposes, and
    the value goes into the vault, from where it can be restored for these purposes alone. Secrets are never
    kept, facts are redacted for good. That is pseudonymisation (GDPR, article 4(5)): the rows are personal
    data still. `uri` stays as it is: it says where a row came from.
    `detect` and `vault` are handed in by the wheel.
    """
    table = as_table(batch)
    going = np.flatnonzero(kept(table).to_numpy())
    rows = table.take(going)
    restorable = _all_among(rows["purposes"], reversible)
    texts, drops, found = {}, {}, list[Kept]()
    for row, text, places in _places(rows["text"].combine_chunks(), detect.hints):
        values = list[Kept]()
        look = _naming(rows.slice(row, 1), values, detect, vault) if restorable[row] else detect
        texts[going[row]], refused = _read(text, places, look)
        if refused:
            drops[going[row]] = f"forbidden: {refused}"
        else:
            found += values
    vault.keep(found)
    for name in (n for n in table.column_names if n.startswith(META)):
        clean = _clean(rows[name].combine_chunks(), detect, going, drops)
        table = _replaced(table, name, clean)
    table = _with_clean_meta(table, rows, going, detect, drops)
    return _replaced(_replaced(table, "text", texts), "drop", dict(sorted(drops.items())))


def _clean(values: pa.StringArray, detect: Detect, rows: Places, drops: dict[int, str]) -> dict[int, str]:
    """place -> the fact as it may go on, where that is another one; refused rows go into `drops`."""
    clean: dict[int, str] = {}
    for place, text, near in _places(pc.fill_null(values, ""), detect.hints):
        seen, refused = _read(text, near, detect)
        if seen.encode() != text:
            clean[int(rows[place])] = seen
        if refused:
            drops.setdefault(int(rows[place]), f"forbidden: {refused}")
    return clean


def _with_clean_meta(
    table: pa.Table, rows: pa.Table, going: Places, detect: Detect, drops: dict[int, str]
) -> pa.Table:
    """The same for the facts in the map, one key at a time."""
    of, keys, values = entries(whole(rows["meta"]))
    facts: dict[str, pa.Array] = {}
    for key in pc.unique(keys).to_pylist():
        here = np.flatnonzero(pc.equal(keys, key).to_numpy(zero_copy_only=False))
        clean = _clean(values.take(pa.array(here)), detect, going[of[here]], drops)
        if clean:
            facts[key] = pa.array([clean.get(row) for row in range(table.num_rows)], pa.string())
    return with_column(table, "meta", with_facts(whole(table["meta"]), facts)) if facts else table


def _all_among(lists: pa.ChunkedArray, allowed: Sequence[str]) -> NDArray[np.bool_]:
    """Which lists hold something, and nothing but what is allowed."""
    flat = lists.combine_chunks()
    parents = pc.list_parent_indices(flat).to_numpy(zero_copy_only=False)
    others = pc.invert(pc.is_in(pc.list_flatten(flat), pa.array(allowed, pa.string())))
    among = np.zeros(len(flat), bool)
    among[parents] = True
    among[parents[others.to_numpy(zero_copy_only=False)]] = False
    return among


def _places(texts: pa.StringArray, hints: Hints | None) -> Iterator[tuple[int, bytes, list[tuple[int, int]]]]:
    """Rows in which something may be found, their texts, and where in them, in bytes."""
    found = windows(texts, hints)
    near = zip(found.rows.tolist(), found.starts.tolist(), found.ends.tolist(), strict=True)
    for row, places in groupby(near, itemgetter(0)):
        yield row, texts[row].as_buffer().to_pybytes(), [(start, end) for _, start, end in places]


def _naming(row: pa.Table, values: list[Kept], detect: Detect, vault: Vault) -> Callable[[str], Opinion]:
    """A look that puts tokens into a text and their values into `values`."""
    purposes, subject = tuple(row["purposes"][0].as_py()), row["subject"][0].as_py()

    def name(kind: str, value: str) -> str:
        token = vault.token(kind, value, purposes)
        values.append((token, value, purposes, subject))
        return token

    return partial(detect.pseudonymous, name=name)


def _read(text: bytes, places: Sequence[tuple[int, int]], look: Callable[[str], Opinion]) -> tuple[str, str]:
    """The text as it may go on, and the first check that refuses it, if one does."""
    parts, before = [], 0
    for start, end in places:
        seen, verdicts = look(text[start:end].decode())
        parts += [text[before:start], seen.encode()]
        before = end
        if any(v.passed == "no" for v in verdicts):  # which one is the first can be said of the whole alone
            whole, verdicts = look(text.decode())
            return whole, next(v.check for v in verdicts if v.passed == "no")
    return b"".join([*parts, text[before:]]).decode(), ""


def _replaced(table: pa.Table, name: str, values: Mapping[int, str]) -> pa.Table:
    """The table with other values in some rows of a column; `values` has the rows in their order."""
    if not values:
        return table
    mask = np.zeros(table.num_rows, bool)
    mask[list(values)] = True
    fresh = pa.array(list(values.values()), pa.string())
    return with_column(table, name, pc.replace_with_mask(table[name].combine_chunks(), pa.array(mask), fresh))
