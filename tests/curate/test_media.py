"""Pictures and other media of the rows."""

import io
import struct
import zlib

import numpy as np
import pyarrow as pa
import pytest

PIL = pytest.importorskip("PIL", reason="needs the extra media")
from PIL import Image, PngImagePlugin  # noqa: E402

from openflywheel.base.instruments.columns import to_batch  # noqa: E402
from openflywheel.base.nouns import Part, Record  # noqa: E402
from openflywheel.curate._batches import meta  # noqa: E402
from openflywheel.curate._images.phash import phash  # noqa: E402
from openflywheel.curate._images.strip import ORIENTATION, stripped  # noqa: E402
from openflywheel.curate.media import media  # noqa: E402
from openflywheel.store.objects import Objects  # noqa: E402

SECRET = "Ann Other, 12 Elm Road"


def picture(seed=0, size=(96, 64)):
    """Smooth, like a photograph: a few waves over the whole picture."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : size[1], 0 : size[0]] / 32
    waves = sum(a * np.sin(u * x + v * y + w) for a, u, v, w in rng.uniform(-3, 3, (6, 4)))
    grey = (255 * (waves - waves.min()) / np.ptp(waves)).astype(np.uint8)
    return Image.fromarray(np.stack([grey, grey[::-1], grey], axis=2))


def exif(turned=6):
    found = Image.Exif()
    found[0x013B] = SECRET  # Artist
    found[ORIENTATION] = turned
    found.get_ifd(0x8825)[1] = "N"  # GPS
    return found


def written(image, format, **more):
    sink = io.BytesIO()
    image.save(sink, format, **more)
    return sink.getvalue()


def marked(format):
    """A picture with the secret wherever its format can hold one."""
    if format == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Author", SECRET)
        texts.add_itxt("Place", SECRET)
        return written(picture(), format, pnginfo=texts, exif=exif())
    more = {
        "JPEG": {"comment": SECRET.encode()},
        "WEBP": {"xmp": SECRET.encode()},
        "GIF": {"comment": SECRET.encode()},
    }
    return written(picture(), format, **({} if format == "GIF" else {"exif": exif()}), **more.get(format, {}))


def pixels(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_what_was_written_into_a_picture_is_gone_and_its_pixels_stay(format):
    content = marked(format)
    assert SECRET.encode() in content
    clean = stripped(content, format)
    assert SECRET.encode() not in clean
    assert np.array_equal(pixels(clean), pixels(content))
    with Image.open(io.BytesIO(clean)) as image:
        assert set(image.getexif()) <= {ORIENTATION, *range(0x100, 0x11D)}  # TIFF: how the pixels lie
        assert not image.getexif().get_ifd(0x8825)


def test_a_photograph_stays_upright():
    with Image.open(io.BytesIO(stripped(marked("JPEG"), "JPEG"))) as image:
        assert dict(image.getexif()) == {ORIENTATION: 6}


def test_a_colour_profile_stays():
    profile = b"p" * 100
    clean = stripped(written(picture(), "JPEG", icc_profile=profile, exif=exif()), "JPEG")
    with Image.open(io.BytesIO(clean)) as image:
        assert image.info["icc_profile"] == profile


def test_what_hangs_behind_a_jpeg_is_cut_off():
    plain = written(picture(), "JPEG")
    assert stripped(plain + SECRET.encode(), "JPEG") == stripped(plain, "JPEG")


def test_a_progressive_jpeg_keeps_all_its_scans():
    content = written(picture(), "JPEG", progressive=True, exif=exif())
    assert np.array_equal(pixels(stripped(content, "JPEG")), pixels(content))


def test_unknown_chunks_of_a_png_are_left_out():
    content = written(picture(), "PNG")
    chunk = struct.pack(">I", 6) + b"prVtSECRET" + struct.pack(">I", zlib.crc32(b"prVtSECRET"))
    assert stripped(content[:33] + chunk + content[33:], "PNG") == stripped(content, "PNG")


@pytest.mark.parametrize(
    ("content", "format"),
    [
        (b"\xff\xd8\xff\xe0\x00\x04ab", "JPEG"),
        (b"\xff\xd8\xff\xe0\x00\x04abzzzz", "JPEG"),
        (written(picture(), "PNG")[:60], "PNG"),
        (written(picture(), "WEBP")[:60], "WEBP"),
    ],
    ids=["no picture", "no marker", "short png", "short webp"],
)
def test_a_broken_picture_is_refused(content, format):
    with pytest.raises((ValueError, OSError)):
        stripped(content, format)


def distance(a, b):
    return (phash(a) ^ phash(b)).bit_count()


def test_the_hash_hardly_changes_with_size_compression_and_brightness():
    one = picture(size=(400, 300))
    small = one.resize((160, 120))
    poor = Image.open(io.BytesIO(written(one, "JPEG", quality=30)))
    bright = one.point(lambda v: min(255, int(v * 1.1) + 8))
    assert max(distance(one, other) for other in (small, poor, bright)) <= 5


def test_other_pictures_have_other_hashes():
    all_pairs = [distance(picture(i), picture(j)) for i in range(12) for j in range(i)]
    assert min(all_pairs) > 7


@pytest.fixture
def objects(tmp_path):
    return Objects(tmp_path)


def table(*rows):
    batch = pa.Table.from_batches([to_batch(rows, Record)])
    return batch.append_column("drop", pa.nulls(len(rows), pa.string()))


def record(objects, content, mime="image/jpeg", text=""):
    return Record(text=text, source="files", parts=(Part(mime=mime, uri="a", digest=objects.put(content)),))


def silent(content, mime):
    return ""


def test_the_row_names_the_stripped_picture(objects):
    batch = table(record(objects, marked("JPEG")), Record(text="no media", source="files"))
    out = media(batch, objects=objects, transcribe=silent)
    [part] = out["parts"][0].as_py()
    assert SECRET.encode() not in objects.get(part["digest"])
    assert (part["mime"], part["uri"]) == ("image/jpeg", "a")
    assert meta(out, "width").to_pylist() == ["96", None]
    assert meta(out, "height").to_pylist() == ["64", None]
    assert len(meta(out, "phash")[0].as_py()) == 16
    assert out["parts"][1].as_py() == []


def test_a_picture_without_anything_written_into_it_is_not_kept_twice(objects):
    one = record(objects, stripped(marked("PNG"), "PNG"), "image/png")
    out = media(table(one), objects=objects, transcribe=silent)
    assert out["parts"][0].as_py()[0]["digest"] == one.parts[0].digest


def test_words_of_media_become_the_text_of_rows_without_one(objects):
    rows = [record(objects, b"sound", "audio/wav"), record(objects, b"sound", "audio/wav", text="given")]
    out = media(table(*rows), objects=objects, transcribe=lambda content, mime: f"{mime}: {content.decode()}")
    assert out["text"].to_pylist() == ["audio/wav: sound", "given"]


def test_a_broken_picture_drops_only_rows_without_a_text(objects):
    rows = [record(objects, b"\x89PNG\r\n broken"), record(objects, b"\x89PNG\r\n broken", text="given")]
    out = media(table(*rows), objects=objects, transcribe=silent)
    assert out["drop"].to_pylist() == ["media: broken picture", None]


def test_dropped_rows_and_other_parts_are_not_looked_at(objects):
    batch = table(record(objects, b"<html>", "text/html"), record(objects, marked("JPEG")))
    batch = batch.set_column(batch.schema.get_field_index("drop"), "drop", pa.array([None, "too short"]))
    out = media(batch, objects=objects, transcribe=silent)
    assert out["parts"].to_pylist() == batch["parts"].to_pylist()
