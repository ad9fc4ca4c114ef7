import pickle
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base import door
from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._whole import settled
from openflywheel.curate.contradictions import contradictions

REASON = "contradictions: another text says otherwise"
THIRTY = "Our policy is simple. Returns are accepted within 30 days of delivery. Write to us."
FOURTEEN = "You may send it back. Returns are accepted within 14 days of delivery."


def record(text: str, day: int = 0, **fields: Any) -> Record:
    return Record(**{"text": text, "source": "shop", "at": float(day * 86_400), **fields})


def marks(*records: Record, **given: Any) -> list[tuple[int | None, bool]]:
    """For each row: which row contradicts it, and whether it was dropped."""
    rows = to_batch(records, Record)
    table = pa.Table.from_batches([rows.append_column("drop", pa.nulls(len(records), pa.string()))])
    table = settled(contradictions(**given), table)
    ids = [r.id for r in records]
    by = (
        table["meta.contradicted_by"].to_pylist()
        if "meta.contradicted_by" in table.column_names
        else [None] * len(ids)
    )
    assert set(table["drop"].to_pylist()) <= {None, REASON}
    return [
        (ids.index(b) if b else None, bool(d)) for b, d in zip(by, table["drop"].to_pylist(), strict=True)
    ]


def differ(one: str, other: str) -> bool:
    return marks(record(one, 1), record(other, 2)) == [(1, False), (None, False)]


def test_the_older_text_is_marked_with_the_newer_one() -> None:
    assert marks(record(THIRTY, 1), record(FOURTEEN, 2)) == [(1, False), (None, False)]
    assert marks(record(THIRTY, 3), record(FOURTEEN, 2)) == [(None, False), (0, False)]


def test_it_is_dropped_where_that_is_wanted() -> None:
    assert marks(record(THIRTY, 1), record(FOURTEEN, 2), drop=True) == [(1, True), (None, False)]


def test_the_day_of_publication_goes_before_that_of_fetching() -> None:
    old = record(THIRTY, 9, meta={"published": "1970-01-02"})
    assert marks(old, record(FOURTEEN, 5)) == [(1, False), (None, False)]


def test_the_more_credible_text_may_be_right() -> None:
    trusted, newer = record(THIRTY, 1, meta={"credibility": "0.9"}), record(FOURTEEN, 2)
    assert marks(trusted, newer, trust="credible", drop=True) == [(None, False), (0, True)]
    assert marks(trusted, newer, drop=True) == [(1, True), (None, False)]


def test_between_equals_both_are_marked_and_none_is_dropped() -> None:
    assert marks(record(THIRTY), record(FOURTEEN), drop=True) == [(1, False), (0, False)]


def test_the_best_of_several_is_named() -> None:
    ten = "Returns are accepted within 10 days of delivery."
    assert marks(record(THIRTY, 1), record(FOURTEEN, 2), record(ten, 3)) == [
        (2, False),
        (2, False),
        (None, False),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sale items can be returned to our shop.", "Sale items cannot be returned to our shop."),
        ("Sale items can be returned to our shop.", "Sale items can't be returned to our shop."),
        ("We accept returns of opened software boxes.", "We do not accept returns of opened software boxes."),
        ("Opened boxes are accepted at the desk.", "Opened boxes aren’t accepted at the desk."),  # noqa: RUF001
        ("Shipping to Belgium costs $5 for every order.", "Shipping to Belgium costs $7.50 for every order."),
        ("Shipping to Belgium costs $5 for every order.", "Shipping to Belgium costs €5 for every order."),
        ("The summer offer for shoes ends on 2026-08-31.", "The summer offer for shoes ends on 2026-09-15."),
        ("Der Umtausch von Waren ist möglich.", "Der Umtausch von Waren ist nicht möglich."),
        (
            "Die Rückgabe ist innerhalb von 30 Tagen möglich.",
            "Die Rückgabe ist innerhalb von 14 Tagen möglich.",
        ),
        ("商品可以在30天内退货。", "商品可以在14天内退货。"),
    ],
)
def test_figures_prices_days_and_negations(one: str, other: str) -> None:
    assert differ(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (THIRTY, THIRTY + " And more."),
        ("Every order above 1,000 euros ships for free.", "Every order above 1000 euros ships for free."),
        ("In 2019 our revenue was 5 million euros.", "In 2020 our revenue was 6 million euros."),
        (
            "For details see section 4.1 of this long manual.",
            "For details see section 7.2 of this long manual.",
        ),
        (
            "It has been there since the great release 3.12.1 came.",
            "It has been there since the great release 3.9.4 came.",
        ),
        ("This page was last modified on 2021-11-10.", "This page was last modified on 2022-12-27."),
        ("Costs 5 euros.", "Costs 6 euros."),
        (
            "Returns are accepted within 30 days of delivery.",
            "Returns are accepted within 14 days of purchase.",
        ),
        ("", ""),
    ],
)
def test_what_does_not_contradict(one: str, other: str) -> None:
    assert not differ(one, other)


