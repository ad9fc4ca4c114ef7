"""Settings outside their range are refused by name, value and choice, before a row is looked at."""

import pyarrow as pa
import pytest

from openflywheel.base import door
from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record

WRONG = [
    ("length", {"least": 9, "most": 2}, "least = 9, most = 2; give 0 <= least <= most"),
    ("length", {"least": -1}, "least = -1"),
    ("language", {"least": 3.0}, "least = 3.0, sample = 0; least is 0 to 1"),
    ("language", {"sample": -1}, "sample = -1"),
    ("toxicity", {"toxic": 9.0}, "toxic = 9.0"),
    ("toxicity", {"mentions": 0}, "mentions = 0; shares are 0 to 1, mentions 1 or more"),
    ("decontaminate", {"words": 0}, "words = 0, least = 8; give 1 or more"),
    ("decontaminate_semantic", {"similarity": 7.0}, "similarity = 7.0; a cosine is -1 to 1"),
    ("mojibake", {"lost": 5.0}, "lost = 5.0; give a share from 0 to 1"),
    (
        "quality_classifier",
        {"keep": 7.0, "examples": "a"},
        "keep = 7.0; give a share, more than 0",
    ),
    ("chunk", {"tokens": 1}, "tokens = 1"),
    ("enrich", {"keywords": -1}, "keywords = -1; give 0 or more"),
]


@pytest.mark.parametrize(("name", "given", "said"), WRONG, ids=[f"{n}-{next(iter(g))}" for n, g, _ in WRONG])
def test_a_value_outside_its_range(name, given, said):
    step = door.load("curate", name, given, dict.fromkeys(door.HANDED_IN))
    table = pa.Table.from_batches([to_batch([Record(text="a", source="t")], Record)])
    with pytest.raises(SettingsError, match=rf"^curate\.{name}: .*{said}"):
        step(table.append_column("drop", pa.nulls(1, pa.string())))


def test_media_without_words_are_not_judged_by_their_words():
    picture = Record(text="", source="files", parts=({"mime": "image/png", "uri": "a", "digest": "b"},))
    table = pa.Table.from_batches([to_batch([picture, Record(text="", source="files")], Record)])
    table = table.append_column("drop", pa.nulls(2, pa.string()))
    for name, reason in (("length", "too short"), ("quality", "gopher: too few words")):
        assert door.load("curate", name)(table)["drop"].to_pylist() == [None, reason]
