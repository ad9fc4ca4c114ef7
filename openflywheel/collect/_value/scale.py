"""What a cosine means: each encoder has its own idea of near and far.

A few questions with their answers, from trades that have nothing to do with each other, are encoded once: 0
is the mean cosine of a question with somebody else's answer, 1 that with its own. MiniLM has .02 and .45,
hashed n-grams .06 and .11 with so much scatter that their word is hardly trusted.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PROBES = (
    ("how do I get my money back",
     "Returns: items may be sent back within 30 days. The amount is refunded to the card that was used."),
    ("the parcel has not come yet",
     "Delivery times: most orders arrive in three to five days. Follow the parcel with its tracking number."),
    ("I cannot sign in any more",
     "Account access: if you have forgotten your password, choose Reset password on the login page."),
    ("does it run on my old phone",
     "System requirements: the app needs Android 9 or iOS 14 and 200 MB of free storage."),
    ("what does the bigger plan cost",
     "Pricing: the professional subscription is billed yearly per user; discounts apply from ten seats."),
    ("is it safe to take this with alcohol",
     "Interactions: do not drink while using this medicine. It can make drowsiness worse."),
    ("my picture comes out blurred when printed",
     "Image quality: photos for print should have at least 300 dots per inch at the final size."),
    ("can I park there over night",
     "Parking: the car park is open day and night. Long-stay tickets are sold at the entrance."),
)  # fmt: skip


class Encoder(Protocol):
    """The sentence encoder (base/instruments/encoder.py)."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


class Scale(Struct, frozen=True):
    """Cosines `far` and `near` become 0 and 1; `trust` (0 to 1) is how well the encoder tells them apart."""

    far: float
    near: float
    trust: float

    def of(self, cosines: NDArray[np.float32]) -> Floats:
        """Likeness of cosines: 0 unrelated, 1 as near as an answer to its question, or nearer."""
        return (cosines.astype(np.float64) - self.far) / (self.near - self.far)


def scale_of(encoder: Encoder) -> Scale:
    """The scale of an encoder; `trust` is d^2 / (1 + d^2) with d the distance of the means in deviations."""
    questions, answers = (encoder.encode(side) for side in zip(*PROBES, strict=True))
    cosines, own = questions @ answers.T, np.eye(len(PROBES), dtype=bool)
    near, far = cosines[own], cosines[~own]
    apart = max(float(near.mean() - far.mean()), 0.0)
    d2 = apart**2 / max(float(near.var() + far.var()) / 2, 1e-9)
    return Scale(float(far.mean()), float(far.mean()) + max(apart, 1e-3), d2 / (1 + d2))
