"""Find what is out of date: too old when it was fetched, or by its own words."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.base.errors import SettingsError
from openflywheel.base.settings import duration
from openflywheel.curate._batches import Batch, as_table, mark_drops, with_meta
from openflywheel.curate._enrich.dates import DAY, fetched, published
from openflywheel.curate._enrich.origin import nearest

# What documentation says of itself: Docusaurus, Python, PostgreSQL, Read the Docs, Django, Kubernetes.
NOTICES = (
    "which is no longer actively maintained",
    "is for an old version of",
    "is for an unsupported version of",
    "you are not reading the most recent version",
    "this document is for an insecure version",
    "documentation is no longer maintained",
    "documentation is no longer actively maintained",
    "this page is obsolete",
    "this page is outdated",
    "this page is out of date",
    "this document is obsolete",
    "this article is outdated",
)
Ages = NDArray[np.float64]

TOP = 2_000  # characters in which a text speaks of itself


def staleness(
    batch: Batch,
    *,
    older_than: str = "",
    sources: Mapping[str, str] = {},
    before: str = "",
    notices: tuple[str, ...] = NOTICES,
    drop: bool = True,
) -> pa.Table:
    """Drop what is stale, or, without `drop`, only say so in the fact "stale" ("too old", "notice").

    older_than: an age, such as 730d. sources: other ages by host, domain or source. before: a day, such as
        2024-01-31. notices: what a text says in its first 2,000 characters when it knows that it is stale.

    The age is that at the time of fetching: `at` less the day in "modified", else in "published" (ISO 8601);
    a text without such a day has no age. Today's date plays no part, so the same rows and settings give the
    same set in a year. What grew old since it was fetched is caught by `before`, which stands in the recipe:
    older is what was published before that day, or, undated, fetched before it. Fact "age": days, where
    known. Reasons: "staleness: too old", "staleness: notice of an old version". Raises SettingsError.
    """
    table = as_table(batch)
    said, came = published(table), fetched(table)
    age = (came - said).astype(np.float64)
    age[np.isnat(said)] = np.nan
    old = age > _limits(table, older_than, sources)
    old |= np.where(np.isnat(said), came, said) < _day(before)
    told = _told(table, notices)
    days = pa.array(age, from_pandas=True).cast(pa.int64()).cast(pa.string())
    table = with_meta(table, "age", days)
    if not drop:
        words = pc.if_else(pa.array(old), "too old", pc.if_else(told, "notice", pa.scalar(None, pa.string())))
        return with_meta(table, "stale", words)
    table = mark_drops(table, pa.chunked_array([old]), "staleness: too old")
    return mark_drops(table, told, "staleness: notice of an old version")


def _limits(table: pa.Table, older_than: str, sources: Mapping[str, str]) -> Ages:
    """Days that a text may be old, shape (rows,)."""
    usual = _age(older_than) if older_than else np.inf
    own = nearest(table, {name: str(_age(said)) for name, said in sources.items()})
    limits: Ages = pc.fill_null(own.cast(pa.float64()), usual).to_numpy()
    return limits


def _age(said: str) -> float:
    days = duration(said) / DAY
    if days <= 0:
        raise SettingsError(f"curate.staleness: an age of {said!r}; give more than 0, such as 730d")
    return days


def _day(said: str) -> np.datetime64:
    """A day; for "" the first of all."""
    try:
        return np.datetime64(date.fromisoformat(said) if said else "0001-01-01", "D")
    except ValueError:
        raise SettingsError(f"curate.staleness: before = {said!r} is no day; write 2024-01-31") from None


def _told(table: pa.Table, notices: tuple[str, ...]) -> pa.ChunkedArray:
    top = pc.utf8_lower(pc.utf8_slice_codeunits(table["text"], 0, TOP))
    found = pa.chunked_array([np.zeros(table.num_rows, bool)])
    for notice in notices:
        found = pc.or_(found, pc.match_substring(top, notice.lower()))
    return found
