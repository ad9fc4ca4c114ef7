"""Images, audio and video: kept whole, with what their headers say."""

import io
import struct
import zlib
from fractions import Fraction
from importlib.metadata import EntryPoint, EntryPoints

import av
import numpy as np
import pytest
from PIL import Image

from openflywheel.base.nouns import Drop
from openflywheel.collect._files import film, image, transcribe
from openflywheel.collect._files.kinds import KINDS


def picture(kind, **settings):
    sink = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(sink, kind, **settings)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("suffix", "kind", "mime"),
    [
        ("png", "PNG", "image/png"),
        ("jpg", "JPEG", "image/jpeg"),
        ("gif", "GIF", "image/gif"),
        ("webp", "WEBP", "image/webp"),
        ("tiff", "TIFF", "image/tiff"),
        ("bmp", "BMP", "image/bmp"),
    ],
)
def test_an_image_with_its_size(found, suffix, kind, mime):
    content = picture(kind)
    (one,) = found(f"a.{suffix}", content)
    assert (one.mime, one.content, one.text) == (mime, content, "")
    assert one.meta == {"format": kind, "width": "8", "height": "6"}


def test_what_a_camera_wrote_is_not_among_the_facts(found):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    (one,) = found("a.jpg", picture("JPEG", exif=exif))
    assert set(one.meta) == {"format", "width", "height"}


def png(width, height):
    """The header of a PNG; there need not be as many pixels."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 20_000, 2**31 - 1])
def test_an_image_of_too_many_pixels(found, side):
    assert found("a.png", png(side, side)) == [Drop("image too large")]


def test_a_broken_image(found):
    assert found("a.png", picture("PNG")[:30]) == [Drop("broken image file")]
    assert found("a.png", b"hello") == [Drop("content is not what the name says")]


def test_every_suffix_of_images_has_a_format():
    suffixes = next(k.suffixes for k in KINDS if k.name == "image")
    known = Image.registered_extensions()
    assert {known[suffix] for suffix in suffixes} == set(image.FORMATS)


def sound(container, codec):
    sink = io.BytesIO()
    with av.open(sink, "w", format=container) as out:
        stream = out.add_stream(codec, rate=48_000, layout="mono")
        for i in range(50):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), format="s16", layout="mono")
            frame.rate, frame.pts, frame.time_base = 48_000, i * 960, Fraction(1, 48_000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return sink.getvalue()


def movie(container="mp4", codec="mpeg4"):
    sink = io.BytesIO()
    with av.open(sink, "w", format=container) as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for _ in range(25):
            frame = av.VideoFrame.from_ndarray(np.zeros((16, 32, 3), np.uint8), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return sink.getvalue()


def test_sound(found):
    content = sound("wav", "pcm_s16le")
    (one,) = found("a.wav", content)
    assert (one.mime, one.content) == ("audio/wav", content)
    assert one.meta == {"duration": "1.000", "audio": "pcm_s16le", "sample_rate": "48000", "channels": "1"}


def test_flac(found):
    (one,) = found("a.flac", sound("flac", "flac"))
    assert (one.mime, one.meta["audio"]) == ("audio/flac", "flac")


@pytest.mark.parametrize(
    ("suffix", "container", "mime"),
    [
        ("mp4", "mp4", "video/mp4"),
        ("mov", "mov", "video/quicktime"),
        ("mkv", "matroska", "video/x-matroska"),
        ("avi", "avi", "video/x-msvideo"),
    ],
)
def test_video(found, suffix, container, mime):
    (one,) = found(f"a.{suffix}", movie(container))
    assert one.mime == mime
    facts = {"video": "mpeg4", "width": "32", "height": "16", "frame_rate": "25.000"}
    assert one.meta == {"duration": "1.000", **facts}


def test_every_suffix_of_films_has_a_container():
    assert set(film.CONTAINERS) == set(next(k.suffixes for k in KINDS if k.name == "film"))


def test_a_broken_film(found):
    assert found("a.mp4", movie()[:40]) == [Drop("broken film file")]


def test_a_playlist_under_the_name_of_a_film_leads_nowhere(found, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    for content in (
        f"#EXTM3U\n{tmp_path}/secret.txt\n",
        f"ffconcat version 1.0\nfile {tmp_path}/secret.txt\n",
    ):
        assert found("a.mp4", content.encode()) == [Drop("content is not what the name says")]
        assert found("a.mp3", b"ID3" + content.encode()) == [Drop("broken film file")]


def words(content, mime):
    return f"{len(content)} bytes of {mime}" if mime.startswith("audio/") else None


def test_words_of_media_come_from_plugins(monkeypatch):
    entry = EntryPoint("words", f"{__name__}:words", transcribe.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: words)
    monkeypatch.setattr(transcribe.metadata, "entry_points", lambda group: EntryPoints([entry]))
    assert transcribe.transcribe(b"abc", "audio/wav") == "3 bytes of audio/wav"
    assert transcribe.transcribe(b"abc", "video/mp4") == ""


def test_without_plugins_media_has_no_words():
    assert transcribe.transcribe(b"abc", "audio/wav") == ""
