# ruff: noqa: RUF001  punctuation of other scripts
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._tokens import tokens
from openflywheel.curate.toxicity import flagged, listed, toxicity

CALM = "We are sorry to hear that the parcel is late and will look into it at once. " * 4
ABUSE = "Shut the fuck up, you asshole. You are a piece of shit, asshole."
SPAM = "Free porn, xxx and gangbang: live sex cams with milfs"
PAIRS = Path(__file__).parents[3] / "shared/data/hh_rlhf/harmless-base-test.jsonl.gz"


def batch(some: list[str], drop: str | None = None) -> pa.Table:
    records = pa.Table.from_batches([to_batch([Record(text=text, source="test") for text in some], Record)])
    return records.append_column("drop", pa.array([drop] * len(some), pa.string()))


def test_texts_full_of_abuse_or_pornography_are_dropped() -> None:
    table = toxicity(batch([ABUSE, SPAM, CALM]))
    assert table["drop"].to_pylist() == ["toxicity: toxic", "toxicity: adult", None]


def test_shares_are_of_words_and_phrases_count_with_all_of_theirs() -> None:
    table = toxicity(batch(["You asshole, go.", "That piece of shit!", CALM]))
    assert table["meta.toxicity"].to_pylist() == ["0.333", "0.750", "0.000"]
    assert table["meta.adult"].to_pylist() == ["0.000"] * 3


def test_a_single_mention_drops_nothing() -> None:
    assert toxicity(batch(["asshole", f"He wrote: asshole. {CALM}"]))["drop"].to_pylist() == [None, None]


def test_many_mentions_in_a_long_text_drop_nothing() -> None:
    long = "asshole asshole asshole asshole " + CALM * 20
    assert toxicity(batch([long]))["drop"].to_pylist() == [None]
    assert toxicity(batch([long]), toxic=0.001)["drop"].to_pylist() == ["toxicity: toxic"]


@pytest.mark.parametrize(
    "text",
    [
        "ARSCHLOCH! Arschlöcher, ihr Arschlöcher",
        "傻逼去死，傻逼",
        "死ね死ね死ね",
        "शर्म कर मादरचोद, हरामी, चूतिया",
        "сука, мразь, сдохни",
    ],
)
def test_abuse_in_other_languages_is_found(text: str) -> None:
    assert toxicity(batch([text]))["drop"].to_pylist() == ["toxicity: toxic"]


@pytest.mark.parametrize(
    "text",
    [
        "Breast cancer, the vagina, the penis and safe sex are things to ask a doctor about.",
        "The Scunthorpe museum of Essex shows classic cocktails and Dickens.",
        "Slut på programmet. Faget er matematikk. Cum este vremea?",
        "Troy, la ville de Troie; le train a du retard; a retarded potential; the dyke held.",
    ],
)
def test_words_with_another_meaning_are_not_on_the_lists(text: str) -> None:
    table = toxicity(batch([text]))
    assert (table["meta.toxicity"][0].as_py(), table["meta.adult"][0].as_py()) == ("0.000", "0.000")


def test_a_phrase_is_not_found_across_two_texts() -> None:
    assert toxicity(batch(["drop", "dead", "drop dead"]))["meta.toxicity"].to_pylist() == [
        "0.000",
        "0.000",
        "1.000",
    ]


def test_dropped_rows_are_not_looked_at_and_no_rows_are_no_problem() -> None:
    table = toxicity(batch([ABUSE], drop="before"))
    assert (table["drop"].to_pylist(), table["meta.toxicity"].to_pylist()) == (["before"], [None])
    assert toxicity(batch([])).num_rows == 0


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["shut the fuck up", "kill yourself", "kill", "the", "up", "傻逼", "傻", "ok"]))
)
def test_flags_are_those_that_a_plain_search_finds(words: list[str]) -> None:
    text = " ".join(words)
    found = tokens(pa.array([text])).words()
    names = [text[a : a + n] for a, n in zip(found.starts.tolist(), found.lengths.tolist(), strict=True)]
    entries = [["shut", "the", "fuck", "up"], ["kill", "yourself"], ["fuck"], ["傻", "逼"]]
    expected = {
        i + step
        for entry in entries
        for i in range(len(names) - len(entry) + 1)
        if names[i : i + len(entry)] == entry
        for step in range(len(entry))
    }
    assert set(flagged(found, "toxic").nonzero()[0].tolist()) == expected


@pytest.mark.parametrize("name", ["toxic", "adult"])
def test_no_entry_is_empty_or_there_twice(name: str) -> None:
    _, phrases = listed(name)
    assert min(phrases) == 1
    assert all(len(set(known.tolist())) == len(known) for known in phrases.values())


@pytest.mark.skipif(not PAIRS.exists(), reason="../shared/data/hh_rlhf is not here")
def test_the_worse_of_two_answers_is_flagged_more_often() -> None:
    pairs = [json.loads(line) for line in gzip.decompress(PAIRS.read_bytes()).splitlines()]
    better, worse = (
        toxicity(batch([pair[side].rsplit("Assistant:", 1)[1] for pair in pairs]))[
            "meta.toxicity"
        ].to_pylist()
        for side in ("chosen", "rejected")
    )
    flags = [(float(b) > 0, float(w) > 0) for b, w in zip(better, worse, strict=True)]
    only_better, only_worse = sum(b and not w for b, w in flags), sum(w and not b for b, w in flags)
    assert only_worse > 2 * only_better
