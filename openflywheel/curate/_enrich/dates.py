"""When a text was published, and when it was fetched."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from openflywheel.curate._batches import meta

Days = NDArray[np.datetime64]

# ISO 8601, as the sources write it; a year and month mean the first of it.
DATE = r"^\s*(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>0[1-9]|[12]\d|3[01])(?:\D|$)|[^\d-]|$)"
DAY = 86_400  # seconds


def published(table: pa.Table) -> Days:
    """The day of "modified", else of "published", shape (rows,); NaT where neither is a date."""
    modified = _days(meta(table, "modified"))
    return np.where(np.isnat(modified), _days(meta(table, "published")), modified)


def fetched(table: pa.Table) -> Days:
    """The day of `at`, UTC."""
    days = np.floor(table["at"].to_numpy() / DAY).astype(np.int64)
    found: Days = days.astype("datetime64[D]")
    return found


def _days(texts: pa.ChunkedArray) -> Days:
    found = pc.extract_regex(texts, DATE)
    year, month, day = (
        pc.fill_null(pc.struct_field(found, part).cast(pa.string()), "").to_numpy()
        for part in ("year", "month", "day")
    )
    return _numbers(year, month, day)


def _numbers(year: NDArray[np.object_], month: NDArray[np.object_], day: NDArray[np.object_]) -> Days:
    dated = year != ""
    days = np.full(len(year), np.datetime64("NaT"), "datetime64[D]")
    months = (year[dated].astype(np.int64) - 1970) * 12 + month[dated].astype(np.int64) - 1
    late = np.where(day[dated] == "", "1", day[dated]).astype(np.int64) - 1
    days[dated] = months.astype("datetime64[M]").astype("datetime64[D]") + late
    return days
