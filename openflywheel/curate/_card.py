"""What a dataset is made of: counted, and told to people.

The Markdown is a dataset card as Hugging Face's hub reads them (https://huggingface.co/docs/hub/datasets-cards):
YAML on top, then text.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml
from msgspec import Struct

from openflywheel.curate._batches import meta
from openflywheel.curate._nouns import PAIRS, whole
from openflywheel.curate._rows import SYNTHETIC
from openflywheel.curate._wordcount import word_counts

PLAIN = ("source", "license", "region", "basis", "role")
LIGHT = (*PLAIN, "subject", "labels", "meta", "weight", "tokens")  # columns that are counted; texts are not
MOST = 1_000  # different values of one kind that are told; the rest stands under OTHERS
NONE, OTHERS = "(none)", "(others)"
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000)  # the hub's categories


class Card(Struct, frozen=True, kw_only=True):
    """A dataset in figures.

    counts: rows by source, license, region, basis, role, language and label ("task: label").
    tokens: by the tokenizer that `chunk` was told, else words. weight: sum over training rows.
    subjects: different people. synthetic: share of the rows that a model wrote.
    dropped: rows by reason; waiting: those of them that would come back, but whose text is not kept.
    recipe: the steps with their settings, `recipe_hash` its name. tables: version of each Delta table.
    """

    name: str
    version: str
    recipe: tuple[dict[str, Any], ...] = ()
    recipe_hash: str = ""
    rows: int = 0
    tokens: int = 0
    weight: float = 0.0
    subjects: int = 0
    synthetic: float = 0.0
    counts: dict[str, dict[str, int]] = {}
    dropped: dict[str, int] = {}
    waiting: int = 0
    tables: dict[str, int] = {}
    created_at: float = 0.0


def counted(batches: Iterable[pa.Table]) -> dict[str, Any]:
    """The figures of Rows, by the names of Card's fields.

    Only the columns `LIGHT` are looked at; without "tokens" among them, words are counted in the texts.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in (*PLAIN, "language", "label")}
    people: set[str] = set()
    rows = words = made = 0
    weight = 0.0
    for batch in batches:
        rows += batch.num_rows
        words += pc.sum(tokens_of(batch)).as_py() or 0
        made += pc.sum(pc.greater(pc.binary_length(meta(batch, SYNTHETIC)), 0)).as_py() or 0
        weight += pc.sum(pc.if_else(pc.equal(batch["role"], "train"), batch["weight"], 0.0)).as_py() or 0.0
        people.update(pc.unique(batch["subject"]).to_pylist())
        for name in PLAIN:
            counts[name].update(_values(batch[name]))
        counts["language"].update(_values(meta(batch, "lang")))
        counts["label"].update(_labels(batch["labels"]))
    return {
        "rows": rows,
        "tokens": words,
        "weight": weight,
        "subjects": len(people - {"", None}),
        "synthetic": made / rows if rows else 0.0,
        "counts": {name: most_common(found) for name, found in counts.items()},
    }


def tokens_of(batch: pa.Table) -> pa.Array:
    """Tokens of each row, int64: as the step `chunk` counted them, else the words of its text."""
    if "tokens" in batch.column_names:
        return whole(batch["tokens"])
    told = whole(meta(batch, "tokens"))
    number = pc.if_else(pc.match_substring_regex(told, r"^\d{1,15}$"), told, None).cast(pa.int64())
    if not number.null_count:
        return number
    return pc.coalesce(number, pa.array(word_counts(batch["text"])))


def _values(column: pa.ChunkedArray) -> dict[str, int]:
    found = pc.value_counts(column).to_pylist()
    return _added((entry["values"] or NONE, entry["counts"]) for entry in found)


def _labels(column: pa.ChunkedArray) -> dict[str, int]:
    flat = pc.list_flatten(whole(column).cast(PAIRS))
    said = pc.binary_join_element_wise(flat.field("key"), flat.field("value"), ": ")
    return {
        entry["values"]: entry["counts"] for entry in pc.value_counts(said).to_pylist() if entry["values"]
    }


def _added(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """ "" and null are one."""
    found: Counter[str] = Counter()
    for name, number in pairs:
        found[name] += number
    return found


def most_common(found: Mapping[str, int]) -> dict[str, int]:
    """The most frequent first, equals by name; those beyond `MOST` as one."""
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = sum(number for _, number in ranked[MOST:])
    return dict(ranked[:MOST]) | ({OTHERS: rest} if rest else {})


def markdown(card: Card) -> str:
    """The card as a page."""
    front = yaml.safe_dump(_front(card), sort_keys=False, allow_unicode=True)
    parts = [
        f"---\n{front}---\n\n# {card.name}\n",
        f"Version `{card.version}`, made {datetime.fromtimestamp(card.created_at, UTC):%Y-%m-%d %H:%M} UTC: "
        f"{card.rows:,} rows, {card.tokens:,} tokens, {card.subjects:,} subjects, "
        f"{card.synthetic:.1%} synthetic.\n",
        f'Read it with Delta Lake: `DeltaTable("rows", version={card.tables.get("rows", 0)})`; what was left '
        "out, and why, is in `dropped`.\n",
        *(_table(name, found) for name, found in card.counts.items() if set(found) - {NONE}),
        _table("reason to drop", card.dropped) if card.dropped else "",
        _recipe(card),
    ]
    return "\n".join(part for part in parts if part)


def _front(card: Card) -> dict[str, Any]:
    known = {
        name: [v for v in card.counts.get(name, {}) if v not in (NONE, OTHERS)]
        for name in (*PLAIN, "language")
    }
    size = next((f"n<{_short(SIZES[0])}" if n == 0 else f"{_short(SIZES[n - 1])}<n<{_short(s)}"
                 for n, s in enumerate(SIZES) if card.rows < s), "n>1B")  # fmt: skip
    return {
        "pretty_name": card.name,
        "version": card.version,
        "language": known["language"],
        "license": known["license"],
        "size_categories": [size],
        "tags": ["openflywheel", *(["synthetic"] if card.synthetic else [])],
    }


def _short(number: int) -> str:
    """ "10K", as the hub writes sizes."""
    for unit, size in (("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if number >= size:
            return f"{number // size}{unit}"
    return str(number)


def _table(title: str, counts: Mapping[str, int]) -> str:
    lines = [f"| {_cell(name)} | {number:,} |" for name, number in counts.items()]
    return "\n".join([f"| {title} | rows |", "|---|---:|", *lines, ""])


def _cell(text: str) -> str:
    """What sources wrote must not break the table, or be HTML."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")


def _recipe(card: Card) -> str:
    if not card.recipe:
        return ""
    steps = yaml.safe_dump([{s["name"]: s["settings"]} if s["settings"] else s["name"] for s in card.recipe],
                           sort_keys=False, allow_unicode=True)  # fmt: skip
    return f"## Recipe `{card.recipe_hash}`\n\n```yaml\n{steps}```\n"
