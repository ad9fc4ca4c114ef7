"""Drop what is not prose: menus, lists, boilerplate. The published rules of Gopher, C4 and FineWeb."""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from openflywheel.curate._batches import Batch, as_table, kept, meta, with_column, with_text, wordless
from openflywheel.curate._going import going, spread
from openflywheel.curate._nouns import PAIRS
from openflywheel.curate._quality.c4 import c4, cleaned
from openflywheel.curate._quality.fineweb import fineweb
from openflywheel.curate._quality.gopher import gopher
from openflywheel.curate._quality.limits import Limits
from openflywheel.curate._quality.repetition import repetition
from openflywheel.curate._quality.stop_words import numbers
from openflywheel.curate._quality.text import Text
from openflywheel.curate._tokens import Index, Mask, passages

Rule = Literal["gopher", "repetition", "c4", "fineweb"]

ALL: tuple[Rule, ...] = ("gopher", "repetition", "c4", "fineweb")
PUBLISHED = Limits()
MARKUP = r"(?m)^#{1,6}[ \t]+|^```.*$|^[ \t]*\|[-| :]+\|[ \t]*$|`|\*\*|\|"
# Sources of messages and of rows of tables: a good one has ten words and no full stop.
NOT_DOCUMENTS = ("chat", "forum", "http", "marketplace", "sql", "tickets", "traffic", "webhook")


class Judged(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one source is judged; `rules: []` leaves it alone."""

    rules: tuple[Rule, ...] = ALL
    limits: Limits = PUBLISHED


def quality(
    batch: Batch,
    *,
    rules: tuple[Rule, ...] = ALL,
    limits: Limits = PUBLISHED,
    sources: Mapping[str, Judged] = {},
    lines: bool = False,
) -> pa.Table:
    """Judge documents; each drop has its rule's name: "gopher: too few words", "c4: curly bracket".

    Judged are rows without labels, except those of sources of messages and of tables; a source named in
    `sources` is judged as it says there, labelled or not. `limits` are the published thresholds (see
    _quality/limits.py). With `lines`, a text that stays loses the lines that C4 takes out: those without
    punctuation at their end, of two words or about cookies and JavaScript, that is to say also headings,
    tables and code. Run `language` before it: stop words are those of the row's language.

    Rae et al. 2021 (arXiv:2112.11446), Raffel et al. 2020 (arXiv:1910.10683), Penedo et al. 2024
    (arXiv:2406.17557); the same verdicts as each filter of datatrove 0.10 on 98.9 % of texts or more.
    """
    table = as_table(batch)
    named = pc.is_in(table["source"], pa.array(list(sources), pa.string()))
    judged = pc.and_(kept(table), pc.and_(_documents(table), pc.invert(named)))
    table = _judge(table, judged, Judged(rules=rules, limits=limits), lines)
    for source, how in sources.items():
        table = _judge(table, pc.and_(kept(table), pc.equal(table["source"], source)), how, lines)
    return table


def _documents(table: pa.Table) -> pa.ChunkedArray:
    """Rows that are no examples (they have no label), no messages, no rows of tables and no pictures."""
    labelled = pc.greater(pc.fill_null(pc.list_value_length(table["labels"].cast(PAIRS)), 0), 0)
    messages = pc.is_in(table["source"], pa.array(NOT_DOCUMENTS))
    return pc.invert(pc.or_(pc.or_(labelled, messages), wordless(table)))


def _judge(table: pa.Table, judged: pa.ChunkedArray, how: Judged, lines: bool) -> pa.Table:
    """Mark those of the judged rows that break a rule, with the first that they break."""
    rows = np.flatnonzero(judged.to_numpy())
    if not how.rules or not len(rows):
        return table
    texts = _plain(table["text"].take(rows), _is_markdown(table).take(rows))
    languages = numbers(meta(table, "lang").take(rows).to_numpy())
    found = measured(texts, languages, how.rules, how.limits)
    reason = np.full(table.num_rows, -1)
    for number, mask in reversed(list(enumerate(found.values()))):
        reason[rows[mask]] = number
    reasons = pa.array(list(found)).take(pa.array(reason, mask=reason < 0))
    table = with_column(table, "drop", pc.coalesce(table["drop"], reasons))
    return _without_lines(table, rows, how.limits) if lines and "c4" in how.rules else table


def _is_markdown(table: pa.Table) -> pa.ChunkedArray:
    """Texts that `extract` made, and those of files that say so."""
    named = pc.match_substring_regex(table["uri"], r"(?i)\.(md|markdown)($|[?#])")
    return pc.or_(pc.is_valid(meta(table, "extract_confidence")), named)


def _plain(texts: pa.ChunkedArray, markdown: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as the rules were made for: a sign of Markdown would be a word without a letter."""
    return pc.if_else(markdown, pc.replace_substring_regex(texts, MARKUP, ""), texts)


def measured(
    texts: pa.ChunkedArray, languages: Index, rules: tuple[Rule, ...], limits: Limits
) -> dict[str, Mask]:
    """reason -> which texts it drops, of every rule in its order; a text may break several.

    `languages` are numbers as in _quality/stop_words.py.
    """
    found: dict[str, list[Mask]] = {}
    done = 0
    for passage in passages(texts):
        text = Text(passage)
        for reason, mask in _ruled(text, languages[done : done + text.docs], rules, limits):
            found.setdefault(reason, []).append(mask)
        done += text.docs
    return {reason: np.concatenate(masks) for reason, masks in found.items()}


def _ruled(
    text: Text, languages: Index, rules: tuple[Rule, ...], limits: Limits
) -> Iterator[tuple[str, Mask]]:
    for rule in rules:
        if rule == "gopher":
            yield from gopher(text, limits, languages)
        else:
            yield from {"repetition": repetition, "c4": c4, "fineweb": fineweb}[rule](text, limits)


def _without_lines(table: pa.Table, rows: Index, limits: Limits) -> pa.Table:
    rows = np.intersect1d(rows, going(table))
    texts = [
        text for passage in passages(table["text"].take(rows)) for text in cleaned(Text(passage), limits)
    ]
    fresh = spread(pa.array(texts, pa.string()), rows, table.num_rows)
    return with_text(table, pc.coalesce(fresh, table["text"]))
