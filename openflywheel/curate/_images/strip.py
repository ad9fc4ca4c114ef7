"""Takes out of a picture what was written into it about people and places; its pixels stay as they are.

JPEG (ITU-T T.81, annex B), PNG (W3C, chapter 11) and WebP (RFC 9649) are cut at their own segments, so
nothing is encoded again. What pixels need to be shown rightly stays: colour profile, gamma, orientation. TIFF
and GIF are written anew by Pillow, which does that without loss; BMP holds nothing but pixels.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping

from PIL import Image

ORIENTATION = 0x0112  # EXIF 2.32, table 4
KEPT_PNG = (
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP",
    b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
)  # fmt: skip
DROPPED_WEBP = (b"EXIF", b"XMP ")
EXIF_FLAG, XMP_FLAG = 0x08, 0x04  # in the first byte of VP8X
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def stripped(content: bytes, format: str) -> bytes:
    """The picture without what was written into it; `format` is Pillow's name. Raises ValueError."""
    return _STRIP.get(format, _as_it_is)(content)


def _as_it_is(content: bytes) -> bytes:
    return content


def _jpeg(content: bytes) -> bytes:
    """Without APP1 (EXIF, XMP), APP13 (Photoshop, IPTC), other APPs but JFIF, ICC and Adobe, and comments."""
    turned = _orientation(content)
    out = [b"\xff\xd8", _exif(turned) if turned != 1 else b""]
    for marker, segment in _segments(content):
        named = segment[4:]
        is_app = 0xE0 <= marker <= 0xEF
        shows = marker == 0xE0 or named.startswith((b"ICC_PROFILE\0", b"Adobe"))
        if (not is_app or shows) and marker != 0xFE:
            out.append(segment)
    return b"".join(out)


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, segment), the scans as one; what follows the end of the picture (a film) is cut off."""
    at = 2
    while at + 4 <= len(content):
        if content[at] != 0xFF:
            raise ValueError("no marker where a segment of the JPEG should begin")
        marker, size = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xDA:
            end = content.find(b"\xff\xd9", at)  # within a scan, ff is followed by 0 or by a restart marker
            yield marker, content[at : end + 2] if end > at else content[at:]
            return
        yield marker, content[at : at + 2 + size]
        at += 2 + size
    raise ValueError("the JPEG ends before its picture")


def _orientation(content: bytes) -> int:
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        return int(image.getexif().get(ORIENTATION, 1))


def _exif(orientation: int) -> bytes:
    """An APP1 segment with nothing but the orientation."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    body = exif.tobytes()
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _png(content: bytes) -> bytes:
    """Without texts, times, EXIF and private chunks."""
    chunks = (chunk for kind, chunk in _chunks(content) if kind in KEPT_PNG)
    return SIGNATURE + b"".join(chunks)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        size, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        chunk = content[at : at + 12 + size]
        if len(chunk) < 12 + size or zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
            raise ValueError("a chunk of the PNG is broken")
        yield kind, chunk
        at += 12 + size


def _webp(content: bytes) -> bytes:
    """Without the chunks EXIF and XMP, and without the flags that announce them."""
    out, at = [b"WEBP"], 12
    while at + 8 <= len(content):
        kind, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        chunk = content[at : at + 8 + size + size % 2]
        if len(chunk) < 8 + size:
            raise ValueError("a chunk of the WebP is broken")
        if kind == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~(EXIF_FLAG | XMP_FLAG)]) + chunk[9:]
        if kind not in DROPPED_WEBP:
            out.append(chunk)
        at += len(chunk)
    body = b"".join(out)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _again(format: str) -> Callable[[bytes], bytes]:
    def write(content: bytes) -> bytes:
        sink = io.BytesIO()
        with Image.open(io.BytesIO(content), formats=[format]) as image:
            image.info = {
                k: v
                for k, v in image.info.items()
                if k in ("icc_profile", "transparency", "duration", "loop")
            }
            plain = {"exif": Image.Exif()} if format == "TIFF" else {"comment": b""}
            image.save(sink, format, save_all=True, **plain)
        return sink.getvalue()

    return write


_STRIP: Mapping[str, Callable[[bytes], bytes]] = {
    "JPEG": _jpeg,
    "MPO": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "TIFF": _again("TIFF"),
    "GIF": _again("GIF"),
}
