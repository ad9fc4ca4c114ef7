from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from openflywheel.base import door
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.instruments.ngrams import NgramEncoder
from openflywheel.base.nouns import Record
from openflywheel.curate import decontaminate_semantic as module
from openflywheel.curate._holdouts import name_of, report
from openflywheel.curate.decontaminate_semantic import CLOSE, decontaminate_semantic

HOLDOUT = ["where is my order", "cancel my order"]


class Angles:
    """A text of a number is the unit vector at so many degrees."""

    name, width = "angles", 2

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen += texts
        at = np.deg2rad([float(text) for text in texts])
        return np.stack([np.cos(at), np.sin(at)], axis=1).astype(np.float32)


def batch(texts: Sequence[str], purposes: tuple[str, ...] = ("training",)) -> pa.Table:
    table = pa.Table.from_batches(
        [to_batch([Record(text=t, source="test", purposes=purposes) for t in texts], Record)]
    )
    return table.append_column("drop", pa.nulls(len(texts), pa.string()))


def drops(texts: Sequence[str], holdout: Sequence[str], similarity: float = 0.95) -> list[str | None]:
    done = decontaminate_semantic(
        batch(texts), similarity=similarity, encoder=Angles(), holdouts=lambda: holdout
    )
    found: list[str | None] = done["drop"].to_pylist()
    return found


def test_what_is_near_enough_goes() -> None:
    assert drops(["0", "59", "60", "61"], ["0"], similarity=0.5) == [CLOSE, CLOSE, CLOSE, None]


def test_the_nearest_is_named_and_the_first_of_equals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 1)
    done = decontaminate_semantic(
        batch(["9", "5"]), similarity=0.9, encoder=Angles(), holdouts=lambda: ["10", "0", "10.0"]
    )
    assert report([done]) == {name_of("10"): 1, name_of("0"): 1}


def test_words_in_another_order_are_close_to_a_real_encoder() -> None:
    done = decontaminate_semantic(
        batch(["Where is my order?", "I want to pay by card"]), similarity=0.7,
        encoder=NgramEncoder(), holdouts=lambda: HOLDOUT,
    )  # fmt: skip
    assert done["drop"].to_pylist() == [CLOSE, None]
    assert report([done]) == {name_of("where is my order"): 1}


def test_the_holdout_is_encoded_once_and_rows_that_never_teach_not_at_all() -> None:
    encoder = Angles()
    for purposes in (("training",), ("evaluation",), ("training",)):
        decontaminate_semantic(batch(["90"], purposes), encoder=encoder, holdouts=lambda: ["0", "1", "1"])
    assert encoder.seen == ["0", "1", "90", "90"]


@pytest.mark.parametrize("holdout", [[], ["", " "]])
def test_a_holdout_without_texts_takes_nothing(holdout: list[str]) -> None:
    assert drops(["0"], holdout) == [None]
    assert drops([], ["0"]) == []


degrees = st.integers(0, 359).map(str)


@settings(deadline=None)
@given(st.lists(degrees, max_size=6), st.lists(degrees, max_size=4), st.sampled_from([-0.5, 0.1, 0.5, 0.95]))
def test_a_row_goes_if_and_only_if_a_text_is_near(
    rows: list[str], holdout: list[str], similarity: float
) -> None:
    near = [
        any(round(np.cos(np.deg2rad(float(r) - float(h))), 5) >= similarity for h in holdout) for r in rows
    ]
    assert [d is not None for d in drops(rows, holdout, similarity - 1e-5)] == near


def test_the_door_hands_encoder_and_holdouts_in() -> None:
    assert door.describe("curate", "decontaminate_semantic").handed == ("encoder", "holdouts")
