from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from openflywheel.base import door
from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.instruments.encoder import open_encoder
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Record
from openflywheel.curate.embed import embed
from openflywheel.curate.topics import topics

SHOP = {"returns": "sending goods back, refunds", "delivery": "when the parcel arrives, shipping costs"}


class Counting(NgramEncoder):
    """Notes how many texts it is given."""

    asked = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += len(texts)
        return super().encode(texts)


def batch(texts: list[str], drops: list[str | None] | None = None) -> pa.Table:
    rows = to_batch([Record(text=text, source="test", at=0.0) for text in texts], Record)
    return pa.Table.from_batches([
        rows.append_column("drop", pa.array(drops or [None] * len(texts), pa.string()))
    ])  # fmt: skip


def said(table: pa.Table) -> list[str | None]:
    found: list[str | None] = table["meta.topic"].to_pylist()
    return found


def test_each_text_has_the_nearest_topic_or_none() -> None:
    texts = ["I want to send this back for a refund", "Where is my parcel?", "Seven hills of Rome"]
    assert said(topics(batch(texts), topics=SHOP, encoder=open_encoder())) == ["returns", "delivery", None]


def test_at_the_lowest_bar_every_text_has_one() -> None:
    table = topics(batch(["zzz", ""]), topics={"a": "alpha"}, least=-1, encoder=NgramEncoder())
    assert said(table) == ["a", "a"]


def test_dropped_rows_have_none() -> None:
    assert said(topics(batch(["alpha"], ["before"]), topics={"a": "alpha"}, encoder=NgramEncoder())) == [None]


def test_the_vectors_of_embed_are_used() -> None:
    encoder = Counting()
    table = topics(
        embed(batch(["alpha", "beta"]), encoder=encoder), topics={"a": "alpha", "b": "beta"}, encoder=encoder
    )
    assert said(table) == ["a", "b"]
    assert encoder.asked == 4


def test_no_rows_are_no_problem() -> None:
    assert said(topics(batch([]), topics=SHOP, encoder=NgramEncoder())) == []


def test_without_topics_it_says_so() -> None:
    with pytest.raises(SettingsError, match="topics is empty"):
        topics(batch(["a"]), topics={}, encoder=NgramEncoder())


def test_the_door_knows_its_settings() -> None:
    step = door.load("curate", "topics", {"topics": {"a": "alpha"}}, {"encoder": NgramEncoder()})
    assert said(step(batch(["alpha"]))) == ["a"]
