"""Packing undone, piece by piece, under caps."""

import gzip
import random
import tracemalloc
import zlib

import pytest

from openflywheel.collect._web import decode
from openflywheel.collect._web.decode import Body
from openflywheel.collect._web.errors import FetchFailed

URL = "http://example.com/"
TEXT = b"".join(b"Row %d of a table that is packed. " % i for i in range(4_000))
PACKED = gzip.compress(TEXT)


def raw(data: bytes) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packing.compress(data) + packing.flush()


def bomb(megabytes: int) -> bytes:
    packing, zeros = zlib.compressobj(9, zlib.DEFLATED, 31), bytes(1_000_000)
    return b"".join(packing.compress(zeros) for _ in range(megabytes)) + packing.flush()


def unpacked(packed: bytes, encoding: str, step: int = 0, most: int = 10_000_000) -> bytes:
    body = Body(encoding, most, URL)
    for start in range(0, len(packed), step or len(packed) or 1):
        body.feed(packed[start : start + (step or len(packed))])
    return body.whole()


@pytest.mark.parametrize("step", [0, 1, 7, 5_000])
@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw),
        ("identity, gzip", gzip.compress),
        ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
        ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
    ],
    ids=[
        "none",
        "identity",
        "gzip",
        "GZIP",
        "x-gzip",
        "zlib",
        "raw",
        "named",
        "two",
        "gzip in gzip",
    ],
)
def test_every_packing_gives_what_was_packed_however_it_comes(encoding, pack, step):
    assert unpacked(pack(TEXT), encoding, step) == TEXT


def test_random_bytes_of_many_lengths_survive():
    draw = random.Random(0)
    for length in (0, 1, 2, 16_383, 16_384, 16_385, 32_768, 100_000):
        data = draw.randbytes(length)
        for pack, encoding in ((gzip.compress, "gzip"), (zlib.compress, "deflate"), (raw, "deflate")):
            assert unpacked(pack(data), encoding, draw.randint(1, 9_000)) == data


def test_output_that_zlib_holds_back_is_not_lost():
    for length in range(decode.SLICE - 3, decode.SLICE + 260):
        assert unpacked(raw(b"a" * length), "deflate") == b"a" * length


def test_an_empty_body_is_empty_in_every_packing():
    assert unpacked(b"", "gzip") == unpacked(b"", "") == b""


def test_gzip_files_in_a_row_are_one_body_and_what_follows_them_is_ignored():
    two = gzip.compress(b"one ") + gzip.compress(b"two")
    assert unpacked(two, "gzip", 3) == b"one two"
    assert unpacked(two + bytes(100), "gzip", 3) == b"one two"
    assert unpacked(zlib.compress(b"one") + b"garbage", "deflate", 2) == b"one"


def refused(packed: bytes, encoding: str, most: int = 10_000_000) -> FetchFailed:
    with pytest.raises(FetchFailed) as failed:
        unpacked(packed, encoding, 4_096, most)
    return failed.value


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "utf-8", "gzip, br", "gzip;q=1"])
def test_a_packing_that_nobody_asked_for_is_refused_by_name(encoding):
    failed = refused(b"x", encoding)
    assert failed.reason == "bad encoding"
    assert "choices: gzip, deflate" in str(failed)


def test_what_is_packed_three_times_over_is_refused():
    assert "packed 3 times" in str(refused(b"", "gzip, gzip, gzip"))


@pytest.mark.parametrize(
    "broken",
    [
        b"not gzip at all",
        PACKED[:-9],
        PACKED[:5],
        PACKED[:-8] + bytes(8),
        b"\x1f",
    ],
    ids=["words", "cut", "cut in the header", "wrong checksum", "a byte"],
)
def test_broken_packing_is_refused(broken):
    assert refused(broken, "gzip").reason == "bad encoding"


def test_more_bytes_than_allowed_are_refused_packed_or_not():
    assert refused(bytes(1_001), "", most=1_000).reason == "too large"
    assert refused(gzip.compress(TEXT), "gzip", most=len(TEXT) - 1).reason == "too large"
    assert refused(raw(b"") + bytes(1_001), "deflate", most=1_000).reason == "too large"
    assert unpacked(bytes(1_000), "", most=1_000) == bytes(1_000)
    assert unpacked(gzip.compress(TEXT), "gzip", most=len(TEXT)) == TEXT


def test_a_bomb_is_refused_by_its_ratio_before_it_takes_memory():
    packed = bomb(60)
    tracemalloc.start()
    failed = refused(packed, "gzip", most=1_000_000_000)
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()
    assert (failed.reason, "100 times" in str(failed)) == ("too large", True)


def test_a_bomb_in_a_bomb_is_refused_in_its_inner_layer():
    assert refused(gzip.compress(bomb(60)), "gzip, gzip", most=1_000_000_000).reason == "too large"
    hollow = gzip.compress(raw(b"")[:-2] + b"\x00\x00\x00\xff\xff" * 2_000_000)  # empty blocks: no output
    assert refused(hollow, "deflate, gzip", most=1_000_000_000).reason in ("too large", "bad encoding")


def test_the_first_megabyte_may_be_packed_as_well_as_can_be():
    assert unpacked(gzip.compress(bytes(990_000)), "gzip") == bytes(990_000)


def test_thousands_of_empty_files_in_a_row_are_refused():
    assert "1000 gzip files" in str(refused(gzip.compress(b"") * 1_001, "gzip"))
