"""Counting a dataset, and telling it."""

import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Row
from openflywheel.curate import _card
from openflywheel.curate._card import Card, counted, markdown, most_common, tokens_of


def row(text="some words", **fields):
    return Row(**{"text": text, "source": "s"} | fields)


def batch(*rows):
    return pa.Table.from_batches([to_batch(rows, Row)])


def front(card):
    return yaml.safe_load(markdown(card).split("---\n")[1])


def test_rows_are_counted_by_what_they_say():
    found = counted([batch(
        row(license="MIT", subject="ann", role="train", weight=2.0, labels={"route": "x", "tone": "y"}),
        row(region="EU", subject="ann", role="train", labels={"route": "x"}, meta={"lang": "de"}),
        row("one", basis="consent", subject="bob", role="holdout", weight=5.0, meta={"synthetic": "yes"}),
        row("", source="t", role="validation", meta={"synthetic": "", "lang": "de"}),
    )])  # fmt: skip
    assert found == {
        "rows": 4,
        "tokens": 5,
        "weight": 3.0,
        "subjects": 2,
        "synthetic": 0.25,
        "counts": {
            "source": {"s": 3, "t": 1},
            "license": {"(none)": 3, "MIT": 1},
            "region": {"(none)": 3, "EU": 1},
            "basis": {"(none)": 3, "consent": 1},
            "role": {"train": 2, "holdout": 1, "validation": 1},
            "language": {"(none)": 2, "de": 2},
            "label": {"route: x": 2, "tone: y": 1},
        },
    }


def test_nothing_is_counted_as_nothing():
    found = counted([])
    assert (found["rows"], found["tokens"], found["synthetic"]) == (0, 0, 0.0)
    assert counted([batch()]) == found


@settings(deadline=None)
@given(
    st.lists(st.builds(row, text=st.sampled_from(["a b", "", "c"]), subject=st.sampled_from(["", "p", "q"]))),
    st.integers(1, 4),
)
def test_batches_make_no_difference(rows, size):
    parts = [batch(*rows[start : start + size]) for start in range(0, len(rows), size)]
    assert counted(parts) == counted([batch(*rows)])


def test_tokens_are_those_that_chunk_has_counted_else_words():
    table = batch(
        row("one two three", meta={"tokens": "7"}), row("one two"), row("x", meta={"tokens": "many"})
    )
    assert tokens_of(table).to_pylist() == [7, 2, 1]
    assert tokens_of(table.append_column("tokens", pa.array([1, 2, 3]))).to_pylist() == [1, 2, 3]


def test_of_very_many_values_the_most_frequent_are_told(monkeypatch):
    monkeypatch.setattr(_card, "MOST", 2)
    assert most_common({"c": 1, "b": 1, "a": 5, "d": 1}) == {"a": 5, "b": 1, "(others)": 2}
    assert most_common({"b": 1, "a": 1}) == {"a": 1, "b": 1}


def test_the_front_matter_is_the_hubs():
    counts = {"language": {"de": 3, "(none)": 1}, "license": {"(none)": 4}}
    card = Card(name="desk", version="v", rows=4, counts=counts, synthetic=0.5)
    assert front(card) == {
        "pretty_name": "desk",
        "version": "v",
        "language": ["de"],
        "license": [],
        "size_categories": ["n<1K"],
        "tags": ["openflywheel", "synthetic"],
    }


@pytest.mark.parametrize(
    ("rows", "size"),
    [(0, "n<1K"), (1_000, "1K<n<10K"), (999_999, "100K<n<1M"), (10**6, "1M<n<10M"), (10**10, "n>1B")],
)
def test_sizes_are_the_hubs(rows, size):
    assert front(Card(name="x", version="v", rows=rows))["size_categories"] == [size]


def test_a_page_says_what_is_known_and_nothing_else():
    card = Card(
        name="desk", version="abc", rows=1_234, tokens=5_678, subjects=9, recipe_hash="r1",
        counts={"source": {"crawl": 1_234}, "region": {"(none)": 1_234}}, dropped={"too short": 3},
        recipe=({"name": "normalise", "settings": {}}, {"name": "length", "settings": {"least": 3}}),
        tables={"rows": 7},
    )  # fmt: skip
    page = markdown(card)
    assert "# desk\n" in page
    assert "1,234 rows, 5,678 tokens, 9 subjects, 0.0% synthetic" in page
    assert 'DeltaTable("rows", version=7)' in page
    assert "| source | rows |\n|---|---:|\n| crawl | 1,234 |\n" in page
    assert "| too short | 3 |" in page
    assert "region" not in page
    assert page.endswith("## Recipe `r1`\n\n```yaml\n- normalise\n- length:\n    least: 3\n```\n")


def test_what_sources_wrote_cannot_break_the_page():
    card = Card(name="x", version="v", counts={"source": {"a|b\n<script>&": 1}})
    assert "| a\\|b &lt;script>&amp; | 1 |" in markdown(card)


def test_a_name_is_quoted_where_yaml_needs_it():
    assert front(Card(name="yes: [no]", version="1e3"))["pretty_name"] == "yes: [no]"
