"""Images: kept as they are, with their size and format. What a camera wrote into them is not looked at."""

import warnings
from collections.abc import Iterator

from PIL import Image

from openflywheel.base.nouns import Drop
from openflywheel.collect._files.file import File, Found, Refused

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")  # Pillow knows others, some of which run programs


def read(file: File) -> Iterator[Found | Drop]:
    """One piece of media. Raises Refused above Pillow's own limit of pixels (89 million)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file.stream, formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Refused("image too large") from error
    with image:
        meta = {"format": str(image.format), "width": str(image.width), "height": str(image.height)}
        image.verify()
    yield Found(mime=Image.MIME[meta["format"]], content=file.whole(), meta=meta)
