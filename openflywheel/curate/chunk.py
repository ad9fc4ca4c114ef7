"""Cut texts by their structure into rows of so many tokens."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import content_id
from openflywheel.curate._batches import Batch, as_table, kept, meta, with_meta
from openflywheel.curate._chunk.counting import counter
from openflywheel.curate._chunk.cutting import Chunk, cut
from openflywheel.curate._chunk.lines import Ints

SMALLEST = 16  # tokens
HEAVY = ("text", "content")  # never copied once for each chunk


def chunk(
    batch: Batch, *, tokens: int = 512, overlap: int = 0, tokenizer: str = "", folder: Path
) -> pa.Table:
    """Replace each text of more than `tokens` tokens by parts that have at most so many.

    tokens: the budget, without the special tokens that a model puts around a text.
    overlap: tokens of the end of a part, whole sentences where they fit, with which the next one begins.
    tokenizer: the target model's: a tokenizer.json (from the folder of flywheel.yaml) or "owner/name" on the
        Hugging Face hub; by default the sentence encoder's.

    A text is cut before a heading, the highest first, else between blocks, list items, lines, sentences,
    words, letters: whatever comes first in this list and leaves the part at least half full. Blocks of code,
    tables and paragraphs that fit stay whole; a table that does not is cut between its rows, and its header
    is repeated, as is a block of code's fence. Without what is repeated, the parts of a text are the text, to
    the last character. Structure is that of CommonMark 0.31.2 and of GitHub's tables.

    Facts: "part" (its number), "tokens", "section" (the headings above, outermost first: "Install > Linux";
    where a text has none, what its source said stays). A part is a row of its own: its id is made of the
    text's id and its number, the text's is its parent. Drops nothing. Raises SettingsError.
    """
    if tokens < SMALLEST or not 0 <= overlap <= tokens // 2:
        raise SettingsError(
            f"curate.chunk: tokens = {tokens}, overlap = {overlap}: give {SMALLEST} tokens or more, "
            "and an overlap of at most half of them"
        )
    table = as_table(batch)
    going = np.flatnonzero(kept(table).to_numpy())
    chunks = cut(table["text"].take(going), counter(tokenizer, folder), tokens, overlap)
    rows = going[np.array([c.row for c in chunks], np.int64)]
    sizes = np.bincount(rows, minlength=table.num_rows)
    source = np.repeat(np.arange(table.num_rows), np.maximum(sizes, 1))
    places = np.flatnonzero(sizes[source] > 0)  # one for each chunk
    return _facts(_rows(table, source, sizes, places, chunks), places, chunks)


def _rows(table: pa.Table, source: Ints, sizes: Ints, places: Ints, chunks: Sequence[Chunk]) -> pa.Table:
    """The table with a row for each chunk; rows of one chunk, of none or dropped before stay as they are."""
    split = sizes[source] > 1
    light = table.drop_columns([name for name in HEAVY if name in table.column_names])
    parts = light.take(source)
    whole = pa.array(source, mask=split)
    for name in (n for n in HEAVY if n in table.column_names):
        parts = parts.append_column(table.schema.field(name), table[name].take(whole))
    texts = _at(places, [c.text for c in chunks], len(source))
    numbers = np.arange(len(source)) - np.searchsorted(source, source)
    ids = light["id"].to_pylist()
    named = [
        content_id(ids[row], str(n)) if cut else ids[row]
        for row, n, cut in zip(source.tolist(), numbers.tolist(), split, strict=True)
    ]
    parents = [[ids[row]] if cut else None for row, cut in zip(source.tolist(), split, strict=True)]
    new = {
        "text": pc.coalesce(parts["text"], texts),
        "id": pa.array(named, pa.string()),
        "parents": pc.if_else(split, pa.array(parents, pa.list_(pa.string())), parts["parents"]),
    }
    for name, values in new.items():
        parts = parts.set_column(parts.schema.get_field_index(name), name, values)
    part = pa.array([str(n) for n in numbers.tolist()], pa.string())
    return with_meta(
        parts.select(table.column_names), "part", pc.if_else(split, part, meta(light, "part").take(source))
    )


def _facts(table: pa.Table, places: Ints, chunks: Sequence[Chunk]) -> pa.Table:
    size = table.num_rows
    sections = _at(places, [c.section or None for c in chunks], size)
    table = with_meta(table, "tokens", _at(places, [str(c.tokens) for c in chunks], size))
    return with_meta(table, "section", pc.coalesce(sections, meta(table, "section")))


def _at(places: Ints, values: Sequence[str | None], size: int) -> pa.Array:
    """A column of `size` rows with the values at those places, else null."""
    at = np.full(size, -1, np.int64)
    at[places] = np.arange(len(values))
    return pa.array(values, pa.string()).take(pa.array(at, mask=at < 0))
