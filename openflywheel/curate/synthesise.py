"""Let a model write questions and paraphrases of some texts, as rows that say so."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from openflywheel.base.errors import SettingsError
from openflywheel.base.ids import content_id, share_of
from openflywheel.base.instruments.columns import schema_of
from openflywheel.base.nouns import Record
from openflywheel.curate._batches import META, Batch, as_table, kept, meta
from openflywheel.curate._engine.batches import ORIGIN
from openflywheel.curate._enrich.answers import fault
from openflywheel.curate._enrich.asking import Kind, prompt

LONGEST = 20_000  # characters of an answer that are looked at
KIND, MODEL = META + "synthetic", META + "synthetic_by"


Ask = Callable[[str], str]


class AskAny(Protocol):
    """Configured models: a prompt to the answer of one of them."""

    def __call__(self, prompt: str, /, *, model: str) -> str: ...


def synthesise(
    batch: Batch,
    *,
    model: str,
    kinds: tuple[Kind, ...] = ("question", "paraphrase"),
    per_row: int = 1,
    most_share: float = 0.2,
    ask: AskAny,
) -> pa.Table:
    """Add, after a chosen row, `per_row` rows that a model wrote about it.

    model: who writes, "provider/model", with a provider of serve.providers. kinds: what is written, in turn.
    most_share: synthetic rows against real ones. A row is chosen by a hash of its id, with the chance that
        gives this share, whatever stands beside it.

    The new rows have the facts "synthetic" (the kind) and "synthetic_by" (the model), the row as a parent,
    and its license, subject, basis, region and end. They may only teach: rows that may not teach, or that
    are held out or validate, are not chosen, and the purpose "evaluation" is not handed on. A paraphrase has
    the row's labels, with nobody's authority; a question has none. Put this step before the filters: what was
    written passes them as well.

    An answer is kept only if it is short enough, is no copy, shares enough of its words with the text and has
    no figure that the text lacks; else it is dropped: "synthesise: empty", "... too long", "... a copy",
    "... figures of its own", "... not grounded". The text is data in the prompt, between marks that it cannot
    contain (prompt injection: Greshake et al. 2023, arXiv:2302.12173). Paraphrases as data: Maini et al.
    2024, arXiv:2401.16380; questions with a check: Alberti et al. 2019, arXiv:1906.05416. Raises
    SettingsError, and AskFailed when the model does not answer.
    """
    if not kinds or per_row < 1 or not 0 <= most_share <= per_row:
        raise SettingsError(
            f"curate.synthesise: kinds = {kinds}, per_row = {per_row}, most_share = {most_share}; "
            "give a kind, one row or more, and a share from 0 to per_row"
        )
    table = as_table(batch)
    chosen = _chosen(table, most_share / per_row)
    rows = table.select([*schema_of(Record).names, "drop"]).take(chosen).to_pylist()
    made = [list(_written(row, kinds, per_row, partial(ask, model=model))) for row in rows]
    return _with_rows(table, chosen, made, model)


def _chosen(table: pa.Table, chance: float) -> pa.Array:
    """The places of rows that something is written about; never of rows that a model wrote."""
    going = pc.and_(kept(table), pc.is_null(meta(table, "synthetic")))
    going = pc.and_(going, pc.match_substring_regex(table["text"], r"[\pL\pN]"))
    if "role" in table.column_names:
        going = pc.and_(going, pc.is_in(table["role"], pa.array([None, "train"], pa.string())))
    purposes = table["purposes"].to_pylist()
    fits = (
        row
        for row, (goes, name) in enumerate(zip(going.to_pylist(), table["id"].to_pylist(), strict=True))
        if goes and "training" in purposes[row] and share_of(name, "synthesise") < chance
    )
    return pa.array(fits, pa.int64())


def _written(row: dict[str, Any], kinds: Sequence[Kind], number: int, ask: Ask) -> Iterator[dict[str, Any]]:
    for n in range(number):
        kind: Kind = kinds[n % len(kinds)]
        text = ask(prompt(kind, row["text"], row["id"], n // len(kinds)))[:LONGEST].strip()
        yield row | {
            "id": content_id(row["id"], "synthesise", kind, str(n), text),
            "text": text,
            "parts": [],
            "parents": [row["id"]],
            "purposes": [purpose for purpose in row["purposes"] if purpose != "evaluation"],
            "labels": row["labels"] if kind == "paraphrase" else [],
            "labelled_by": "",
            "drop": fault(kind, text, row["text"]),
            KIND: kind,
        }


def _with_rows(
    table: pa.Table, chosen: pa.Array, made: Sequence[Sequence[dict[str, Any]]], model: str
) -> pa.Table:
    """The table with the new rows right after those they are about, without what steps found out of these."""
    for name in (KIND, MODEL):
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    new = [row | {MODEL: model, "role": "train"} for rows in made for row in rows]
    about = np.repeat(chosen.to_numpy(), [len(rows) for rows in made])
    rows = pa.Table.from_pylist(new, table.schema)
    if ORIGIN in table.column_names:  # the engine follows rows by it
        rows = rows.set_column(rows.column_names.index(ORIGIN), ORIGIN, table[ORIGIN].take(about))
    both = pa.concat_tables([table, rows])
    return both.take(np.argsort(np.concatenate([np.arange(table.num_rows), about]), kind="stable"))
