"""Perceptual hash of a picture: 64 bits that hardly change when it is scaled, compressed or brightened.

The DCT method of Zauner 2010 ("Implementation and Benchmarking of Perceptual Image Hash Functions"): of the
32 x 32 grey picture the 8 x 8 lowest frequencies, each above or below their median.
"""

import numpy as np
from PIL import Image
from scipy.fft import dctn

SIDE, LOWEST = 32, 8


def phash(image: Image.Image) -> int:
    """64 bits; pictures that look alike differ in few of them (Hamming distance)."""
    image.draft("L", (4 * SIDE, 4 * SIDE))  # a JPEG is decoded small: 8 times less work on a photograph
    grey = np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS), np.float64)
    low = dctn(grey)[:LOWEST, :LOWEST].ravel()
    bits = low > np.median(low[1:])  # the first is the brightness
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
