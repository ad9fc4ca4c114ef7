"""Pictures, sound and film of the rows: sizes, perceptual hashes, words; nothing personal in a picture."""

import io
import warnings
from collections.abc import Callable
from functools import cache
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from PIL import Image, UnidentifiedImageError

from openflywheel.base.errors import StoreError
from openflywheel.curate._batches import Batch, as_table, kept, mark_drops, with_column, with_meta, with_text
from openflywheel.curate._images.phash import phash
from openflywheel.curate._images.strip import stripped

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")  # Pillow knows others, some of which run programs
MEDIA = r"^(image|audio|video)/"


class Objects(Protocol):
    """The store of media (store/objects.py)."""

    def get(self, digest: str) -> bytes: ...
    def put(self, content: bytes) -> str: ...


class Seen(Struct, frozen=True):
    """What is known of a piece of media; `digest` is that of what may stay of it."""

    digest: str
    width: str | None = None
    height: str | None = None
    phash: str | None = None
    words: str = ""
    broken: bool = False


def media(batch: Batch, *, objects: Objects, transcribe: Callable[[bytes, str], str]) -> pa.Table:
    """Look at every part that is media: in the row's column "content" (bytes), or else in the object store.

    Marks "width", "height" (pixels) and "phash" (perceptual hash, 64 bits, 16 hex digits) of a row's first
    picture.

    Pictures lose what was written into them (EXIF, XMP, IPTC, comments: places, names, times); the row's part
    then names the stripped copy. The picture that was collected stays in the object store until it is
    forgotten there. Rows without a text get the words that an installed plugin of the group
    "openflywheel.media" reads or hears in their media. Reason: "media: broken picture", for rows that have
    no text either.
    """
    table = as_table(batch)
    going = table.filter(kept(table))
    parts = pc.list_flatten(going["parts"].combine_chunks())
    found = parts.filter(pc.match_substring_regex(parts.field("mime"), MEDIA)) if len(parts) else parts
    if not len(found):
        return table
    handed = _handed(going)
    look = cache(
        lambda digest, mime: _looked_at(
            digest, handed.get(digest) or _stored(objects, digest), mime, objects, transcribe
        )
    )
    seen = {
        digest: look(digest, mime)
        for digest, mime in zip(
            found.field("digest").to_pylist(), found.field("mime").to_pylist(), strict=True
        )
    }
    return _told(table, seen)


def _handed(table: pa.Table) -> dict[str, bytes]:
    """The bytes that came with the rows, as those of a folder's files do, by the digest of the row's part."""
    if "content" not in table.column_names:
        return {}
    rows = table.filter(pc.is_valid(table["content"])).select(["content", "parts"]).to_pylist()
    return {row["parts"][0]["digest"]: row["content"] for row in rows if row["parts"]}


def _stored(objects: Objects, digest: str) -> bytes:
    """Its bytes; b"" where they are not there any more, or were changed: no picture has none."""
    try:
        return objects.get(digest)
    except StoreError:
        return b""


def _looked_at(
    digest: str, content: bytes, mime: str, objects: Objects, transcribe: Callable[[bytes, str], str]
) -> Seen:
    words = transcribe(content, mime) if content else ""
    if not mime.startswith("image/"):
        return Seen(digest, words=words)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                format, (width, height) = str(image.format), image.size
                hash = f"{phash(image):016x}"
        clean = stripped(content, format)
    except (
        OSError,
        ValueError,
        UnidentifiedImageError,
        Image.DecompressionBombWarning,
        Image.DecompressionBombError,
    ):
        return Seen(digest, words=words, broken=True)
    kept_as = digest if clean == content else objects.put(clean)
    return Seen(kept_as, str(width), str(height), hash, words)


def _told(table: pa.Table, seen: dict[str, Seen]) -> pa.Table:
    """The table with what was seen; the first piece of a row's media speaks for it."""
    column = table["parts"].combine_chunks()
    digests = pc.list_flatten(column).field("digest").to_pylist()
    rows = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
    firsts: list[Seen | None] = [None] * table.num_rows
    goes = kept(table).to_numpy()
    looked = [seen.get(digest) if goes[row] else None for row, digest in zip(rows, digests, strict=True)]
    for row, found in zip(rows[::-1], looked[::-1], strict=True):
        firsts[row] = found or firsts[row]
    for name in ("width", "height", "phash"):
        table = with_meta(table, name, pa.array([getattr(f, name, None) for f in firsts], pa.string()))
    empty = pc.equal(pc.utf8_trim_whitespace(table["text"]), "")
    words = pa.array([f.words if f else "" for f in firsts], pa.string())
    table = with_text(table, pc.if_else(empty, words, table["text"]))
    clean = [found.digest if found else digest for found, digest in zip(looked, digests, strict=True)]
    table = with_column(table, "parts", _parts(column, clean))
    broken = pa.array(np.array([f is not None and f.broken for f in firsts], bool))
    return mark_drops(table, pc.and_(broken, pc.equal(table["text"], "")), "media: broken picture")


def _parts(column: pa.ListArray, digests: list[str]) -> pa.ListArray:
    """The rows' parts under other digests."""
    flat = pc.list_flatten(column)
    fields = [flat.field("mime"), flat.field("uri"), pa.array(digests, pa.string())]
    sizes = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(fields, fields=list(flat.type)))