def test_a_sentence_with_several_values_in_one_text_is_a_pattern() -> None:
    rows = "\n".join(f"Size {n} is in stock with {n} pieces left" for n in (3, 4))
    assert marks(record(rows, 1), record("Size 9 is in stock with 2 pieces left", 2))[0] == (None, False)


def test_texts_about_different_things_do_not_meet() -> None:
    a, b = "The box holds 12 pieces of the product.", "The box holds 24 pieces of the product."
    assert (
        marks(record(a, 1, meta={"entities": "p-1; p-2"}), record(b, 2, meta={"entities": "p-3"}))[0][0]
        is None
    )
    assert (
        marks(record(a, 1, meta={"entities": "p-1; p-2"}), record(b, 2, meta={"entities": "p-2"}))[0][0] == 1
    )
    assert marks(record(a, 1, meta={"entities": "p-1"}), record(b, 2))[0][0] == 1


def test_parts_of_one_document_do_not_meet() -> None:
    assert marks(record(THIRTY, 1, parents=("d",)), record(FOURTEEN, 2, parents=("d",)))[0] == (None, False)
    assert marks(record(THIRTY, 1, parents=("d",)), record(FOURTEEN, 2, parents=("e",)))[0] == (1, False)


texts = st.lists(
    st.sampled_from([THIRTY, FOURTEEN, "Returns are accepted within 10 days of delivery.", "Nothing here."]),
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(texts, st.randoms())
def test_the_order_of_the_rows_does_not_matter(said: list[str], random: Any) -> None:
    records = [record(text, n // 2, uri=str(n)) for n, text in enumerate(said)]
    shuffled = random.sample(records, len(records))

    def by_id(rows: list[Record]) -> dict[str, tuple[str | None, bool]]:
        found = marks(*rows, drop=True)
        return {r.id: (None if b is None else rows[b].id, d) for r, (b, d) in zip(rows, found, strict=True)}

    assert by_id(records) == by_id(shuffled)


def test_few_sentences_of_long_texts_are_the_same_ones() -> None:
    filler = [
        f"Here we say something about the {word} of our company."
        for word in ("cat", "dog", "cow", "ox", "hen")
    ]
    one, other = "\n".join([*filler, THIRTY]), "\n".join([FOURTEEN, *reversed(filler)])
    assert differ(one, other)
    step = contradictions(most=2)
    keys = [set(settled_keys(step, text)) for text in (one, other)]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 2


def settled_keys(step: Any, text: str) -> list[int]:
    rows = to_batch([record(text)], Record)
    found: list[int] = step.sketch(pa.Table.from_batches([rows]))["keys"][0].as_py()
    return found


def test_it_can_travel_to_another_machine_and_knows_its_settings() -> None:
    step = door.load("curate", "contradictions", {"trust": "credible", "drop": True})()
    assert pickle.loads(pickle.dumps(step)).heavy == step.heavy
    with pytest.raises(SettingsError, match="most = 0"):
        contradictions(most=0)
