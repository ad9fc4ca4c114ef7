"""Pictures that look like another one."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.base.errors import SettingsError
from openflywheel.base.instruments.columns import to_batch
from openflywheel.base.nouns import Record
from openflywheel.curate._whole import candidates, exploded, settled
from openflywheel.curate.image_duplicates import FARTHEST, image_duplicates

ONE = 0x0123456789ABCDEF


def rows(*hashes, texts=()):
    """A row for each hash (None: no picture), each newer than the one before."""
    said = [*texts, *[""] * (len(hashes) - len(texts))]
    records = [
        Record(text=text, source="files", uri=str(i), at=float(i), purposes=("training",),
               meta={} if h is None else {"phash": f"{h:016x}"})
        for i, (h, text) in enumerate(zip(hashes, said, strict=True))
    ]  # fmt: skip
    table = pa.Table.from_batches([to_batch(records, Record)])
    return table.append_column("drop", pa.nulls(len(records), pa.string()))


def stays(table, **settings):
    return [drop is None for drop in settled(image_duplicates(**settings), table)["drop"].to_pylist()]


def flipped(hash, *bits):
    for bit in bits:
        hash ^= 1 << bit
    return hash


def test_of_two_that_look_alike_the_newest_stays():
    table = rows(ONE, flipped(ONE, 0, 17, 40), ~ONE & (2**64 - 1))
    out = settled(image_duplicates(), table)
    assert out["drop"].to_pylist() == ["image_duplicates: looks like one that stays", None, None]
    assert out["meta.duplicate_of"].to_pylist() == [table["id"][1].as_py(), None, None]


def test_the_distance_is_a_bound():
    table = rows(ONE, flipped(ONE, 0, 17, 40))
    assert stays(table, distance=2) == [True, True]
    assert stays(table, distance=3) == [False, True]


def test_rows_with_a_text_or_without_a_picture_are_no_duplicates():
    assert stays(rows(ONE, ONE, None, None, texts=("a lamp",))) == [True, True, True, True]


@pytest.mark.parametrize("distance", [-1, FARTHEST + 1])
def test_a_distance_that_the_index_cannot_hold_is_refused(distance):
    with pytest.raises(SettingsError, match=f"distance = {distance}; choices: 0 to 7 bits"):
        image_duplicates(distance=distance)


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63), max_size=FARTHEST))
def test_no_pair_within_the_farthest_distance_is_missed(hash, bits):
    sketches = image_duplicates().sketch(rows(hash, flipped(hash, *bits)))
    assert candidates(*exploded(sketches)).tolist() == [[0, 1]]


def test_pictures_that_have_nothing_in_common_are_seldom_compared():
    rng = np.random.default_rng(0)
    sketches = image_duplicates().sketch(rows(*map(int, rng.integers(0, 2**63, 300))))
    assert len(candidates(*exploded(sketches))) < 0.08 * 300 * 299 / 2


def test_it_can_be_sent_to_other_processes():
    assert pickle.loads(pickle.dumps(image_duplicates())).heavy == ()
