"""Audio and video: kept as they are, with length, codecs and sizes from their headers; nothing is decoded."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import av

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.file import File, Found

# FFmpeg is told the container: left to guess, it would follow playlists (HLS, concat) to files and URLs.
CONTAINERS = {
    ".mp4": ("mp4", "video/mp4"),
    ".m4v": ("mp4", "video/mp4"),
    ".mov": ("mov", "video/quicktime"),
    ".m4a": ("mp4", "audio/mp4"),
    ".webm": ("matroska", "video/webm"),
    ".mkv": ("matroska", "video/x-matroska"),
    ".avi": ("avi", "video/x-msvideo"),
    ".mp3": ("mp3", "audio/mpeg"),
    ".wav": ("wav", "audio/wav"),
    ".flac": ("flac", "audio/flac"),
    ".ogg": ("ogg", "audio/ogg"),
    ".opus": ("ogg", "audio/ogg"),
}
PROBE = {"probesize": "5000000", "analyzeduration": "5000000"}  # bytes and microseconds: FFmpeg's defaults


def read(file: File) -> Iterator[Found | Drop]:
    """One piece of media."""
    container, mime = CONTAINERS[PurePosixPath(file.name).suffix.lower()]
    with av.open(file.stream, "r", format=container, options=PROBE) as film:
        meta = {"duration": f"{film.duration / av.time_base:.3f}"} if film.duration else {}
        for stream in film.streams:
            meta |= _about(stream)
    yield Found(mime=mime, content=file.whole(), meta=meta)


def _about(stream: Any) -> dict[str, str]:
    if stream.type == "video":
        rate = f"{float(stream.average_rate):.3f}" if stream.average_rate else ""
        size = {"width": str(stream.width), "height": str(stream.height), "frame_rate": rate}
        return {"video": stream.codec_context.name, **size}
    if stream.type == "audio":
        return {
            "audio": stream.codec_context.name,
            "sample_rate": str(stream.rate),
            "channels": str(stream.channels),
        }
    return {}
