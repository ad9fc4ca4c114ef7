"""One hash of another: the finaliser of SplitMix64."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from openflywheel.curate._mixing import mixed

MASK = (1 << 64) - 1
hashes = st.integers(0, MASK)


def splitmix(z: int) -> int:
    """As Steele et al. 2014 write it, in whole numbers."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


@given(st.lists(hashes, max_size=20))
def test_it_is_the_papers(values):
    given = np.array(values, np.uint64)
    before = given.copy()
    found = mixed(given)
    assert found.tolist() == [splitmix(value) for value in values]
    assert found.dtype == np.uint64
    assert np.array_equal(given, before)


def test_its_known_stream():
    """The first outputs of SplitMix64 seeded with 0, as java.util.SplittableRandom gives them."""
    states = np.arange(1, 4, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert [f"{n:x}" for n in mixed(states).tolist()] == [
        "e220a8397b1dcdaf",
        "6e789e6aa1b965f4",
        "6c45d188009454f",
    ]


@given(st.sets(hashes, min_size=2, max_size=50))
def test_others_stay_others(values):
    assert len(np.unique(mixed(np.array(sorted(values), np.uint64)))) == len(values)


def test_every_bit_moves_about_half_of_all():
    values = np.random.default_rng(1).integers(0, MASK, 500, np.uint64, endpoint=True)
    for bit in range(64):
        turned = mixed(values) ^ mixed(values ^ np.uint64(1 << bit))
        share = np.unpackbits(turned.view(np.uint8)).mean()
        assert 0.47 < share < 0.53
