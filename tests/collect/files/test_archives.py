"""Archives: what is in them, and what hostile ones cost."""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import tracemalloc
import zipfile
import zlib

import pytest

from openflywheel.base.nouns import Drop
from openflywheel.collect._files import file as module
from openflywheel.collect._files.member import refused

TEXT = b"hello\n"
KINDS = ["zip", "tar"]


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return sink.getvalue()


def tarred(members):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return sink.getvalue()


def packed(kind, members):
    return zipped(members) if kind == "zip" else tarred(members)


@pytest.mark.parametrize("kind", KINDS)
def test_members_are_read_by_their_own_kinds(names, found, kind):
    content = packed(kind, [("x/a.txt", TEXT), ("b.csv", b"text\nhi\n"), ("c.bin", b"\0"), ("d.txt", b"")])
    assert names(f"a.{kind}", content) == [
        f"a.{kind}!/x/a.txt",
        f"a.{kind}!/b.csv",
        "unknown kind of file",
        "empty file",
    ]
    assert found(f"a.{kind}", content)[0].text == "hello\n"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize(
    ("name", "member"), [("a.csv.{}", "a.csv"), ("a.tar.{}", "a.tar"), ("a.t{}", "a.tar")]
)
def test_packed_files_and_packed_archives(names, pack, name, member):
    suffix = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz"}[pack]
    content = b"text\nhi\n" if member == "a.csv" else tarred([("b.csv", b"text\nhi\n")])
    outer = name.format(suffix)
    inner = "" if member == "a.csv" else "!/b.csv"
    assert names(outer, pack(content)) == [f"{outer}!/{member}{inner}"]


def test_several_streams_of_xz_are_one_file(found):
    content = lzma.compress(b"text\nhi\n") + b"\0" * 4 + lzma.compress(b"you\n")
    assert [f.row for f in found("a.csv.xz", content)] == [{"text": "hi"}, {"text": "you"}]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_file_that_ends_too_early(found, pack):
    suffix = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz"}[pack]
    assert found(f"a.csv.{suffix}", pack(b"text\nhi\n")[:-9]) == [Drop("broken packed file")]


def test_archives_are_read_two_deep(names):
    one = zipped([("a.txt", TEXT)])
    two = zipped([("one.zip", one)])
    assert names("two.zip", two) == ["two.zip!/one.zip!/a.txt"]
    assert names("three.zip", zipped([("two.zip", two), ("b.txt", TEXT)])) == [
        "archive nested too deep",
        "three.zip!/b.txt",
    ]
    assert names("a.txt.gz.gz", gzip.compress(gzip.compress(TEXT))) == ["archive nested too deep"]
    assert names("a.zip", zipped([("b.tgz", gzip.compress(tarred([("a.txt", TEXT)])))])) == [
        "a.zip!/b.tgz!/b.tar!/a.txt"
    ]


CLIMBING = ["../a.txt", "x/../../a.txt", "/etc/a.txt", "C:/a.txt", "C:a.txt", "..\\a.txt", "\\\\host\\a.txt"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CLIMBING)
def test_names_that_climb_out_are_refused_and_the_others_read(names, kind, name):
    content = packed(kind, [(name, TEXT), ("b.txt", TEXT)])
    assert names(f"a.{kind}", content) == ["unsafe archive member", f"a.{kind}!/b.txt"]


def test_names_that_are_none_of_our_business():
    assert refused("x/.git/config.txt") == refused("__MACOSX/a.txt") == "hidden file"
    assert refused("a\0.txt") == "unsafe archive member"
    assert refused("a\udcff.txt") == "name is not UTF-8"
    assert refused("./x/a b.txt") == ""


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_in_a_zip(names, mode):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        info = zipfile.ZipInfo("a.txt")
        info.external_attr = (mode | 0o644) << 16
        archive.writestr(info, "/etc/passwd")
    assert names("a.zip", sink.getvalue()) == ["unsafe archive member"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
)
def test_links_and_devices_in_a_tar(names, kind):
    info = tarfile.TarInfo("a.txt")
    info.type, info.linkname = kind, "/etc/passwd"
    assert names("a.tar", tarred([(info, b""), ("b.txt", TEXT)])) == ["unsafe archive member", "a.tar!/b.txt"]


