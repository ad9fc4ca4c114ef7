"""Where a row comes from, in columns: host, credibility, section."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.base.errors import SettingsError
from openflywheel.curate._batches import meta

HOST = r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(?P<host>\[[^\]/]*\]|[^/?#:]+)"
HEADING = r"\A\s*#{1,6}[ \t]+(?P<heading>[^\n]{1,200})"
DOMAINS = 5  # a.b.c.example.com looks for itself, b.c.example.com, ..., com


def host(table: pa.Table) -> pa.ChunkedArray:
    """The host of each row's `uri` (RFC 3986), in small letters."""
    return pc.utf8_lower(pc.struct_field(pc.extract_regex(table["uri"], HOST), "host"))


def section(table: pa.Table) -> pa.ChunkedArray:
    """What was known before; else the heading that the text begins with; else its title."""
    heading = pc.struct_field(pc.extract_regex(table["text"], HEADING), "heading")
    return pc.coalesce(meta(table, "section"), pc.utf8_rtrim(heading, " \t\r#"), meta(table, "title"))


def credibility(table: pa.Table, said: Mapping[str, float]) -> pa.ChunkedArray:
    """The number of the nearest name, as text. Raises SettingsError."""
    for name, number in said.items():
        if not 0 <= number <= 1:
            raise SettingsError(
                f"curate.enrich: credibility of {name!r} = {number}; give a number from 0 to 1"
            )
    return nearest(table, {name: str(float(number)) for name, number in said.items()})


def nearest(table: pa.Table, said: Mapping[str, str]) -> pa.ChunkedArray:
    """What is said of a row's host, else of a domain that it is in, else of its source; else null."""
    known = pa.array([name.lower() for name in said], pa.string())
    values = pa.array(said.values(), pa.string())

    def of(names: pa.ChunkedArray) -> pa.ChunkedArray:
        return values.take(pc.index_in(names, known))

    domain = host(table)
    found = of(domain)
    for _ in range(DOMAINS):
        domain = pc.struct_field(pc.extract_regex(domain, r"^[^.]*\.(?P<rest>.*)$"), "rest")
        found = pc.coalesce(found, of(domain))
    return pc.coalesce(found, of(pc.utf8_lower(table["source"])))
