"""Say of each row what it is about, what it names, and where it comes from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from openflywheel.base.errors import SettingsError
from openflywheel.curate._batches import Batch, as_table, kept, meta, with_meta
from openflywheel.curate._enrich import keywords as words
from openflywheel.curate._enrich import origin
from openflywheel.curate._enrich.entities import Names, names
from openflywheel.curate._enrich.naming import entities as named
from openflywheel.curate._enrich.spelling import JOINT, spelled
from openflywheel.curate._tokens import passages, tokens


def enrich(
    batch: Batch,
    *,
    keywords: int = 5,
    entities: str = "",
    credibility: Mapping[str, float] = {},
    folder: Path,
) -> pa.Table:
    """Add facts to each row that goes on; drops nothing.

    keywords: how many.
    entities: a file of JSON lines {"id", "name", "aliases", "kind", "context"}, a path from the folder of
        flywheel.yaml; all but the first two may be left out.
    credibility: 0 to 1 by host, domain or source; what is not named has none.

    "host" is that of `uri`. When a text was first seen is the row's `at`: a record is named by its content
    and written once, so a text that changed is another one. "section" is what chunk or the source said, else
    the heading that the text begins with, else its title. "keywords" are its best words ("index; bucket;
    hash"); a script without spaces has none. "entities" are the ids of what it names, in the order in which
    it does (see _enrich/naming.py). "credibility" is a number
    as text. All of it depends on the row alone. Raises SettingsError.
    """
    if keywords < 0:
        raise SettingsError(f"curate.enrich: keywords = {keywords}; give 0 or more")
    table = as_table(batch)
    facts = {"host": origin.host(table), "section": origin.section(table)}
    if credibility:
        facts["credibility"] = origin.credibility(table, credibility)
    facts |= _of_words(table, keywords, names(folder / entities) if entities else None)
    for name, column in facts.items():
        table = with_meta(table, name, column)
    return table


def _of_words(table: pa.Table, most: int, known: Names | None) -> dict[str, pa.Array]:
    """The facts that need the words of the texts."""
    going = np.flatnonzero(kept(table).to_numpy())
    best: dict[int, str] = {}
    said: dict[int, str] = {}
    titles, first = meta(table, "title").take(going), 0
    for passage in passages(table["text"].take(going)) if most or known else ():
        size = len(passage.bounds) - 1
        rows: Sequence[int] = going[first : first + size].tolist()
        chosen = words.keywords(passage, tokens(titles.slice(first, size)), most)
        best |= {rows[text]: spelling for text, spelling in spelled(passage, *chosen).items()}
        found = named(passage, known) if known else {}
        said |= {rows[text]: JOINT.join(ids) for text, ids in found.items()}
        first += size
    facts = {"keywords": best} if most else {}
    facts |= {"entities": said} if known else {}
    return {name: pa.array(map(of.get, range(table.num_rows)), pa.string()) for name, of in facts.items()}