def test_folders_are_no_members(names):
    folder = tarfile.TarInfo("x")
    folder.type = tarfile.DIRTYPE
    assert names("a.tar", tarred([(folder, b""), ("x/a.txt", TEXT)])) == ["a.tar!/x/a.txt"]
    assert names("a.zip", zipped([("x/", b""), ("x/a.txt", TEXT)])) == ["a.zip!/x/a.txt"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_that_cannot_be_counted_are_refused(names, compression):
    assert names("a.zip", zipped([("a.txt", TEXT * 100)], compression)) == ["unknown compression"]


def test_encrypted_members(names):
    content = bytearray(zipped([("a.txt", TEXT), ("b.txt", TEXT)]))
    entry = content.index(b"PK\x01\x02")
    content[entry + 8] |= 1
    assert names("a.zip", bytes(content)) == ["encrypted archive member", "a.zip!/b.txt"]


def test_a_broken_member_costs_that_member(names):
    content = bytearray(zipped([("a.txt", TEXT), ("b.txt", TEXT)], zipfile.ZIP_STORED))
    content[content.index(TEXT)] ^= 0xFF
    assert names("a.zip", bytes(content)) == ["broken archive member", "a.zip!/b.txt"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_ends_too_early(names, kind):
    content = packed(kind, [("a.txt", TEXT * 10_000)])
    assert names(f"a.{kind}", content[: len(content) // 2])[-1] == f"broken {kind} file"


ZEROS = bytes(1 << 20)


def bomb(kind, megabytes):
    """So many MB of zeros, packed a thousandfold."""
    if kind == "zip":
        sink = io.BytesIO()
        with (
            zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("a.txt", "w") as member,
        ):
            for _ in range(megabytes):
                member.write(ZEROS)
        return sink.getvalue()
    packer = {"gz": zlib.compressobj(9, wbits=31), "bz2": bz2.BZ2Compressor(), "xz": lzma.LZMACompressor()}[
        kind
    ]
    return b"".join([*(packer.compress(ZEROS) for _ in range(megabytes)), packer.flush()])


@pytest.mark.parametrize(
    ("name", "kind"), [("a.zip", "zip"), ("a.txt.gz", "gz"), ("a.txt.bz2", "bz2"), ("a.txt.xz", "xz")]
)
def test_a_bomb_costs_little_memory(found, name, kind):
    content = bomb(kind, 64)
    tracemalloc.start()
    assert found(name, content) == [Drop("unpacks to too much")]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 << 20  # of 64 MB that it unpacks to


def test_a_bomb_that_lies_about_its_size(found):
    content = bytearray(bomb("zip", 32))
    size = struct.pack("<I", 32 << 20)
    for place in (content.index(b"PK\x01\x02") + 24, 22):
        assert content[place : place + 4] in (size, bytes(4))
        content[place : place + 4] = struct.pack("<I", 1000)
    (drop,) = found("a.zip", bytes(content))
    assert isinstance(drop, Drop)
    assert drop.reason in ("broken archive member", "unpacks to too much")


def test_a_bomb_of_bombs_ends_the_whole_file(names, monkeypatch):
    monkeypatch.setattr(module, "FLOOR", 3 << 20)
    inner = zipped([("a.txt", b"x" * (900 << 10))])
    outer = zipped([*((f"{i}.zip", inner) for i in range(10)), ("z.txt", TEXT)], zipfile.ZIP_STORED)
    assert names("a.zip", outer) == [
        "a.zip!/0.zip!/a.txt",
        "a.zip!/1.zip!/a.txt",
        "a.zip!/2.zip!/a.txt",
        "unpacks to too much",
    ]


def test_members_that_share_bytes(names):
    """Two entries of the directory for one piece of data, as the densest bombs have them."""
    content = zipped([("a.txt", TEXT)])
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry = content[start:end]
    directory = entry + entry.replace(b"a.txt", b"b.txt")
    tail = bytearray(content[end:])
    struct.pack_into("<HHII", tail, 8, 2, 2, len(directory), start)
    assert names("a.zip", content[:start] + directory + bytes(tail)) == ["archive members overlap"]


def test_a_hundred_thousand_members(names):
    content = zipped([(str(i), b"") for i in range(100_000)], zipfile.ZIP_STORED)
    tracemalloc.start()
    assert names("a.zip", content) == ["too many archive members"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


def test_a_tar_of_too_many_members(names, monkeypatch):
    monkeypatch.setattr(module, "MEMBERS", 3)
    monkeypatch.setattr(module, "KILO", 1 << 40)
    content = tarred([(f"{i}.txt", TEXT) for i in range(5)])
    assert names("a.tar", content) == [f"a.tar!/{i}.txt" for i in range(3)] + ["too many archive members"]


def header(name, size, kind=tarfile.REGTYPE):
    """A tar header whose size is written in base 256, as negative sizes are."""
    info = tarfile.TarInfo(name)
    info.type = kind
    raw = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    raw[124:136] = (size % (1 << 96)).to_bytes(12, "big") if size < 0 else b"\x80" + size.to_bytes(11, "big")
    raw[148:156] = b" " * 8
    raw[148:156] = f"{sum(raw[:512]):06o}\0 ".encode()
    return bytes(raw)


@pytest.mark.parametrize("size", [-512, -1024, -(1 << 40)])
def test_a_tar_that_leads_back_for_ever(names, size):
    content = header("a.txt", 512) + bytes(512) + header("b.txt", size) + bytes(4096)
    assert len(names("a.tar", content)) <= 3
    assert names("a.tar", content)[-1] in ("unsafe archive member", "broken tar file")


def test_a_tar_whose_attributes_would_fill_the_memory(names):
    content = header("a", 1 << 40, tarfile.XHDTYPE) + bytes(2 << 20)
    tracemalloc.start()
    assert names("a.tar", content) == ["unsafe archive member"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_a_sparse_file_counts_what_it_unfolds_to(names):
    info = tarfile.TarInfo("a.txt")
    info.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 40)}
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    assert names("a.tar", sink.getvalue()) == ["unpacks to too much"]


def test_xz_that_asks_for_too_much_memory(found):
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
    content = bytearray(lzma.compress(b"text\nhi\n", filters=filters))
    assert [f.row for f in found("a.csv.xz", bytes(content))] == [{"text": "hi"}]
    place = content.index(b"\x21\x01") + 2  # LZMA2, one byte of properties
    content[place] = 40  # 4 GB
    start, size = 12, (content[12] + 1) * 4
    struct.pack_into("<I", content, start + size - 4, zlib.crc32(content[start : start + size - 4]))
    assert found("a.csv.xz", bytes(content)) == [Drop("broken packed file")]
